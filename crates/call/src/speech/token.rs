//! What may stand between two spaces, read the same way for every language that writes spaces.

/// A word of text with what surrounds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    /// Opening punctuation.
    pub before: &'a str,
    /// What is said.
    pub core: &'a str,
    /// Closing punctuation.
    pub after: &'a str,
}

/// What a word's core is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// `450,000`, `12`: a whole number as written, thousands separators gone.
    Whole(u64),
    /// `2.5`: whole part and the digits after the point.
    Decimal(u64, &'a str),
    /// `$450,000`, `$1.2M`, `$19.99`: amount, digits after the point, factor.
    Dollars { whole: u64, fraction: &'a str, scale: Scale },
    /// `10:30`.
    Time { hour: u64, minute: u64, half: Option<Half> },
    /// `9am`.
    Hour { hour: u64, half: Half },
    /// `2026-11-24`.
    Date { month: u64, day: u64 },
    /// `11/24`: which is the month depends on the language.
    Slashed(u64, u64),
    /// `24th`.
    Ordinal(u64),
    /// `5%`.
    Percent(u64, &'a str),
    /// `2-3`.
    Range(u64, u64),
    /// `512-555-0142`, `+15125550142`.
    Phone(&'a str),
    /// `#4`.
    Number(u64),
    /// `john@example.com`.
    Email(&'a str),
    /// Anything else.
    Text(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    One,
    Thousand,
    Million,
}

/// Before or after noon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
}

impl<'a> Word<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let opening = |c: char| matches!(c, '(' | '"' | '\'' | '¿' | '¡' | '[' | '“');
        let closing =
            |c: char| matches!(c, ')' | '"' | '\'' | ',' | ';' | ':' | '!' | '?' | ']' | '”' | '.' | '…');
        let core = text.trim_start_matches(opening);
        let before = &text[..text.len() - core.len()];
        let trimmed = core.trim_end_matches(closing);
        Self { before, core: trimmed, after: &core[trimmed.len()..] }
    }
}

impl<'a> Token<'a> {
    /// Reads the core of a word. `decimal` is the sign before a fraction, the other one separates thousands.
    pub(super) fn read(core: &'a str, decimal: char) -> Self {
        if core.contains('@') && core.contains('.') {
            return Self::Email(core);
        }
        if !core.contains(|c: char| c.is_ascii_digit()) {
            return Self::Text(core);
        }
        dollars(core, decimal)
            .or_else(|| percent(core, decimal))
            .or_else(|| time(core))
            .or_else(|| date(core))
            .or_else(|| phone(core))
            .or_else(|| range(core))
            .or_else(|| core.strip_prefix('#').and_then(whole_digits).map(Self::Number))
            .or_else(|| ordinal(core))
            .or_else(|| {
                number(core, decimal).map(|(whole, fraction)| match fraction {
                    "" => Self::Whole(whole),
                    fraction => Self::Decimal(whole, fraction),
                })
            })
            .unwrap_or(Self::Text(core))
    }
}

/// Digits alone, at most fifteen.
pub(super) fn whole_digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// A number with separators: its whole part, and the digits of its fraction.
fn number(text: &str, decimal: char) -> Option<(u64, &str)> {
    let separator = if decimal == '.' { ',' } else { '.' };
    let groups = |text: &str, sign: char| {
        let mut parts = text.split(sign);
        let first = parts.next().is_some_and(|part| (1..=3).contains(&part.len()));
        let rest: Vec<_> = parts.collect();
        first && !rest.is_empty() && rest.iter().all(|part| part.len() == 3 && whole_digits(part).is_some())
    };
    // "1,850" and "1.850" are thousands whatever the language: nobody says three digits after a point.
    for sign in [separator, decimal] {
        if groups(text, sign) && whole_digits(text.split(sign).next()?).is_some() {
            return whole_digits(&text.replace(sign, "")).map(|whole| (whole, ""));
        }
    }
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let whole = match whole {
        whole if groups(whole, separator) => whole_digits(&whole.replace(separator, ""))?,
        whole => whole_digits(whole)?,
    };
    (fraction.is_empty() || whole_digits(fraction).is_some())
        .then_some((whole, fraction))
        .filter(|_| !text.ends_with(['.', ',']))
        .or_else(|| long_with_fraction(text, separator, decimal))
}

/// "1,234.50": thousands and a fraction.
fn long_with_fraction(text: &str, separator: char, decimal: char) -> Option<(u64, &str)> {
    let (whole, fraction) = text.rsplit_once(decimal)?;
    whole_digits(fraction)?;
    Some((whole_digits(&whole.replace(separator, ""))?, fraction))
}

fn dollars(core: &str, decimal: char) -> Option<Token<'_>> {
    let amount = core.strip_prefix('$')?;
    let (amount, scale) = match amount.char_indices().next_back()? {
        (at, 'k' | 'K') => (&amount[..at], Scale::Thousand),
        (at, 'M' | 'm') => (&amount[..at], Scale::Million),
        _ => (amount, Scale::One),
    };
    let (whole, fraction) = match amount.rsplit_once(decimal) {
        // "$1,234.50"
        Some((whole, fraction)) if fraction.len() != 3 => {
            let separators: &[char] = &[',', '.'];
            (whole_digits(&whole.replace(separators, ""))?, fraction)
        }
        Some(_) | None => number(amount, decimal)?,
    };
    (fraction.is_empty() || whole_digits(fraction).is_some()).then_some(Token::Dollars {
        whole,
        fraction,
        scale,
    })
}

fn percent(core: &str, decimal: char) -> Option<Token<'_>> {
    let (whole, fraction) = number(core.strip_suffix('%')?, decimal)?;
    Some(Token::Percent(whole, fraction))
}

/// "am", "a.m", "PM" (a full stop at the end belongs to the punctuation around the word).
pub(super) fn half(text: &str) -> Option<Half> {
    match text.to_ascii_lowercase().trim_end_matches('.').replace('.', "").as_str() {
        "am" => Some(Half::Am),
        "pm" => Some(Half::Pm),
        _ => None,
    }
}

fn time(core: &str) -> Option<Token<'_>> {
    let digits = core.bytes().take_while(u8::is_ascii_digit).count();
    let hour = whole_digits(core.get(..digits)?).filter(|hour| *hour < 24)?;
    let rest = core.get(digits..)?;
    if let Some(half) = half(rest) {
        return Some(Token::Hour { hour, half });
    }
    let rest = rest.strip_prefix(':')?;
    let minute = whole_digits(rest.get(..2)?).filter(|minute| *minute < 60)?;
    match rest.get(2..)? {
        "" => Some(Token::Time { hour, minute, half: None }),
        rest => half(rest).map(|half| Token::Time { hour, minute, half: Some(half) }),
    }
}

