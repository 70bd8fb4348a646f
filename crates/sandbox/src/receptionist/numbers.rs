//! Numbers as people say them, and back.

use super::tokens::Tokens;

const UNITS: [&str; 20] = [
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
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];
/// No number of a conversation about homes is larger.
const LARGEST: u64 = 1_000_000_000;

/// A whole number in English words, as a voice should say it: `450_000` is "four hundred fifty thousand".
pub fn number_to_words(number: u64) -> String {
    let mut rest = number;
    let mut words: Vec<String> = Vec::new();
    for (size, name) in [
        (1_000_000_000_000, "trillion"),
        (1_000_000_000, "billion"),
        (1_000_000, "million"),
        (1_000, "thousand"),
    ] {
        if rest >= size {
            words.push(number_to_words(rest / size));
            words.push(name.to_owned());
            rest %= size;
        }
    }
    if rest >= 100 {
        words.push(UNITS[(rest / 100) as usize].to_owned());
        words.push("hundred".to_owned());
        rest %= 100;
    }
    if rest > 0 || words.is_empty() {
        words.push(below_hundred(rest));
    }
    words.join(" ")
}

/// A day of a month, "twenty eighth".
pub(super) fn ordinal_to_words(number: u64) -> String {
    if let Some(word) = ORDINALS.get(number as usize) {
        return (*word).to_owned();
    }
    match (number / 10, number % 10) {
        (2, 0) => "twentieth".to_owned(),
        (3, 0) => "thirtieth".to_owned(),
        (tens @ 2..=9, unit) if unit > 0 => {
            format!("{} {}", TENS[tens as usize - 2], ORDINALS[unit as usize])
        }
        _ => number_to_words(number),
    }
}

/// A house number as people say it: 12 is "twelve", 1204 "twelve oh four", 1250 "twelve fifty", 1200 "twelve hundred".
pub(super) fn house_number_to_words(number: u64) -> String {
    match number {
        0..=100 => number_to_words(number),
        101..=9_999 => {
            let (high, low) = (number / 100, number % 100);
            match low {
                0 if !high.is_multiple_of(10) => format!("{} hundred", below_hundred(high)),
                0 => number_to_words(number),
                1..=9 => format!("{} oh {}", below_hundred(high), below_hundred(low)),
                _ => format!("{} {}", below_hundred(high), below_hundred(low)),
            }
        }
        _ => number
            .to_string()
            .bytes()
            .map(|digit| UNITS[usize::from(digit - b'0')])
            .collect::<Vec<_>>()
            .join(" "),
    }
}

fn below_hundred(number: u64) -> String {
    if let Some(word) = UNITS.get(number as usize) {
        return (*word).to_owned();
    }
    let tens = TENS[(number / 10 - 2).min(7) as usize];
    match number % 10 {
        0 => tens.to_owned(),
        unit => format!("{tens} {}", UNITS[unit as usize]),
    }
}

/// One digit, as in a telephone number.
pub(super) fn digit_word(word: &str) -> Option<u64> {
    match word {
        "oh" | "o" | "nought" => Some(0),
        _ => UNITS[..10].iter().position(|unit| *unit == word).map(|value| value as u64),
    }
}

/// A number below one hundred that starts here, and how many words it has.
pub(super) fn small_at(tokens: &Tokens, at: usize) -> Option<(u64, usize)> {
    let word = tokens.free(at)?;
    if let Some(value) = UNITS.iter().position(|unit| *unit == word) {
        return Some((value as u64, 1));
    }
    if let Some(tens) = TENS.iter().position(|tens| *tens == word) {
        let value = (tens as u64 + 2) * 10;
        return match tokens.free(at + 1).and_then(|next| UNITS[..10].iter().position(|unit| *unit == next)) {
            Some(unit) if unit > 0 => Some((value + unit as u64, 2)),
            Some(_) | None => Some((value, 1)),
        };
    }
    (word.len() <= 2).then(|| word.parse().ok()).flatten().map(|value| (value, 1))
}

/// A day of a month that starts here ("28th", "twenty eighth"), and how many words it has.
pub(super) fn ordinal_at(tokens: &Tokens, at: usize) -> Option<(u64, usize)> {
    let word = tokens.free(at)?;
    if let Some(value) = ORDINALS.iter().position(|ordinal| *ordinal == word).filter(|value| *value > 0) {
        return Some((value as u64, 1));
    }
    match word {
        "twentieth" => return Some((20, 1)),
        "thirtieth" => return Some((30, 1)),
        "twenty" | "thirty" => {
            let next = tokens.free(at + 1)?;
            let unit = ORDINALS[1..10].iter().position(|ordinal| *ordinal == next)? as u64 + 1;
            return Some((if word == "twenty" { 20 } else { 30 } + unit, 2));
        }
        _ => {}
    }
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|suffix| word.strip_suffix(suffix))?;
    digits.parse().ok().filter(|value| (1..=31).contains(value)).map(|value| (value, 1))
}

