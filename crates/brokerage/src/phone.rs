//! Phone numbers as callers say them and models write them.

use crate::arguments::{Fields, Refusal};
use seiketsu_domain::PhoneNumber;

const MAX_CHARS: usize = 40;

/// An optional number. Without a country code it is taken for a North American one, as callers mean it here.
pub(crate) fn read(fields: &Fields, name: &str) -> Result<Option<PhoneNumber>, Refusal> {
    let Some(text) = fields.text(name, MAX_CHARS)? else { return Ok(None) };
    parse(&text).map(Some).ok_or_else(|| {
        Refusal::new(
            format!("{name} is not a phone number"),
            "ask the caller to repeat the number, and send all of its digits",
        )
    })
}

fn parse(text: &str) -> Option<PhoneNumber> {
    let international = text.starts_with('+');
    let punctuation = |letter: char| " -().+/".contains(letter);
    if !text.chars().all(|letter| letter.is_ascii_digit() || punctuation(letter)) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = match (international, digits.len()) {
        (true, _) => format!("+{digits}"),
        (false, 10) => format!("+1{digits}"),
        (false, 11) if digits.starts_with('1') => format!("+{digits}"),
        (false, _) => return None,
    };
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_understood_in_every_usual_form() {
        for written in
            ["+15125550142", "512-555-0142", "(512) 555 0142", "1 512 555 0142", "5125550142", "512.555.0142"]
        {
            assert_eq!(parse(written).unwrap().as_str(), "+15125550142", "{written}");
        }
        assert_eq!(parse("+44 20 7946 0018").unwrap().as_str(), "+442079460018");
    }

    #[test]
    fn what_lacks_digits_or_has_letters_is_no_number() {
        for written in
            ["555 0142", "25125550142", "call me", "512-555-014x", "+", "+0512555", "+1 512 555 0142 0000 1"]
        {
            assert_eq!(parse(written), None, "{written}");
        }
    }
}
