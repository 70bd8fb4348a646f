//! Spanish.

use super::{
    Token, digit_by_digit,
    token::{Half, Scale, Word, half},
};

const DIGITS: [&str; 10] =
    ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"];
const TO_TWENTY_NINE: [&str; 20] = [
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
];
const TENS: [&str; 10] =
    ["", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
const HUNDREDS: [&str; 10] = [
    "",
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
];
const MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

pub(super) fn say(text: &str) -> String {
    let words: Vec<Word<'_>> = text.split_whitespace().map(Word::new).collect();
    let mut said: Vec<String> = Vec::with_capacity(words.len());
    let mut skip = 0;
    for (at, word) in words.iter().enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let next = words.get(at + 1).filter(|_| word.after.is_empty()).map_or("", |next| next.core);
        let (spoken, used) = one(word.core, next);
        skip = used - 1;
        let abbreviated = spoken != word.core && abbreviation(word.core).is_some() && at + 1 < words.len();
        let after = words[at + used - 1].after;
        let after = if abbreviated { after.strip_prefix('.').unwrap_or(after) } else { after };
        said.push(format!("{}{spoken}{after}", word.before));
    }
    said.join(" ")
}

/// What is said for a word, and how many words that covers.
fn one(core: &str, next: &str) -> (String, usize) {
    let spoken = match Token::read(core, '.') {
        Token::Whole(n) => match half(next).filter(|_| (1..=12).contains(&n)) {
            Some(half) => return (format!("{} {}", hour(n), part_of_day(half, n)), 2),
            None => agreeing(n, next),
        },
        Token::Decimal(whole, fraction) => decimal(whole, fraction),
        Token::Dollars { whole, fraction, scale } => {
            let number = if fraction.is_empty() || fraction == "00" {
                cardinal(whole)
            } else {
                decimal(whole, fraction)
            };
            match (scale, next) {
                (Scale::One, "millón" | "millones") => return (format!("{number} {next} de dólares"), 2),
                (Scale::Million, _) => format!("{number} millones de dólares"),
                (Scale::Thousand, _) => format!("{number} mil dólares"),
                (Scale::One, _) if whole == 1 && fraction.is_empty() => "un dólar".to_owned(),
                (Scale::One, _) => format!("{} dólares", shortened(&number)),
            }
        }
        Token::Time { hour: at, minute, half: own } => {
            let following = half(next);
            let minutes = match minute {
                0 => String::new(),
                15 => " y cuarto".to_owned(),
                30 => " y media".to_owned(),
                minute => format!(" y {}", cardinal(minute)),
            };
            let day = own.or(following).map_or(String::new(), |half| format!(" {}", part_of_day(half, at)));
            return (
                format!("{}{minutes}{day}", hour(at)),
                1 + usize::from(own.is_none() && following.is_some()),
            );
        }
        Token::Hour { hour: at, half } => format!("{} {}", hour(at), part_of_day(half, at)),
        Token::Date { month, day } | Token::Slashed(day @ 1..=31, month @ 1..=12) => date(day, month),
        Token::Slashed(a, b) => format!("{} de {}", cardinal(a), cardinal(b)),
        Token::Ordinal(n) | Token::Number(n) => format!("número {}", cardinal(n)),
        Token::Percent(whole, "") => format!("{} por ciento", cardinal(whole)),
        Token::Percent(whole, fraction) => format!("{} por ciento", decimal(whole, fraction)),
        Token::Range(from, to) => format!("{} a {}", cardinal(from), cardinal(to)),
        Token::Phone(digits) => digit_by_digit(digits, DIGITS),
        Token::Email(address) => address.replace('@', " arroba ").replace('.', " punto "),
        Token::Text(core) => abbreviation(core).map_or_else(|| core.to_owned(), str::to_owned),
    };
    (spoken, 1)
}

fn abbreviation(core: &str) -> Option<&'static str> {
    Some(match core.to_lowercase().as_str() {
        "av" | "ave" | "avda" => "avenida",
        "sr" => "señor",
        "sra" => "señora",
        "dr" => "doctor",
        "dra" => "doctora",
        "apto" | "dpto" => "apartamento",
        "núm" => "número",
        "aprox" => "aproximadamente",
        "&" => "y",
        "+" => "más",
        _ => return None,
    })
}

fn hour(n: u64) -> String {
    match n {
        1 => "una".to_owned(),
        n => cardinal(n),
    }
}

fn part_of_day(half: Half, hour: u64) -> &'static str {
    match (half, hour) {
        (Half::Am, _) => "de la mañana",
        (Half::Pm, 8..=11) => "de la noche",
        (Half::Pm, _) => "de la tarde",
    }
}

fn date(day: u64, month: u64) -> String {
    let day = if day == 1 { "primero".to_owned() } else { cardinal(day) };
    format!("{day} de {}", MONTHS[month as usize - 1])
}

/// "uno" before a noun is "un" or "una".
fn agreeing(n: u64, next: &str) -> String {
    let number = cardinal(n);
    if next.is_empty() || !number.ends_with("uno") {
        return number;
    }
    if next.trim_end_matches('s').ends_with('a') {
        format!("{}una", number.trim_end_matches("uno"))
    } else {
        shortened(&number)
    }
}

fn shortened(number: &str) -> String {
    if number.ends_with("veintiuno") {
        return number.replace("veintiuno", "veintiún");
    }
    number.strip_suffix("uno").map_or_else(|| number.to_owned(), |begin| format!("{begin}un"))
}

fn decimal(whole: u64, fraction: &str) -> String {
    let digits: Vec<&str> = fraction.bytes().map(|b| DIGITS[usize::from(b - b'0')]).collect();
    format!("{} punto {}", cardinal(whole), digits.join(" "))
}

fn cardinal(n: u64) -> String {
    let joined =
        |before: String, rest: u64| if rest == 0 { before } else { format!("{before} {}", cardinal(rest)) };
    match n {
        0..=9 => DIGITS[n as usize].to_owned(),
        10..=29 => TO_TWENTY_NINE[n as usize - 10].to_owned(),
        30..=99 if n.is_multiple_of(10) => TENS[n as usize / 10].to_owned(),
        30..=99 => format!("{} y {}", TENS[n as usize / 10], DIGITS[n as usize % 10]),
        100 => "cien".to_owned(),
        101..=999 => joined(HUNDREDS[n as usize / 100].to_owned(), n % 100),
        1_000..=1_999 => joined("mil".to_owned(), n % 1_000),
        2_000..=999_999 => joined(format!("{} mil", shortened(&cardinal(n / 1_000))), n % 1_000),
        1_000_000..=1_999_999 => joined("un millón".to_owned(), n % 1_000_000),
        _ => joined(format!("{} millones", shortened(&cardinal(n / 1_000_000))), n % 1_000_000),
    }
}