/// A number in full grammar that starts here ("four hundred and fifty thousand", "450 k"), and how many words it has.
pub(super) fn cardinal_at(tokens: &Tokens, start: usize) -> Option<(u64, usize)> {
    let mut at = start;
    let (mut total, mut group) = (0_u64, 0_u64);
    // Whether a number below one hundred may come next: at the start, after "hundred" and after "thousand".
    let mut open = true;
    while let Some(word) = tokens.free(at) {
        match word {
            "hundred" if (1..100).contains(&group) => (group, open) = (group * 100, true),
            "thousand" | "grand" | "k" if group > 0 => {
                (total, group, open) = (total + group * 1_000, 0, true);
            }
            "million" | "m" if group > 0 && total == 0 => (total, group, open) = (group * 1_000_000, 0, true),
            "a" | "an"
                if at == start && matches!(tokens.free(at + 1), Some("hundred" | "thousand" | "million")) =>
            {
                group = 1;
            }
            "and" if open && at > start && small_at(tokens, at + 1).is_some() => {}
            _ => {
                let (value, length) = if let Some(small) = small_at(tokens, at).filter(|_| open) {
                    small
                } else if let Some(digits) = digits(word).filter(|_| open && group == 0) {
                    (digits, 1)
                } else if word.len() == 3 && (1..1_000).contains(&group) && tokens.before(at).len() <= 3 {
                    // "450 000": a thousands separator that speech recognition turned into a space.
                    let Some(thousands) = digits(word).filter(|_| digits_only(tokens.before(at))) else {
                        break;
                    };
                    (total, group) = (total + group * 1_000, 0);
                    (thousands, 1)
                } else {
                    break;
                };
                (group, open) = (group + value, false);
                at += length;
                continue;
            }
        }
        at += 1;
        if total > LARGEST || group > LARGEST {
            return None;
        }
    }
    (at > start && (total + group > 0 || tokens.word(start) == "zero")).then_some((total + group, at - start))
}

fn digits_only(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn digits(word: &str) -> Option<u64> {
    (digits_only(word) && word.len() <= 9).then(|| word.parse().ok()).flatten()
}

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    /// As said; "four fifty" is 450.
    pub(super) value: u64,
    /// Said in a way that leaves no doubt: with dollars, thousands or millions.
    pub(super) exact: bool,
    /// Per month.
    pub(super) monthly: bool,
}

impl Amount {
    /// Whole dollars: a bare "four fifty" means thousands unless the talk is of rent.
    pub(super) fn dollars(self, rent: bool) -> u64 {
        let thousands = !self.exact && !self.monthly && !rent && (20..5_000).contains(&self.value);
        if thousands { self.value * 1_000 } else { self.value }
    }
}

/// An amount of money that starts here, and how many words it has. The caller of this decides whether a bare number is
/// meant as money at all.
pub(super) fn amount_at(tokens: &Tokens, start: usize) -> Option<(Amount, usize)> {
    let sign = usize::from(tokens.free(start) == Some("$"));
    let from = start + sign;
    let (value, length) = fraction_at(tokens, from).or_else(|| plain_at(tokens, from))?;
    let mut end = from + length;
    let scaled =
        (from..end).any(|at| matches!(tokens.word(at), "thousand" | "grand" | "k" | "million" | "m"));
    let mut exact = sign > 0 || scaled || value >= 5_000;
    if matches!(tokens.free(end), Some("dollars" | "dollar" | "bucks" | "usd")) {
        exact = true;
        end += 1;
    }
    let mut monthly = false;
    if let Some(length) = tokens.any_at(end, "a month, per month, each month, every month, monthly") {
        monthly = true;
        end += length;
    }
    Some((Amount { value, exact, monthly }, end - start))
}

