//! Chinese (Mandarin). Numbers stand without spaces in the text, so it is read character by character.

use super::{Token, digit_by_digit, token::Scale};

const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

pub(super) fn say(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() || (matches!(c, '$' | '+' | '#') && starts_number(&rest[1..])) {
            let length = rest
                .char_indices()
                .find(|(_, c)| !(c.is_ascii_digit() || "$+#.,:/-%kKM".contains(*c)))
                .map_or(rest.len(), |(at, _)| at);
            let written = rest[..length].trim_end_matches(['.', ',', ':', '-', '/']);
            rest = &rest[written.len()..];
            said.push_str(&number(written, rest));
        } else {
            said.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    said
}

fn starts_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn number(written: &str, after: &str) -> String {
    let after = after.trim_start();
    match Token::read(written, '.') {
        // "两" counts things; as a digit, in dates and in numbers it is "二".
        Token::Whole(2) if !after.is_empty() && !after.starts_with(['月', '日', '号', '。', '，']) => {
            "两".to_owned()
        }
        Token::Whole(n) => cardinal(n),
        Token::Decimal(whole, fraction) => decimal(whole, fraction),
        Token::Dollars { whole, fraction, scale } => {
            let factor = match scale {
                Scale::One => 1,
                Scale::Thousand => 1_000,
                Scale::Million => 1_000_000,
            };
            if fraction.is_empty() || fraction == "00" {
                format!("{}美元", cardinal(whole.saturating_mul(factor)))
            } else if factor == 1 {
                format!("{}美元", decimal(whole, fraction))
            } else {
                // "$1.2M" is said as 1,200,000; what is less than a dollar of it is not said.
                let (value, parts) = fraction
                    .bytes()
                    .take(6)
                    .fold((0, 1), |(value, parts), digit| (value * 10 + u64::from(digit - b'0'), parts * 10));
                let dollars = whole.saturating_mul(factor).saturating_add(value * factor / parts);
                format!("{}美元", cardinal(dollars))
            }
        }
        Token::Time { hour, minute, .. } => {
            let hour = if hour == 2 { "两".to_owned() } else { cardinal(hour) };
            match minute {
                0 => format!("{hour}点"),
                30 => format!("{hour}点半"),
                1..=9 => format!("{hour}点零{}分", cardinal(minute)),
                minute => format!("{hour}点{}分", cardinal(minute)),
            }
        }
        Token::Date { month, day } | Token::Slashed(month @ 1..=12, day @ 1..=31) => {
            format!("{}月{}日", cardinal(month), cardinal(day))
        }
        Token::Slashed(a, b) => format!("{}分之{}", cardinal(b), cardinal(a)),
        Token::Percent(whole, "") => format!("百分之{}", cardinal(whole)),
        Token::Percent(whole, fraction) => format!("百分之{}", decimal(whole, fraction)),
        Token::Range(from, to) => format!("{}到{}", cardinal(from), cardinal(to)),
        Token::Phone(digits) => digit_by_digit(digits, DIGITS).replace(' ', "").replace(',', "，"),
        Token::Number(n) | Token::Ordinal(n) => format!("{}号", cardinal(n)),
        Token::Hour { hour, .. } => format!("{}点", cardinal(hour)),
        Token::Email(text) | Token::Text(text) => text.to_owned(),
    }
}

fn decimal(whole: u64, fraction: &str) -> String {
    let digits: String = fraction.bytes().map(|b| DIGITS[usize::from(b - b'0')]).collect();
    format!("{}点{digits}", cardinal(whole))
}

fn cardinal(n: u64) -> String {
    match n {
        0 => "零".to_owned(),
        10..=19 => format!("十{}", if n == 10 { String::new() } else { cardinal(n - 10) }),
        // Nobody says numbers of this size: a reference or a mistake, read out digit by digit.
        1_000_000_000_000.. => digit_by_digit(&n.to_string(), DIGITS).replace(' ', ""),
        _ => {
            let mut said = String::new();
            for (unit, name) in [(100_000_000, "亿"), (10_000, "万")] {
                let count = n / unit % 10_000;
                if count > 0 {
                    said.push_str(&section(count, !said.is_empty()));
                    said.push_str(name);
                }
            }
            let rest = n % 10_000;
            if rest > 0 {
                said.push_str(&section(rest, !said.is_empty()));
            }
            said
        }
    }
}

/// Up to four digits; `inside` says whether higher digits came before.
fn section(n: u64, inside: bool) -> String {
    let mut said = String::new();
    let mut gap = inside && n < 1_000;
    for (unit, name) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = n / unit % 10;
        if digit == 0 {
            gap |= !said.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) {
            said.push('零');
        }
        // "十五", not "一十五", where nothing comes before.
        if !(unit == 10 && digit == 1 && said.is_empty() && !inside) {
            said.push_str(DIGITS[digit as usize]);
        }
        said.push_str(name);
    }
    said
}
