//! One utterance as it is received: its text, word by word.

use super::CODES_PER_SLOT;
use super::alphabet::{self, END, ESCAPE, FILL, MAX_WORD_CHARS, SPACE, START, TextCheck};
use super::receiver::Received;

/// Where an utterance stands after the packet accepted last.
#[derive(Debug, Clone)]
pub(super) struct Utterance {
    /// Start of that packet in the stream.
    pub(super) start: i64,
    pub(super) number: u8,
    pub(super) last_of_run: bool,
    /// The packet that is due next has been told missing.
    pub(super) missing_flagged: bool,
    /// All of its text has been received so far: its check codes mean something.
    whole: bool,
    check: TextCheck,
    word: String,
    /// A part of the word in work was lost.
    word_broken: bool,
}

/// What one packet added.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) fragment: String,
    pub(super) words: Vec<String>,
    pub(super) malformed: bool,
    pub(super) check_failed: bool,
    pub(super) ended: bool,
}

impl Utterance {
    /// Begins with START (`whole`) or, for want of it, in the middle.
    pub(super) fn begin(received: &Received, whole: bool) -> Self {
        Self {
            start: received.start,
            number: received.packet.number,
            last_of_run: received.packet.last_of_run,
            missing_flagged: false,
            whole,
            check: TextCheck::new(),
            word: String::new(),
            word_broken: !whole,
        }
    }

    /// Text was lost here: the word in work is incomplete, and so is what comes up to the next space.
    pub(super) fn lose_text(&mut self) {
        self.whole = false;
        self.break_word();
    }

    /// Takes the codes of the next packet.
    pub(super) fn hear(&mut self, codes: [u8; CODES_PER_SLOT]) -> Heard {
        let mut heard = Heard::default();
        let mut codes = codes.into_iter().skip(usize::from(codes[0] == START));
        while let Some(code) = codes.next() {
            match code {
                FILL => {}
                SPACE => {
                    self.check.add(code);
                    heard.fragment.push(' ');
                    heard.words.extend(self.finish_word());
                }
                ESCAPE => match codes.next() {
                    Some(digit @ 0..=9) => {
                        self.check.add(code);
                        self.check.add(digit);
                        self.push((b'0' + digit) as char, &mut heard);
                    }
                    Some(_) | None => heard.malformed = true,
                },
                END => {
                    heard.words.extend(self.finish_word());
                    heard.ended = true;
                    let received = codes.next().zip(codes.next());
                    heard.check_failed = self.whole && received != Some(self.check.codes().into());
                    return heard;
                }
                code => match alphabet::letter_of(code) {
                    Some(letter) => {
                        self.check.add(code);
                        self.push(letter, &mut heard);
                    }
                    None => heard.malformed = true,
                },
            }
        }
        heard
    }

    fn push(&mut self, character: char, heard: &mut Heard) {
        heard.fragment.push(character);
        if self.word.len() == MAX_WORD_CHARS {
            heard.malformed = true; // longer than any encoder sends
            self.break_word();
        }
        if !self.word_broken {
            self.word.push(character);
        }
    }

    fn break_word(&mut self) {
        self.word.clear();
        self.word_broken = true;
    }

    fn finish_word(&mut self) -> Option<String> {
        self.word_broken = false;
        Some(std::mem::take(&mut self.word)).filter(|word| !word.is_empty())
    }
}
