//! The alphabet: what text becomes before it is sent, and the codes it is sent as.

use std::borrow::Cow;

pub(super) const FILL: u8 = 0;
pub(super) const SPACE: u8 = 27;
pub(super) const APOSTROPHE: u8 = 28;
/// The next code is a digit; never split over packets.
pub(super) const ESCAPE: u8 = 29;
/// First code of an utterance.
pub(super) const START: u8 = 30;
/// First code of an utterance's last packet; the other two are its check codes.
pub(super) const END: u8 = 31;

/// Longer words are cut in pieces of so many characters, which bounds what a decoder has to hold.
pub(super) const MAX_WORD_CHARS: usize = 48;

/// What the sub-carrier can say of a text: words of `a-z`, `0-9` and inner apostrophes, single spaces between.
///
/// Accents are dropped (`é` is `e`), a decimal point becomes the word, a thousands separator vanishes, `&`, `%` and
/// `@` become words, letters of other scripts are spelled (see [`written`]), everything else separates. A transcript is
/// compared with the normalised text, never with the raw one. Normalising twice changes nothing.
pub fn normalise_text(text: &str) -> String {
    let characters: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let is_digit = |index: Option<usize>| {
        index.and_then(|index| characters.get(index)).is_some_and(char::is_ascii_digit)
    };
    let mut spelled = String::with_capacity(text.len());
    // Letters of another script that make up one word so far.
    let mut foreign = String::new();
    for (index, &character) in characters.iter().enumerate() {
        if is_foreign(character) {
            foreign.push(character);
            if is_written_without_spaces(character) || foreign.chars().count() == MAX_SPELLED_CHARS {
                spell(&mut foreign, &mut spelled);
            }
            continue;
        }
        let between_digits = is_digit(index.checked_sub(1)) && is_digit(index.checked_add(1));
        let says = match character {
            // Accents that travel as characters of their own (decomposed text).
            '\u{300}'..='\u{36f}' => continue,
            'a'..='z' | '0'..='9' | '\'' => None,
            '\u{2019}' => Some("'"),
            ',' if between_digits => Some(""),
            '.' if between_digits => Some(" point "),
            '&' => Some(" and "),
            '%' => Some(" percent "),
            '@' => Some(" at "),
            other => Some(without_accent(other)),
        };
        spell(&mut foreign, &mut spelled);
        match says {
            Some(says) => spelled.push_str(says),
            None => spelled.push(character),
        }
    }
    spell(&mut foreign, &mut spelled);
    let mut normal = String::with_capacity(spelled.len());
    for token in spelled.split(' ') {
        if unspelled(token).is_some() {
            push_word(token, &mut normal);
            continue;
        }
        // Two apostrophes in a row are the mark of a spelled word.
        let mut token = token.to_owned();
        while token.contains("''") {
            token = token.split("''").filter(|part| !part.is_empty()).collect::<Vec<_>>().join("'");
        }
        let mut rest = token.as_str();
        while !rest.is_empty() {
            // All characters are ASCII here, so bytes are characters.
            let (piece, tail) = rest.split_at(rest.len().min(MAX_WORD_CHARS));
            push_word(piece.trim_matches('\''), &mut normal);
            rest = tail;
        }
    }
    normal
}

/// Normalised text as people write it: spelled words become the letters they spell.
///
/// A letter of a script other than Latin is spelled as four of `a-z`: its code point in base 26. A spelled word is one
/// such letter, or up to eleven of them where the script has spaces between its words, with two apostrophes behind the
/// second letter as its mark. A Chinese character is therefore a word of six codes: at 30 codes a second there is room
/// for four a second, with the spaces between.
pub fn written(normal: &str) -> String {
    let words: Vec<Cow<'_, str>> =
        normal.split(' ').map(|word| unspelled(word).map_or(Cow::Borrowed(word), Cow::Owned)).collect();
    in_a_row(words.iter().map(AsRef::as_ref))
}

