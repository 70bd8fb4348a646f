//! Text as people say it: numbers, prices, addresses, times and abbreviations in words; mark-up and emoji gone.
//!
//! Language models are told to write the way people speak, and mostly do. This catches the rest, before the voice sees
//! it: vendors' own normalisation differs from voice to voice, and a transcript must hold what was really said.
//! What is words already is left alone, so saying it twice changes nothing.
//!
//! To add a language: a file like `english.rs`, and the compiler names the rest.

mod chinese;
mod english;
mod markup;
mod spanish;
mod token;

use seiketsu_domain::Language;
use token::Token;

/// `text` as it is said. May be empty, when nothing of it can be.
pub fn speakable(text: &str, language: Language) -> String {
    let plain = markup::strip(text);
    if !plain.contains(|c: char| c.is_ascii_digit() || "$&%@#/+€".contains(c) || c == '.') {
        return plain; // by far the most of it
    }
    match language {
        Language::En => english::say(&plain),
        Language::Es => spanish::say(&plain),
        Language::Zh => chinese::say(&plain),
    }
}

/// A row of digits, one by one, in the groups people use.
fn digit_by_digit(digits: &str, names: [&str; 10]) -> String {
    let digits: Vec<usize> =
        digits.bytes().filter(u8::is_ascii_digit).map(|b| usize::from(b - b'0')).collect();
    let groups: &[usize] = match digits.len() {
        7 => &[3, 4],
        10 => &[3, 3, 4],
        11 => &[1, 3, 3, 4],
        _ => &[],
    };
    let mut rest = digits.as_slice();
    let mut said = Vec::new();
    for size in groups.iter().copied().chain(std::iter::repeat(usize::MAX)) {
        if rest.is_empty() {
            break;
        }
        let (group, later) = rest.split_at(size.min(rest.len()));
        said.push(group.iter().map(|digit| names[*digit]).collect::<Vec<_>>().join(" "));
        rest = later;
    }
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(language: Language, rows: &[(&str, &str)]) {
        let wrong: Vec<_> = rows
            .iter()
            .flat_map(|(written, said)| [(*written, *said), (*said, *said)])
            .map(|(written, said)| (written, speakable(written, language), said))
            .filter(|(_, spoken, said)| spoken != said)
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn english_is_said_as_people_say_it() {
        table(
            Language::En,
            &[
                ("It is $450,000.", "It is four hundred fifty thousand dollars."),
                (
                    "around $1.2M or $1.25 million",
                    "around one point two million dollars or one point two five million dollars",
                ),
                ("$2,300/mo", "two thousand three hundred dollars a month"),
                ("$450k", "four hundred fifty thousand dollars"),
                ("It costs $19.99 today", "It costs nineteen dollars and ninety nine cents today"),
                ("at 10:30 AM", "at ten thirty AM"),
                ("at 10:05 p.m. sharp", "at ten oh five PM sharp"),
                ("at 2:00 PM", "at two PM"),
                ("from 9am to 5pm", "from nine AM to five PM"),
                ("at 14:00", "at fourteen hundred"),
                ("at 10:00", "at ten o'clock"),
                ("at 1234 Maple St. today", "at twelve thirty four Maple Street today"),
                (
                    "856 N. Willow Bend Blvd, Austin, TX 78701",
                    "eight fifty six North Willow Bend Boulevard, Austin, Texas, seven eight seven zero one",
                ),
                ("100 Main Ave", "one hundred Main Avenue"),
                ("205 Oak Dr", "two oh five Oak Drive"),
                ("2000 Elm Rd", "two thousand Elm Road"),
                ("Dr. Smith lives on King Dr.", "Doctor Smith lives on King Drive."),
                ("Apt #4", "apartment four"),
                ("a 3BR with 2.5 ba", "a three bedroom with two and a half baths"),
                ("1,850 sq ft", "one thousand eight hundred fifty square feet"),
                ("1,850 sqft.", "one thousand eight hundred fifty square feet."),
                ("on 11/24", "on November twenty fourth"),
                ("on 2026-11-24", "on November twenty fourth"),
                ("on Nov. 3rd", "on November third"),
                ("built in 1998", "built in nineteen ninety eight"),
                ("built in 2005", "built in two thousand five"),
                ("5% down & 20% later", "five percent down and twenty percent later"),
                ("(512) 555-0142", "five one two, five five five, zero one four two"),
                ("call +15125550142", "call one, five one two, five five five, zero one four two"),
                ("john.smith@example.com", "john dot smith at example dot com"),
                ("www.example.com", "www dot example dot com"),
                ("e.g. a garden, etc.", "for example a garden, et cetera."),
                ("3 homes", "three homes"),
                ("the 21st, 22nd and 30th", "the twenty first, twenty second and thirtieth"),
                ("w/ pool", "with pool"),
                ("2-3 bedrooms", "two to three bedrooms"),
                ("24/7", "twenty four seven"),
                ("1.75 acres", "one point seven five acres"),
                ("0.5", "zero point five"),
                ("Nothing to change here.", "Nothing to change here."),
            ],
        );
    }

    #[test]
    fn spanish_is_said_as_people_say_it() {
        table(
            Language::Es,
            &[
                ("Cuesta $450,000.", "Cuesta cuatrocientos cincuenta mil dólares."),
                ("$1.2 millones", "uno punto dos millones de dólares"),
                ("a las 10:30", "a las diez y media"),
                ("a las 10:15", "a las diez y cuarto"),
                ("a las 3:00 pm", "a las tres de la tarde"),
                ("a las 9 am", "a las nueve de la mañana"),
                ("el 24/11", "el veinticuatro de noviembre"),
                ("el 2026-11-24", "el veinticuatro de noviembre"),
                ("el 5%", "el cinco por ciento"),
                ("512-555-0142", "cinco uno dos, cinco cinco cinco, cero uno cuatro dos"),
                ("3 dormitorios", "tres dormitorios"),
                ("1 casa y 21 casas", "una casa y veintiuna casas"),
                ("1.850 pies", "mil ochocientos cincuenta pies"),
                ("Ave. Central", "avenida Central"),
            ],
        );
    }

    #[test]
    fn chinese_is_said_as_people_say_it() {
        table(
            Language::Zh,
            &[
                ("售价$450,000。", "售价四十五万美元。"),
                ("上午10:30见", "上午十点半见"),
                ("下午2:00", "下午两点"),
                ("10:05", "十点零五分"),
                ("3个卧室", "三个卧室"),
                ("2个卧室", "两个卧室"),
                ("首付5%", "首付百分之五"),
                ("11月24日", "十一月二十四日"),
                ("电话512-555-0142", "电话五一二，五五五，零一四二"),
                ("1,850平方英尺", "一千八百五十平方英尺"),
                ("1005", "一千零五"),
            ],
        );
    }

    #[test]
    fn markup_and_emoji_are_never_spoken() {
        for (written, said) in [
            ("**Great** choice! 🎉", "Great choice!"),
            ("- one\n- two", "one, two"),
            ("1. First\n2. Second", "First, Second"),
            ("# Title\nText", "Title, Text"),
            ("See [our page](https://example.com/x) now", "See our page now"),
            ("`code` and _this_", "code and this"),
            ("<b>bold</b> &amp; more", "bold and more"),
            ("a 👩‍👩‍👧 home ❤️", "a home"),
            ("🙂", ""),
            ("snake_case stays", "snake case stays"),
            ("it's \"fine\" (really)", "it's \"fine\" (really)"),
        ] {
            assert_eq!(speakable(written, Language::En), said, "{written}");
        }
    }

    #[test]
    fn numbers_beyond_all_sense_are_said_too() {
        for language in [Language::En, Language::Es, Language::Zh] {
            for written in ["$999999999999999M", "$1.123456789012345M", "999999999999999", "1000000000000"] {
                let said = speakable(written, language);
                assert!(said.chars().any(char::is_alphabetic), "{written}: {said}");
                assert!(!said.contains(|c: char| c.is_ascii_digit()), "{written}: {said}");
            }
        }
        assert_eq!(speakable("$1.25M", Language::Zh), "一百二十五万美元");
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_model_writes_is_said_in_words(text in "[ -~\u{a1}\u{e9}\u{4e00}-\u{4e10}\u{1f600}$%#@:/.,0-9-]{0,60}") {
            for language in [Language::En, Language::Es, Language::Zh] {
                let said = speakable(&text, language);
                proptest::prop_assert!(!said.contains(['\u{1f600}', '*', '`']), "{said}");
                proptest::prop_assert!(said.len() <= 40 * (text.len() + 1), "{} bytes of {}", said.len(), text.len());
            }
        }
    }
}
