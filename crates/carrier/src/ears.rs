//! A simulated caller's ears: what was heard, when it began, what it said. Without IO; time is the count of samples.
//!
//! What is heard is cut into [`Segment`]s, one for each piece that the agent's voice spoke in one go. With the text
//! sub-carrier a segment begins where its text begins, so a click, comfort noise or an echo is no segment; without it
//! ([`Hearing::Energy`], real voices) a segment is any sound of some length.

use crate::{FRAME_BYTES, Frame};
use seiketsu_audio::{
    g711,
    subcarrier::{Decoder, Event, FlagReason},
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Softer than this over [`WINDOW`] is silence.
const AUDIBLE_DBFS: f32 = -60.0;
/// Samples over which loudness is measured: 5 ms.
const WINDOW: usize = 40;
/// Pauses shorter than this do not end a sound.
const BRIDGE_SAMPLES: u64 = ms(60);
/// Silence of this length is a pause in which somebody else may speak.
const PAUSE_SAMPLES: u64 = ms(200);
/// Silence of this length ends a segment whose end was not heard.
const CUT_SAMPLES: u64 = ms(800);
/// A sound that is speech has had its first word recovered after so long.
const FIRST_WORD_SAMPLES: u64 = ms(1_000);
/// Without a sub-carrier, shorter sounds are clicks.
const SHORTEST_SPEECH_SAMPLES: u64 = ms(150);
/// Speech starts at most this long before its first packet (the grid begins at the first *active* sample; a soft onset
/// may be audible before).
const ONSET_TOLERANCE_SAMPLES: u64 = ms(60);
/// Sounds that are remembered to look onsets up in.
const MAX_SOUNDS: usize = 64;
/// Limits of what is remembered of a call.
const MAX_SEGMENTS: usize = 4_096;
const MAX_TEXT_BYTES: usize = 256 * 1_024;
const MAX_FLAGS: usize = 1_024;

/// Samples of so many milliseconds.
pub(crate) const fn ms(millis: u64) -> u64 {
    millis * 8
}

/// What the agent's speech can be recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hearing {
    /// The text sub-carrier: words are recovered, and only sound that carries words counts.
    #[default]
    Words,
    /// Loudness: no words, any sound of 150 ms counts. For voices that carry no text.
    Energy,
}

/// A piece of the agent's speech, spoken in one go. Positions are samples since the call was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// First audible sample.
    pub onset: u64,
    /// After the last audible sample so far.
    pub end: u64,
    /// Words recovered, separated by spaces.
    pub text: String,
    /// Whether its end was heard: `false` while it goes on and if it was cut off.
    pub complete: bool,
}

/// What the decoder noticed about the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Where it was noticed.
    pub at: u64,
    /// Index of the segment it is about, if there was one: what is missing is often noticed much later.
    pub segment: Option<usize>,
    /// What.
    pub reason: FlagReason,
}

/// Something to tell at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EarEvent {
    /// A word is complete.
    Word {
        /// Where.
        at: u64,
        /// The word.
        text: String,
    },
    /// Something is wrong with the sound.
    Unclear(Flag),
    /// It has been silent since.
    Silent {
        /// After the last audible sample.
        at: u64,
    },
}

/// A pair of ears.
#[derive(Debug)]
pub struct Ears {
    hearing: Hearing,
    decoder: Decoder,
    pcm: Vec<i16>,
    /// Samples heard.
    position: u64,
    /// Sounds, the last of which may go on.
    sounds: VecDeque<Sound>,
    segments: Vec<Segment>,
    /// Whether the last segment may still get words.
    open: bool,
    /// Where speech began whose first word is not yet known.
    begun: Option<u64>,
    silence_told: bool,
    text_bytes: usize,
    flags: Vec<Flag>,
    events: VecDeque<EarEvent>,
}

/// A stretch of sound with pauses below [`BRIDGE_SAMPLES`].
#[derive(Debug, Clone, Copy)]
struct Sound {
    start: u64,
    end: u64,
}

