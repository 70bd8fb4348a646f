//! English.

use super::{
    Token, digit_by_digit,
    token::{Half, Scale, Word, half},
};

const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TEENS: [&str; 10] = [
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
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Endings of streets, as written and as said.
const STREETS: [(&str, &str); 14] = [
    ("st", "Street"),
    ("ave", "Avenue"),
    ("av", "Avenue"),
    ("blvd", "Boulevard"),
    ("rd", "Road"),
    ("dr", "Drive"),
    ("ln", "Lane"),
    ("ct", "Court"),
    ("pl", "Place"),
    ("pkwy", "Parkway"),
    ("hwy", "Highway"),
    ("cir", "Circle"),
    ("ter", "Terrace"),
    ("sq", "Square"),
];
const STREET_WORDS: [&str; 12] = [
    "street",
    "avenue",
    "boulevard",
    "road",
    "drive",
    "lane",
    "court",
    "place",
    "parkway",
    "way",
    "bend",
    "trail",
];
const STATES: [(&str, &str); 51] = [
    ("AL", "Alabama"),
    ("AK", "Alaska"),
    ("AZ", "Arizona"),
    ("AR", "Arkansas"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DE", "Delaware"),
    ("DC", "D C"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("HI", "Hawaii"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("IA", "Iowa"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("ME", "Maine"),
    ("MD", "Maryland"),
    ("MA", "Massachusetts"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MS", "Mississippi"),
    ("MO", "Missouri"),
    ("MT", "Montana"),
    ("NE", "Nebraska"),
    ("NV", "Nevada"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NY", "New York"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VT", "Vermont"),
    ("VA", "Virginia"),
    ("WA", "Washington"),
    ("WV", "West Virginia"),
    ("WI", "Wisconsin"),
    ("WY", "Wyoming"),
];

pub(super) fn say(text: &str) -> String {
    let text = text
        .replace("sq. ft.", "sqft")
        .replace("sq. ft", "sqft")
        .replace("sq ft", "sqft")
        .replace(") ", ")-");
    let text = if text.contains(")-") { rejoin_area_code(&text) } else { text };
    let words: Vec<Word<'_>> = text.split_whitespace().map(Word::new).collect();
    let mut said: Vec<String> = Vec::with_capacity(words.len());
    let mut skip = 0;
    for (at, word) in words.iter().enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let (spoken, used, after) = one(&words, at);
        skip = used - 1;
        said.push(format!("{}{}{}", word.before, spoken, after.unwrap_or(words[at + used - 1].after)));
    }
    said.join(" ")
}

/// "(512)-555-0142" was one number all along; anything else gets its space back.
fn rejoin_area_code(text: &str) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(")-") {
        let is_area = at >= 4
            && rest[..at].ends_with(|c: char| c.is_ascii_digit())
            && rest
                .get(at.saturating_sub(4)..at)
                .is_some_and(|area| area.starts_with('(') && area[1..].bytes().all(|b| b.is_ascii_digit()));
        if is_area {
            whole.push_str(&rest[..at - 4]);
            whole.push_str(&rest[at - 3..at]);
            whole.push('-');
        } else {
            whole.push_str(&rest[..at]);
            whole.push_str(") ");
        }
        rest = &rest[at + 2..];
    }
    whole + rest
}

/// What is said for the word at `at`, how many words that covers, and the punctuation after it where it changes.
fn one<'a>(words: &[Word<'a>], at: usize) -> (String, usize, Option<&'a str>) {
    let word = words[at];
    let next = words.get(at + 1).filter(|_| word.after.is_empty());
    let next_core = next.map_or("", |next| next.core);
    let stop = |after: &'a str, core: &str| {
        Some(if core.ends_with('.') { after } else { after.strip_prefix('.').unwrap_or(after) })
    };
    match Token::read(word.core, '.') {
        Token::Whole(n) => {
            if let Some(half) = half(next_core).filter(|_| n <= 12 && n > 0) {
                let after = next.map_or("", |next| next.after);
                let after = if next_core.contains('.') && at + 2 < words.len() {
                    after.strip_prefix('.').unwrap_or(after)
                } else {
                    after
                };
                return (format!("{} {}", cardinal(n), half_name(half)), 2, Some(after));
            }
            if is_zip(words, at) {
                return (digit_by_digit(word.core, DIGITS), 1, None);
            }
            if is_house_number(words, at) {
                return (in_pairs(n), 1, None);
            }
            if is_year(words, at, n) {
                return (year(n), 1, None);
            }
            (cardinal(n), 1, None)
        }
        Token::Decimal(whole, "5") if is_bath(next_core) => {
            (format!("{} and a half", cardinal(whole)), 1, None)
        }
        Token::Decimal(whole, fraction) => (decimal(whole, fraction), 1, None),
        Token::Dollars { whole, fraction, scale } => {
            let scale_word = match (scale, next_core) {
                (Scale::One, "million" | "billion" | "thousand") => Some(next_core),
                (Scale::Million, _) => Some("million"),
                (Scale::Thousand, _) => Some("thousand"),
                (Scale::One, _) => None,
            };
            let used = 1 + usize::from(scale == Scale::One && scale_word.is_some());
            let unit =
                if whole == 1 && fraction.is_empty() && scale_word.is_none() { "dollar" } else { "dollars" };
            let spoken = match scale_word {
                Some(scale) if fraction.is_empty() => format!("{} {scale} {unit}", cardinal(whole)),
                Some(scale) => format!("{} {scale} {unit}", decimal(whole, fraction)),
                None if fraction.is_empty() || fraction == "00" => format!("{} {unit}", cardinal(whole)),
                None => {
                    let cents = fraction.parse().unwrap_or(0);
                    format!("{} {unit} and {} cents", cardinal(whole), cardinal(cents))
                }
            };
            (spoken, used, None)
        }
        Token::Time { hour, minute, half: own } => {
            let following = half(next_core);
            let half = own.or(following);
            let used = 1 + usize::from(own.is_none() && following.is_some());
            let clock = match (minute, half) {
                (0, Some(half)) => format!("{} {}", cardinal(hour), half_name(half)),
                (0, None) if hour > 12 => format!("{} hundred", cardinal(hour)),
                (0, None) => format!("{} o'clock", cardinal(hour)),
                (minute, half) => {
                    let minutes =
                        if minute < 10 { format!("oh {}", cardinal(minute)) } else { cardinal(minute) };
                    let half = half.map_or(String::new(), |half| format!(" {}", half_name(half)));
                    format!("{} {minutes}{half}", cardinal(hour))
                }
            };
            let after = match next {
                // "p.m. sharp": the full stop is the abbreviation's, unless it ends the text.
                Some(next) if used == 2 && next_core.contains('.') && at + 2 < words.len() => {
                    stop(next.after, "")
                }
                Some(_) | None => None,
            };
            (clock, used, after)
        }
        Token::Hour { hour, half } => (format!("{} {}", cardinal(hour), half_name(half)), 1, None),
        Token::Date { month, day } => (format!("{} {}", MONTHS[month as usize - 1], ordinal(day)), 1, None),
        Token::Slashed(24, 7) => ("twenty four seven".to_owned(), 1, None),
        Token::Slashed(month @ 1..=12, day @ 1..=31) => {
            (format!("{} {}", MONTHS[month as usize - 1], ordinal(day)), 1, None)
        }
        Token::Slashed(a, b) => (format!("{} out of {}", cardinal(a), cardinal(b)), 1, None),
        Token::Ordinal(n) => (ordinal(n), 1, None),
        Token::Percent(whole, "") => (format!("{} percent", cardinal(whole)), 1, None),
        Token::Percent(whole, fraction) => (format!("{} percent", decimal(whole, fraction)), 1, None),
        Token::Range(from, to) => (format!("{} to {}", cardinal(from), cardinal(to)), 1, None),
        Token::Phone(digits) => (digit_by_digit(digits, DIGITS), 1, None),
        Token::Number(n) => {
            let counted = at > 0 && is_apartment(words[at - 1].core);
            (if counted { cardinal(n) } else { format!("number {}", cardinal(n)) }, 1, None)
        }
        Token::Email(address) => (address.replace('@', " at ").replace('.', " dot "), 1, None),
        Token::Text(core) => {
            // The full stop of an abbreviation does not separate it from what it abbreviates.
            let next = words.get(at + 1).filter(|_| matches!(word.after, "" | "."));
            text(words, at, core, next.map_or("", |next| next.core))
        }
    }
}

fn text<'a>(words: &[Word<'a>], at: usize, core: &'a str, next: &str) -> (String, usize, Option<&'a str>) {
    let word = words[at];
    let last = at + 1 == words.len();
    let written = core.to_ascii_lowercase();
    // The full stop of an abbreviation is not said, unless it also ends the sentence.
    let abbreviated = |said: &str| {
        let after = if last { word.after } else { word.after.strip_prefix('.').unwrap_or(word.after) };
        (said.to_owned(), 1, Some(after))
    };
    let before = at.checked_sub(1).map(|before| words[before]);
    let follows_name = before.is_some_and(|word| {
        word.after.is_empty() && word.core.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit())
    });
    let ends_here = last || !word.after.is_empty() || !next.starts_with(|c: char| c.is_ascii_uppercase());
    if follows_name
        && core.starts_with(|c: char| c.is_ascii_uppercase())
        && (ends_here || written != "dr")
        && let Some((_, said)) = STREETS.iter().find(|(short, _)| *short == written)
    {
        return abbreviated(said);
    }
    if let Some((_, name)) = STATES.iter().find(|(code, _)| *code == core)
        && before.is_some_and(|before| before.after == ",")
    {
        let zip_follows = words
            .get(at + 1)
            .is_some_and(|next| next.core.len() == 5 && next.core.bytes().all(|b| b.is_ascii_digit()));
        return (
            name.to_string(),
            1,
            Some(if zip_follows && word.after.is_empty() { "," } else { word.after }),
        );
    }
    if follows_number(before) && matches!(core, "N" | "S" | "E" | "W" | "NE" | "NW" | "SE" | "SW") {
        let said = match core {
            "N" => "North",
            "S" => "South",
            "E" => "East",
            "W" => "West",
            "NE" => "Northeast",
            "NW" => "Northwest",
            "SE" => "Southeast",
            _ => "Southwest",
        };
        return abbreviated(said);
    }
    if let Some(said) = bedrooms(core) {
        return (said, 1, None);
    }
    if let Some(amount) = core.strip_suffix("/mo").or_else(|| core.strip_suffix("/month")) {
        return (format!("{} a month", say(amount)), 1, None);
    }
    let starts_name = next.starts_with(|c: char| c.is_ascii_uppercase());
    match written.as_str() {
        "dr" if starts_name => abbreviated("Doctor"),
        "mr" if word.after.starts_with('.') => abbreviated("Mister"),
        "mrs" if word.after.starts_with('.') => abbreviated("Missus"),
        "sqft" => (String::from("square feet"), 1, None),
        "apt" => abbreviated("apartment"),
        "bd" | "br" | "bdrm" => abbreviated("bedrooms"),
        "ba" => abbreviated("baths"),
        "e.g" => abbreviated("for example"),
        "i.e" => abbreviated("that is"),
        "etc" => (String::from("et cetera"), 1, None),
        "approx" => abbreviated("about"),
        "vs" => abbreviated("versus"),
        "w/" => (String::from("with"), 1, None),
        "w/o" => (String::from("without"), 1, None),
        "&" => (String::from("and"), 1, None),
        "+" => (String::from("plus"), 1, None),
        _ if word.after.starts_with('.') && month_of(&written).is_some() => {
            abbreviated(month_of(&written).unwrap_or_default())
        }
        _ if is_address_of_a_site(core) => (core.replace('.', " dot "), 1, None),
        _ => (core.to_owned(), 1, None),
    }
}

