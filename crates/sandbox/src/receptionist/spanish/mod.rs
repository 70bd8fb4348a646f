//! Spanish: a smaller receptionist on the same machinery.

mod lexicon;
mod numbers;
mod phrases;

pub(super) use phrases::WORDS;

use super::gloss::{Lexicon, MAX_CHARS};
use std::sync::LazyLock;

static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(lexicon::LEXICON, |said| said.split(' ').count()));

/// What was said, as a gloss.
pub(super) fn gloss(text: &str) -> String {
    let said: Vec<String> = text
        .chars()
        .take(MAX_CHARS)
        .collect::<String>()
        .to_lowercase()
        .split_whitespace()
        .map(|word| word.trim_matches(['¿', '¡', ',', ';', '!', '?', '.', ':', '…', '"']).to_owned())
        .filter(|word| !word.is_empty())
        .collect();
    let folded: Vec<String> = said.iter().map(|word| fold(word)).collect();
    // Alone, these ask to hear it again; among other words they say nothing.
    if let [what] = folded.as_slice()
        && matches!(what.as_str(), "que" | "como")
    {
        return "say that again".to_owned();
    }
    let mut words: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < said.len() {
        let rest = &folded[at..];
        let after_number = words.last().is_some_and(|word| is_number(word));
        let (gloss, length) = match rest {
            // "Las tres menos cuarto" is a quarter to three.
            [menos, cuarto, ..] if menos == "menos" && cuarto == "cuarto" && after_number => {
                let hour = words.pop().unwrap_or_default();
                words.extend(["quarter", "to", hour]);
                ("", 2)
            }
            [y, media, ..] if y == "y" && media == "media" && after_number => ("thirty", 2),
            [y, cuarto, ..] if y == "y" && cuarto == "cuarto" && after_number => ("fifteen", 2),
            // "Treinta y cinco" is one number, "tres y dos habitaciones" are not.
            [y, next, ..]
                if y == "y"
                    && after_number
                    && LEXICON.longest_at(&[next], " ").is_some_and(|(word, _)| is_number(word)) =>
            {
                ("", 1)
            }
            [mil, ..] if mil == "mil" && !after_number => ("one thousand", 1),
            _ => LEXICON.longest_at(rest, " ").unwrap_or((said[at].as_str(), 1)),
        };
        // "Hola, buenos días" is one greeting.
        if gloss != "hello" || words.last() != Some(&"hello") {
            words.extend(gloss.split_whitespace());
        }
        at += length;
    }
    words.join(" ")
}

/// Without accents: recognisers write them or not.
fn fold(word: &str) -> String {
    let plain = word.chars().map(|char| match char {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' | 'ü' => 'u',
        'ñ' => 'n',
        other => other,
    });
    plain.collect()
}

/// Whether a gloss ends with a number, so that what follows may belong to it.
fn is_number(gloss: &str) -> bool {
    const WORDS: [&str; 31] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "hundred",
        "thousand",
        "million",
    ];
    gloss.rsplit(' ').next().is_some_and(|word| {
        WORDS.contains(&word) || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_becomes_a_gloss() {
        for (said, expected) in [
            (
                "Busco una casa de tres habitaciones en Riverside",
                "i'm looking for a house three bedrooms in riverside",
            ),
            ("por menos de cuatrocientos cincuenta mil dólares", "under four hundred fifty thousand dollars"),
            ("mañana a las dos y media de la tarde", "tomorrow at two thirty in the afternoon"),
            ("el viernes a las once menos cuarto", "friday at quarter to eleven"),
            ("treinta y cinco", "thirty five"),
            ("mil doscientos al mes", "one thousand two hundred a month"),
            ("Me llamo Ana López", "my name is ana lópez"),
            ("¿Es usted un robot?", "are you a robot"),
        ] {
            assert_eq!(gloss(said), expected, "{said}");
        }
    }
}