/// Written words as a text: with spaces between, but for scripts that have none.
pub fn in_a_row<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() && has_space_between(&text, word) {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Whether a space comes between a text and the word that follows it.
pub fn has_space_between(text: &str, next: &str) -> bool {
    let dense = |character: Option<char>| character.is_some_and(is_written_without_spaces);
    !(dense(text.chars().next_back()) && dense(next.chars().next()))
}

/// Whether a script has no spaces between words: each of its letters is sent as a word.
pub fn is_written_without_spaces(character: char) -> bool {
    matches!(
        u32::from(character),
        0x0E00..=0x0EFF // Thai, Lao
        | 0x1000..=0x109F // Burmese
        | 0x1780..=0x17FF // Khmer
        | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x31F0..=0x31FF // Japanese
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_23AF // Chinese characters
    )
}

/// Letters a spelled letter takes: 26^4 code points are all that are assigned to letters.
const SPELLING: usize = 4;
/// So many fit into a word with their mark.
const MAX_SPELLED_CHARS: usize = (MAX_WORD_CHARS - SPELLING_MARK.len()) / SPELLING;
const SPELLING_MARK: &str = "''";
/// The mark is behind so many letters: apostrophes at either end would be taken for quotation marks.
const MARK_AT: usize = 2;

/// Whether this is a letter or digit that has no Latin one to stand for it.
fn is_foreign(character: char) -> bool {
    character.is_alphanumeric()
        && !character.is_ascii()
        && without_accent(character) == " "
        && u32::from(character) < 26u32.pow(SPELLING as u32)
}

/// Moves letters of another script to the text, as a word of their own.
fn spell(foreign: &mut String, text: &mut String) {
    if foreign.is_empty() {
        return;
    }
    let mut letters = String::with_capacity(MAX_WORD_CHARS);
    for character in foreign.drain(..) {
        let code_point = u32::from(character);
        let digits = [26 * 26 * 26, 26 * 26, 26, 1].map(|place| (code_point / place % 26) as u8);
        letters.extend(digits.map(|digit| char::from(b'a' + digit)));
    }
    letters.insert_str(MARK_AT, SPELLING_MARK);
    text.push(' ');
    text.push_str(&letters);
    text.push(' ');
}

/// What a spelled word spells; nothing if it is not one, or not one that [`spell`] makes.
fn unspelled(word: &str) -> Option<String> {
    let (head, tail) = word.split_at_checked(MARK_AT)?;
    let letters = [head, tail.strip_prefix(SPELLING_MARK)?].concat().into_bytes();
    if !letters.len().is_multiple_of(SPELLING) || !letters.iter().all(u8::is_ascii_lowercase) {
        return None;
    }
    let code_point = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 26 + u32::from(digit - b'a'));
    let characters: String =
        letters.chunks(SPELLING).map(|digits| char::from_u32(code_point(digits))).collect::<Option<_>>()?;
    let sent = |character: char| is_foreign(character) && character.to_lowercase().eq([character]);
    let count = characters.chars().count();
    let whole = count == 1 || !characters.chars().any(is_written_without_spaces);
    (whole && count <= MAX_SPELLED_CHARS && characters.chars().all(sent)).then_some(characters)
}

fn push_word(word: &str, normal: &mut String) {
    if word.is_empty() {
        return;
    }
    if !normal.is_empty() {
        normal.push(' ');
    }
    normal.push_str(word);
}

/// Appends the codes of one character of normalised text: one code, or an escaped digit's two.
pub(super) fn codes_of(character: char) -> ([u8; 2], usize) {
    match character {
        'a'..='z' => ([character as u8 - b'a' + 1, FILL], 1),
        '0'..='9' => ([ESCAPE, character as u8 - b'0'], 2),
        '\'' => ([APOSTROPHE, FILL], 1),
        _ => ([SPACE, FILL], 1),
    }
}

/// The letter or apostrophe of a code.
pub(super) fn letter_of(code: u8) -> Option<char> {
    match code {
        1..=26 => Some((b'a' + code - 1) as char),
        APOSTROPHE => Some('\''),
        _ => None,
    }
}

/// Running check over an utterance's text codes: CRC-10, generator 0x233, most significant bit first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextCheck(u16);

impl TextCheck {
    pub(super) const fn new() -> Self {
        Self(0x3FF)
    }

    pub(super) const fn add(&mut self, code: u8) {
        let mut bit = 5;
        while bit > 0 {
            bit -= 1;
            let feedback = (self.0 >> 9) ^ ((code as u16 >> bit) & 1);
            self.0 = (self.0 << 1) & 0x3FF;
            if feedback & 1 == 1 {
                self.0 ^= 0x233;
            }
        }
    }

    /// The two codes that follow END.
    pub(super) const fn codes(self) -> [u8; 2] {
        [(self.0 >> 5) as u8, (self.0 & 0x1F) as u8]
    }
}

