//! Phone numbers as callers say them and models write them.

use crate::arguments::{Fields, Refusal};
use seiketsu_domain::PhoneNumber;

/// A number of fifteen digits said as words fits.
const MAX_CHARS: usize = 160;

/// An optional number. Without a country code it is taken for a North American one, as callers mean it here.
pub(crate) fn read(fields: &Fields, name: &str) -> Result<Option<PhoneNumber>, Refusal> {
    let Some(text) = fields.text(name, MAX_CHARS)? else { return Ok(None) };
    let written = if text.chars().any(char::is_alphabetic) { spoken(&text) } else { Some(text) };
    written.as_deref().and_then(parse).map(Some).ok_or_else(|| {
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

/// Digits said one by one, in the languages that agents speak: "plus one, five one two, double five". `None` if there is
/// a word that is no digit.
fn spoken(text: &str) -> Option<String> {
    let mut digits = String::new();
    let mut times = 1;
    for word in words(text) {
        match word.as_str() {
            "plus" | "más" | "mas" | "加" => digits.push('+'),
            "double" | "doble" => times = 2,
            "triple" => times = 3,
            word => {
                let said = if word.bytes().all(|byte| byte.is_ascii_digit()) {
                    word.to_owned()
                } else {
                    digit(word)?.to_string()
                };
                digits.extend(std::iter::repeat_n(said.as_str(), times));
                times = 1;
            }
        }
    }
    (times == 1).then_some(digits)
}

/// Words in lower case; a Chinese character is a word of its own.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in text.chars().flat_map(char::to_lowercase) {
        let ideograph = ('\u{4e00}'..='\u{9fff}').contains(&letter) || letter == '〇';
        if ideograph {
            words.push(letter.to_string());
            words.push(String::new());
        } else if letter == '+' {
            words.push("plus".to_owned());
            words.push(String::new());
        } else if letter.is_alphanumeric() {
            if let Some(word) = words.last_mut() {
                word.push(letter);
            }
        } else {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn digit(word: &str) -> Option<u8> {
    Some(match word {
        "zero" | "oh" | "o" | "cero" | "零" | "〇" => 0,
        "one" | "uno" | "一" | "幺" => 1,
        "two" | "dos" | "二" | "两" => 2,
        "three" | "tres" | "三" => 3,
        "four" | "cuatro" | "四" => 4,
        "five" | "cinco" | "五" => 5,
        "six" | "seis" | "六" => 6,
        "seven" | "siete" | "七" => 7,
        "eight" | "ocho" | "八" => 8,
        "nine" | "nueve" | "九" => 9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn understood(text: &str) -> Option<String> {
        let fields = Fields::parse(&json!({"phone": text}).to_string()).unwrap();
        read(&fields, "phone").ok().flatten().map(|number| number.as_str().to_owned())
    }

    #[test]
    fn a_number_is_understood_in_every_usual_form() {
        for written in [
            "+15125550142",
            "512-555-0142",
            "(512) 555 0142",
            "1 512 555 0142",
            "5125550142",
            "512.555.0142",
            "five one two, five five five, oh one four two",
            "Five one two triple five zero one four two",
            "one, five one two, 555 0142",
            "plus one five one two double five five 0142",
            "cinco uno dos, cinco cinco cinco, cero uno cuatro dos",
            "五一二五五五零幺四二",
        ] {
            assert_eq!(understood(written).as_deref(), Some("+15125550142"), "{written}");
        }
        assert_eq!(understood("+44 20 7946 0018").as_deref(), Some("+442079460018"));
    }

    #[test]
    fn what_lacks_digits_or_has_other_words_is_no_number() {
        for written in [
            "555 0142",
            "25125550142",
            "call me",
            "512-555-014x",
            "+",
            "+0512555",
            "+1 512 555 0142 0000 1",
            "five one two",
            "my number is five one two five five five zero one four two",
            "five one two five five five zero one four double",
        ] {
            assert_eq!(understood(written), None, "{written}");
        }
    }
}