fn follows_number(before: Option<Word<'_>>) -> bool {
    before.is_some_and(|before| {
        before.after.is_empty() && before.core.bytes().all(|b| b.is_ascii_digit()) && !before.core.is_empty()
    })
}

fn month_of(short: &str) -> Option<&'static str> {
    (short.len() >= 3 && short != "may")
        .then(|| MONTHS.into_iter().find(|month| month.to_ascii_lowercase().starts_with(short)))?
}

fn is_address_of_a_site(core: &str) -> bool {
    let ending = core.rsplit('.').next().unwrap_or_default();
    core.contains('.') && matches!(ending, "com" | "org" | "net" | "io" | "ai" | "us")
}

fn is_bath(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word == "ba" || word.starts_with("bath")
}

fn is_apartment(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "apt" | "apartment" | "unit" | "suite")
}

/// "3BR", "2bd".
fn bedrooms(core: &str) -> Option<String> {
    let digits = core.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = core.split_at(digits);
    let number = number.parse().ok()?;
    match unit.to_ascii_lowercase().as_str() {
        "br" | "bd" | "bdrm" => Some(format!("{} bedroom", cardinal(number))),
        "ba" => Some(format!("{} bath", cardinal(number))),
        "k" => Some(format!("{} thousand", cardinal(number))),
        _ => None,
    }
}