fn without_accent(character: char) -> &'static str {
    match character {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ß' => "ss",
        'ś' | 'ş' | 'š' => "s",
        'ť' | 'þ' => "t",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => " ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_reduced_to_what_can_be_sent() {
        for (raw, normal) in [
            ("Hello, World!", "hello world"),
            ("I'm at 12 O\u{2019}Neil St.", "i'm at 12 o'neil st"),
            ("under $450,000, please", "under 450000 please"),
            ("2.5 baths & 10% down", "2 point 5 baths and 10 percent down"),
            ("10:30 a.m.", "10 30 a m"),
            ("señora Müller-Weiß", "senora muller weiss"),
            ("cafe\u{301}", "cafe"),
            ("'quoted' -- ''", "quoted"),
            ("3. Next", "3 next"),
            ("  \n\t ", ""),
            ("two ''quoted'' a''b words", "two quoted a'b words"),
            ("¿Cuánto cuesta el piso?", "cuanto cuesta el piso"),
            ("日本，3 个", "bm''ph bn''bw 3 bd''pq"),
        ] {
            assert_eq!(normalise_text(raw), normal);
        }
    }

    #[test]
    fn letters_of_other_scripts_are_spelled_and_can_be_written_again() {
        for (raw, again) in [
            ("您好，我想看房子。", "您好我想看房子"),
            ("Maple街12号", "maple 街 12 号"),
            ("Приве\u{301}т, мир", "привет мир"),
            ("достопримечательности", "достопримеч ательности"),
            ("𠮷野家 こんにちは", "𠮷野家こんにちは"),
            ("안녕하세요 there", "안녕하세요 there"),
            ("plain words only", "plain words only"),
        ] {
            let normal = normalise_text(raw);
            assert_eq!(written(&normal), again, "{normal}");
            assert_eq!(normalise_text(&normal), normal);
            assert_eq!(normalise_text(&written(&normal)), normal);
        }
    }

    #[test]
    fn words_have_spaces_between_but_for_scripts_without() {
        for (words, text) in [
            (&["two", "bedrooms"][..], "two bedrooms"),
            (&["您", "好"], "您好"),
            (&["我", "要", "3", "个", "房", "间", "in", "riverside"], "我要 3 个房间 in riverside"),
            (&[], ""),
        ] {
            assert_eq!(in_a_row(words.iter().copied()), text);
        }
    }

    #[test]
    fn what_only_looks_spelled_is_not_taken_for_it() {
        for word in ["ab'cd", "aa''cd", "zz''zz", "a''bcd", "ab''c", "''", "we'll", "ab''cd'"] {
            assert_eq!(unspelled(word), None, "{word}");
        }
    }

    #[test]
    fn a_word_beyond_the_limit_is_cut_in_pieces() {
        let normal = normalise_text(&"x".repeat(100));
        assert_eq!(normal.split(' ').map(str::len).collect::<Vec<_>>(), [48, 48, 4]);
    }

    #[test]
    fn letters_and_codes_are_inverse() {
        for character in ('a'..='z').chain(['\'']) {
            assert_eq!(letter_of(codes_of(character).0[0]), Some(character));
        }
        assert!([FILL, SPACE, ESCAPE, START, END].into_iter().all(|code| letter_of(code).is_none()));
    }

    #[test]
    fn the_check_notices_swapped_missing_and_repeated_codes() {
        let of = |codes: &[u8]| {
            let mut check = TextCheck::new();
            for &code in codes {
                check.add(code);
            }
            check.codes()
        };
        let whole = of(&[8, 5, 12, 12, 15]);
        for changed in [&[8, 12, 5, 12, 15][..], &[8, 5, 12, 15], &[8, 5, 12, 12, 15, 15], &[]] {
            assert_ne!(of(changed), whole);
        }
    }

    #[test]
    fn of_a_row_of_apostrophes_one_is_left() {
        assert_eq!(normalise_text("A'''a rock ''n'' roll ''"), "a'a rock n roll");
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in ".{0,120}") {
            let once = normalise_text(&text);
            prop_assert_eq!(normalise_text(&once), once.clone());
            prop_assert!(once.split(' ').all(|word| word.len() <= MAX_WORD_CHARS));
            let clean = once.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '\'' | ' '));
            prop_assert!(clean);
        }
    }
}