impl Ears {
    /// Ears that have heard nothing.
    pub fn new(hearing: Hearing) -> Self {
        Self {
            hearing,
            decoder: Decoder::new(),
            pcm: Vec::with_capacity(FRAME_BYTES),
            position: 0,
            sounds: VecDeque::new(),
            segments: Vec::new(),
            open: false,
            begun: None,
            silence_told: true,
            text_bytes: 0,
            flags: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Hears the next 20 ms.
    pub fn hear(&mut self, frame: &Frame) {
        let mut pcm = std::mem::take(&mut self.pcm);
        pcm.clear();
        g711::mulaw_decode(frame, &mut pcm);
        for window in pcm.chunks(WINDOW) {
            self.measure(window);
        }
        if self.hearing == Hearing::Words {
            self.decoder.push(&pcm);
            while let Some(event) = self.decoder.poll() {
                self.decoded(event);
            }
        }
        self.pcm = pcm;
        let silent_for = self.silent_for();
        if silent_for >= CUT_SAMPLES {
            self.open = false;
            self.begun = None;
        }
        if !self.silence_told && silent_for >= PAUSE_SAMPLES {
            self.silence_told = true;
            self.events.push_back(EarEvent::Silent { at: self.last_audible() });
        }
    }

    /// What to tell next.
    pub fn poll(&mut self) -> Option<EarEvent> {
        self.events.pop_front()
    }

    /// All segments, oldest first.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// All flags, oldest first.
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }

    /// How long nothing has been audible.
    pub fn silent_for(&self) -> u64 {
        self.position - self.last_audible()
    }

    /// How long nobody has spoken. Sound without words, a ringing tone say, is no speech; for a moment a sound may be the
    /// beginning of speech whose first word is still to come.
    pub fn nobody_spoke_for(&self) -> u64 {
        let speaks = match self.hearing {
            Hearing::Energy => true,
            Hearing::Words => self.open || self.begun.is_some() || self.has_just_begun_to_sound(),
        };
        let spoken_until = self.segments.last().map_or(0, |segment| segment.end);
        if speaks { self.silent_for() } else { self.position - spoken_until.min(self.position) }
    }

    fn has_just_begun_to_sound(&self) -> bool {
        let began = self.sounds.back().map(|sound| sound.start).filter(|_| self.is_sounding());
        began.is_some_and(|start| self.position - start < FIRST_WORD_SAMPLES)
    }

    /// After the last audible sample.
    pub fn last_audible(&self) -> u64 {
        self.sounds.back().map_or(0, |sound| sound.end)
    }

    /// Whether something is being heard, short pauses included.
    pub fn is_sounding(&self) -> bool {
        !self.sounds.is_empty() && self.silent_for() < PAUSE_SAMPLES
    }

    fn measure(&mut self, window: &[i16]) {
        let start = self.position;
        self.position += window.len() as u64;
        let audible = seiketsu_audio::level::from_db(AUDIBLE_DBFS) * seiketsu_audio::level::FULL_SCALE;
        if seiketsu_audio::level::rms(window) <= audible {
            return;
        }
        // Within the window, sound begins where the first sample does.
        let offset = window.iter().position(|sample| f32::from(sample.unsigned_abs()) > audible).unwrap_or(0);
        let pause = start - self.last_audible();
        if let Some(sound) = self.sounds.back_mut().filter(|_| pause < BRIDGE_SAMPLES) {
            sound.end = self.position;
        } else {
            if self.sounds.len() == MAX_SOUNDS {
                self.sounds.pop_front();
            }
            self.sounds.push_back(Sound { start: start + offset as u64, end: self.position });
        }
        self.silence_told = false;
        let reach = match self.hearing {
            Hearing::Words if self.open => CUT_SAMPLES,
            Hearing::Words => BRIDGE_SAMPLES,
            Hearing::Energy => PAUSE_SAMPLES,
        };
        let position = self.position;
        let last = self.segments.last_mut().filter(|segment| start.saturating_sub(segment.end) < reach);
        match (last, self.hearing) {
            (Some(segment), _) => segment.end = segment.end.max(position),
            (None, Hearing::Words) => {}
            (None, Hearing::Energy) => {
                let onset = self.utterance_onset();
                if position - onset >= SHORTEST_SPEECH_SAMPLES {
                    self.begin_segment(onset);
                }
            }
        }
    }

    fn decoded(&mut self, event: Event) {
        match event {
            Event::Start { at_sample } => {
                self.open = false;
                self.begun = Some(self.onset_near(at_sample));
            }
            Event::Word { text, at_sample } => {
                if !self.open {
                    // If the START was lost (and flagged), the words belong to the sound they are in.
                    let onset = self.begun.take().unwrap_or_else(|| self.utterance_onset());
                    self.begin_segment(onset);
                }
                self.add_word(&text);
                self.events.push_back(EarEvent::Word { at: at_sample, text });
            }
            Event::Text { .. } => {}
            Event::End { .. } => {
                if let Some(segment) = self.segments.last_mut().filter(|_| self.open) {
                    segment.complete = true;
                }
                self.open = false;
                self.begun = None;
            }
            Event::Flag { reason, at_sample } => {
                let segment = self.segments.len().checked_sub(1).filter(|_| self.begun.is_none());
                let flag = Flag { at: at_sample, segment, reason };
                if self.flags.len() < MAX_FLAGS {
                    self.flags.push(flag);
                }
                self.events.push_back(EarEvent::Unclear(flag));
            }
        }
    }

    fn begin_segment(&mut self, onset: u64) {
        self.open = true;
        let onset = self.segments.last().map_or(onset, |last| onset.max(last.onset + 1));
        if let Some(last) = self.segments.last_mut() {
            last.end = last.end.min(onset);
        }
        if self.segments.len() < MAX_SEGMENTS {
            let end = self.last_audible().max(onset);
            self.segments.push(Segment { onset, end, text: String::new(), complete: false });
        }
    }

    fn add_word(&mut self, word: &str) {
        let Some(segment) = self.segments.last_mut() else { return };
        if self.text_bytes + word.len() >= MAX_TEXT_BYTES {
            return;
        }
        self.text_bytes += word.len() + 1;
        if !segment.text.is_empty() {
            segment.text.push(' ');
        }
        segment.text.push_str(word);
    }

    /// Where the sound that carries a packet at `packet_start` became audible.
    fn onset_near(&self, packet_start: u64) -> u64 {
        let earliest = packet_start.saturating_sub(ONSET_TOLERANCE_SAMPLES);
        let sound = self.sounds.iter().find(|sound| sound.end > earliest);
        sound.map_or(packet_start, |sound| {
            // A sound that began well before is another segment's; this one begins inside it, with its packet.
            if sound.start >= earliest { sound.start } else { packet_start }
        })
    }

    /// Where the latest sounds began that no pause separates.
    fn utterance_onset(&self) -> u64 {
        let mut onset = self.position;
        for sound in self.sounds.iter().rev() {
            if onset.saturating_sub(sound.end) >= PAUSE_SAMPLES {
                break;
            }
            onset = sound.start;
        }
        onset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SILENT_FRAME;
    use crate::caller::tests_support::{silence, speech};

    fn hear(hearing: Hearing, sound: &[u8]) -> Ears {
        let mut ears = Ears::new(hearing);
        for chunk in sound.chunks(FRAME_BYTES) {
            let mut frame = SILENT_FRAME;
            frame[..chunk.len()].copy_from_slice(chunk);
            ears.hear(&frame);
        }
        ears
    }

    #[test]
    fn words_and_the_exact_first_audible_sample_are_heard() {
        let sound = [silence(300), speech("one moment"), silence(1_000)].concat();
        let ears = hear(Hearing::Words, &sound);
        let [segment] = ears.segments() else { panic!("{ears:?}") };
        assert_eq!(segment.text, "one moment");
        assert!(segment.complete, "{segment:?}");
        assert!(segment.onset.abs_diff(ms(300)) <= ms(5), "{segment:?}");
        assert!(ears.flags().is_empty(), "{:?}", ears.flags());
    }

    #[test]
    fn two_pieces_of_speech_without_a_pause_between_them_are_two_segments() {
        let (first, second) = (speech("one moment"), speech("the house is free"));
        let sound = [silence(100), first.clone(), second, silence(1_000)].concat();
        let ears = hear(Hearing::Words, &sound);
        let texts: Vec<_> = ears.segments().iter().map(|segment| segment.text.as_str()).collect();
        assert_eq!(texts, ["one moment", "the house is free"]);
        let boundary = ms(100) + first.len() as u64;
        assert!(ears.segments()[1].onset.abs_diff(boundary) <= ms(30), "{:?} {boundary}", ears.segments());
    }

    #[test]
    fn a_click_and_wordless_noise_are_no_answer() {
        let mut click = silence(500);
        click[1_000..1_040].fill(0x00);
        let tone: Vec<u8> = (0..8_000)
            .map(|n| g711::mulaw_from_linear(((f64::from(n) * 0.3).sin() * 2_000.0) as i16))
            .collect();
        let sound = [click, silence(500), tone, silence(500)].concat();
        assert!(hear(Hearing::Words, &sound).segments().is_empty());
        let by_energy = hear(Hearing::Energy, &sound);
        let [segment] = by_energy.segments() else { panic!("{by_energy:?}") };
        assert!(segment.onset.abs_diff(ms(1_000)) <= ms(5), "{segment:?}");
        assert!(segment.end.abs_diff(ms(2_000)) <= ms(10), "{segment:?}");
    }

    #[test]
    fn sound_without_words_is_no_speech_once_a_word_would_have_come() {
        let tone = |millis: usize| -> Vec<u8> {
            (0..millis * 8)
                .map(|n| g711::mulaw_from_linear(((n as f64 * 0.3).sin() * 2_000.0) as i16))
                .collect()
        };
        let spoken = [silence(100), speech("one moment"), silence(300)].concat();
        let after = |millis| {
            let ears = hear(Hearing::Words, &[spoken.clone(), tone(millis)].concat());
            (ears.nobody_spoke_for() / 8, ears.silent_for() / 8)
        };
        assert!(after(400).0 < 20, "this may be a word");
        let (nobody_spoke, silent) = after(1_600);
        assert!(nobody_spoke >= 1_900 && silent < 20, "{nobody_spoke} {silent}");
        let going_on =
            hear(Hearing::Words, &[silence(100), speech("the garden is large")[..8_000].to_vec()].concat());
        assert!(going_on.nobody_spoke_for() / 8 < 20, "somebody speaks");
    }

    #[test]
    fn speech_that_is_cut_off_stays_incomplete_and_what_follows_is_another_segment() {
        let long = speech("the garden is large and the kitchen is new");
        let cut = &long[..long.len() / 2];
        let sound = [silence(100), cut.to_vec(), silence(1_500), speech("yes"), silence(500)].concat();
        let ears = hear(Hearing::Words, &sound);
        let [first, second] = ears.segments() else { panic!("{ears:?}") };
        assert!(!first.complete);
        assert!("the garden is large and the kitchen is new".starts_with(&first.text), "{first:?}");
        assert!(!first.text.is_empty());
        assert_eq!(second.text, "yes");
        assert!(!ears.flags().is_empty(), "a cut is noticed");
    }
}