fn date(core: &str) -> Option<Token<'_>> {
    if let [year, month, day] = core.split('-').collect::<Vec<_>>()[..]
        && year.len() == 4
    {
        let (month, day) = (whole_digits(month)?, whole_digits(day)?);
        return ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Token::Date { month, day });
    }
    let (first, second) = core.split_once('/')?;
    Some(Token::Slashed(whole_digits(first)?, whole_digits(second)?))
}

fn phone(core: &str) -> Option<Token<'_>> {
    let digits = core.bytes().filter(u8::is_ascii_digit).count();
    let only = core.chars().all(|c| c.is_ascii_digit() || "+-.()".contains(c));
    let grouped = core.contains('-') || core.starts_with('+') || core.len() >= 10;
    (only && grouped && matches!(digits, 7 | 10 | 11..=15)).then_some(Token::Phone(core))
}

fn range(core: &str) -> Option<Token<'_>> {
    let (from, to) = core.split_once(['-', '–'])?;
    Some(Token::Range(whole_digits(from)?, whole_digits(to)?))
}

fn ordinal(core: &str) -> Option<Token<'_>> {
    let digits = core.bytes().take_while(u8::is_ascii_digit).count();
    matches!(core.get(digits..)?, "st" | "nd" | "rd" | "th")
        .then(|| whole_digits(&core[..digits]).map(Token::Ordinal))?
}