fn is_zip(words: &[Word<'_>], at: usize) -> bool {
    words[at].core.len() == 5
        && at > 0
        && STATES.iter().any(|(code, name)| words[at - 1].core == *code || words[at - 1].core == *name)
}

/// A bare number of up to five digits before a name that ends like a street.
fn is_house_number(words: &[Word<'_>], at: usize) -> bool {
    let bare = words[at].core.len() <= 5
        && words[at].core.bytes().all(|b| b.is_ascii_digit())
        && words[at].after.is_empty();
    let is_street = |word: &Word<'_>| {
        let word = word.core.to_ascii_lowercase();
        STREETS.iter().any(|(short, _)| *short == word) || STREET_WORDS.contains(&word.as_str())
    };
    let name = words[at + 1..].iter().take(5);
    let mut capital =
        name.take_while(|word| word.core.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()));
    bare && capital.any(is_street)
}

fn is_year(words: &[Word<'_>], at: usize, n: u64) -> bool {
    let said_of_a_year = ["in", "since", "built", "from", "of", "until"];
    (1_900..2_100).contains(&n)
        && words[at].core.len() == 4
        && at > 0
        && said_of_a_year.contains(&words[at - 1].core.to_ascii_lowercase().as_str())
}

fn year(n: u64) -> String {
    match (n / 100, n % 100) {
        (20, rest @ 0..=9) => cardinal(2_000 + rest),
        (century, 0) => format!("{} hundred", cardinal(century)),
        (century, rest @ 1..=9) => format!("{} oh {}", cardinal(century), cardinal(rest)),
        (century, rest) => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

/// A house number: "eight fifty six", "twelve thirty four", "two oh five".
fn in_pairs(n: u64) -> String {
    match n {
        0..=99 => cardinal(n),
        _ if n.is_multiple_of(1_000) || (n < 1_000 && n.is_multiple_of(100)) => cardinal(n),
        _ if n.is_multiple_of(100) => format!("{} hundred", cardinal(n / 100)),
        _ if n >= 10_000 => digit_by_digit(&n.to_string(), DIGITS),
        _ if n % 100 < 10 => format!("{} oh {}", cardinal(n / 100), cardinal(n % 100)),
        _ => format!("{} {}", cardinal(n / 100), cardinal(n % 100)),
    }
}

fn half_name(half: Half) -> &'static str {
    match half {
        Half::Am => "AM",
        Half::Pm => "PM",
    }
}

fn decimal(whole: u64, fraction: &str) -> String {
    let digits: Vec<&str> = fraction.bytes().map(|b| DIGITS[usize::from(b - b'0')]).collect();
    format!("{} point {}", cardinal(whole), digits.join(" "))
}

pub(super) fn cardinal(n: u64) -> String {
    match n {
        0..=9 => DIGITS[n as usize].to_owned(),
        10..=19 => TEENS[n as usize - 10].to_owned(),
        20..=99 if n.is_multiple_of(10) => TENS[n as usize / 10].to_owned(),
        20..=99 => format!("{} {}", TENS[n as usize / 10], DIGITS[n as usize % 10]),
        100..=999 => with_rest(n / 100, "hundred", n % 100),
        1_000..=999_999 => with_rest(n / 1_000, "thousand", n % 1_000),
        1_000_000..=999_999_999 => with_rest(n / 1_000_000, "million", n % 1_000_000),
        _ => with_rest(n / 1_000_000_000, "billion", n % 1_000_000_000),
    }
}

fn with_rest(count: u64, unit: &str, rest: u64) -> String {
    let whole = format!("{} {unit}", cardinal(count));
    if rest == 0 { whole } else { format!("{whole} {}", cardinal(rest)) }
}

fn ordinal(n: u64) -> String {
    let words = cardinal(n);
    let (before, last) = words.rsplit_once(' ').map_or(("", words.as_str()), |(before, last)| (before, last));
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        last if last.ends_with('y') => format!("{}ieth", &last[..last.len() - 1]),
        last => format!("{last}th"),
    };
    if before.is_empty() { last } else { format!("{before} {last}") }
}