/// "half a million", "one point two million", "one and a half million", "a million and a half".
fn fraction_at(tokens: &Tokens, at: usize) -> Option<(u64, usize)> {
    const FIXED: [(&str, u64); 7] = [
        ("three quarters of a million", 750_000),
        ("a quarter of a million", 250_000),
        ("quarter of a million", 250_000),
        ("a quarter million", 250_000),
        ("quarter million", 250_000),
        ("half a million", 500_000),
        ("half million", 500_000),
    ];
    for (phrase, value) in FIXED {
        if let Some(length) = tokens.phrase_at(at, phrase).filter(|length| tokens.all_free(at..at + length)) {
            return Some((value, length));
        }
    }
    let scale = |word: &str| match word {
        "million" | "m" => Some(1_000_000),
        "thousand" | "k" | "grand" => Some(1_000),
        _ => None,
    };
    // "1.25 million" in digits.
    if let Some((whole, decimals)) = tokens.free(at).and_then(|word| word.split_once('.')) {
        let size = scale(tokens.word(at + 1))?;
        return Some((digits(whole)? * size + decimal_part(decimals, size)?, 2));
    }
    let (whole, length) = small_at(tokens, at).or_else(|| (tokens.word(at) == "a").then_some((1, 1)))?;
    let next = at + length;
    if tokens.word(next) == "point" {
        let mut end = next + 1;
        let mut decimals = String::new();
        while let Some((value, length)) = small_at(tokens, end).filter(|_| decimals.len() < 6) {
            decimals.push_str(&value.to_string());
            end += length;
        }
        let size = scale(tokens.word(end))?;
        return Some((whole * size + decimal_part(&decimals, size)?, end + 1 - at));
    }
    if let Some(half) = tokens.phrase_at(next, "and a half") {
        let size = scale(tokens.word(next + half))?;
        return Some((whole * size + size / 2, length + half + 1));
    }
    let size = scale(tokens.word(next))?;
    let half = tokens.phrase_at(next + 1, "and a half")?;
    Some((whole * size + size / 2, length + 1 + half))
}

fn decimal_part(decimals: &str, size: u64) -> Option<u64> {
    let places = u32::try_from(decimals.len()).ok().filter(|places| (1..=6).contains(places))?;
    Some(digits(decimals)? * size / 10_u64.pow(places))
}

/// A plain number, or two spoken as one: "four fifty", "twelve hundred", "twenty one fifty".
fn plain_at(tokens: &Tokens, at: usize) -> Option<(u64, usize)> {
    let (value, length) = cardinal_at(tokens, at)?;
    if (1..100).contains(&value)
        && let Some((low, low_length)) = small_at(tokens, at + length).filter(|(low, _)| *low >= 10)
    {
        let paired = value * 100 + low;
        let next = at + length + low_length;
        return match tokens.free(next) {
            Some("thousand" | "grand" | "k") => Some((paired * 1_000, length + low_length + 1)),
            Some(_) | None => Some((paired, length + low_length)),
        };
    }
    Some((value, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_said() {
        for (number, words) in [
            (0, "zero"),
            (13, "thirteen"),
            (28, "twenty eight"),
            (100, "one hundred"),
            (435_000, "four hundred thirty five thousand"),
            (2_125, "two thousand one hundred twenty five"),
            (1_250_000, "one million two hundred fifty thousand"),
        ] {
            assert_eq!(number_to_words(number), words);
        }
        assert!(number_to_words(u64::MAX).starts_with("eighteen million four hundred"));
        assert_eq!(
            [12, 107, 1_204, 1_250, 1_200, 2_000, 12_345].map(house_number_to_words).join(", "),
            "twelve, one oh seven, twelve oh four, twelve fifty, twelve hundred, two thousand, one two three four five"
        );
        assert_eq!(
            [1, 12, 20, 21, 30, 31].map(ordinal_to_words).join(" "),
            "first twelfth twentieth twenty first thirtieth thirty first"
        );
    }

    #[test]
    fn every_number_that_is_said_is_understood_again() {
        for number in (0..2_000).chain((2_000..1_000_000).step_by(997)).chain([999_999_999]) {
            let words = number_to_words(number);
            let tokens = Tokens::new(&words);
            assert_eq!(cardinal_at(&tokens, 0), Some((number, tokens.len())), "{words}");
        }
    }

    #[test]
    fn amounts_are_understood_in_many_forms() {
        for (said, dollars) in [
            ("four hundred and fifty thousand dollars", 450_000),
            ("four hundred fifty thousand", 450_000),
            ("four fifty", 450_000),
            ("four hundred", 400_000),
            ("three fifty k", 350_000),
            ("450k", 450_000),
            ("$450,000", 450_000),
            ("450 000", 450_000),
            ("450000", 450_000),
            ("half a million", 500_000),
            ("one point two five million", 1_250_000),
            ("1.2 million", 1_200_000),
            ("a million and a half", 1_500_000),
            ("one and a half million", 1_500_000),
            ("two thousand a month", 2_000),
            ("twenty one hundred dollars", 2_100),
        ] {
            let tokens = Tokens::new(said);
            let (amount, length) = amount_at(&tokens, 0).unwrap_or_else(|| panic!("{said}"));
            assert_eq!((amount.dollars(false), length), (dollars, tokens.len()), "{said}");
        }
        let rent = Tokens::new("eighteen hundred");
        assert_eq!(amount_at(&rent, 0).unwrap().0.dollars(true), 1_800);
    }
}
