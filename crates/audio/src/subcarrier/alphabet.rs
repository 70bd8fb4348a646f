//! The alphabet: what text becomes before it is sent, and the codes it is sent as.

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
/// `@` become words, everything else separates. A transcript is compared with the normalised text, never with the raw
/// one. Normalising twice changes nothing.
pub fn normalise_text(text: &str) -> String {
    let characters: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let is_digit = |index: Option<usize>| {
        index.and_then(|index| characters.get(index)).is_some_and(char::is_ascii_digit)
    };
    let mut spelled = String::with_capacity(text.len());
    for (index, &character) in characters.iter().enumerate() {
        let between_digits = is_digit(index.checked_sub(1)) && is_digit(index.checked_add(1));
        match character {
            'a'..='z' | '0'..='9' | '\'' => spelled.push(character),
            '\u{2019}' => spelled.push('\''),
            ',' if between_digits => {}
            '.' if between_digits => spelled.push_str(" point "),
            '&' => spelled.push_str(" and "),
            '%' => spelled.push_str(" percent "),
            '@' => spelled.push_str(" at "),
            // Accents that travel as characters of their own (decomposed text).
            '\u{300}'..='\u{36f}' => {}
            other => spelled.push_str(without_accent(other)),
        }
    }
    let mut normal = String::with_capacity(spelled.len());
    for token in spelled.split(' ') {
        let mut rest = token;
        while !rest.is_empty() {
            // All characters are ASCII here, so bytes are characters.
            let (piece, tail) = rest.split_at(rest.len().min(MAX_WORD_CHARS));
            let word = piece.trim_matches('\'');
            if !word.is_empty() {
                if !normal.is_empty() {
                    normal.push(' ');
                }
                normal.push_str(word);
            }
            rest = tail;
        }
    }
    normal
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
            ("日本", ""),
        ] {
            assert_eq!(normalise_text(raw), normal);
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
