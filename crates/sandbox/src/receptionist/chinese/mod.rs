//! Chinese: a smaller receptionist on the same machinery.

mod lexicon;
mod numbers;
mod phrases;

pub(super) use phrases::WORDS;

use super::{
    gloss::{Lexicon, MAX_CHARS},
    numbers::{number_to_words, ordinal_to_words},
};
use std::sync::LazyLock;

static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(lexicon::LEXICON, |said| said.chars().count()));

/// What was said, as a gloss. Chinese has no gaps between words: the longest entry wins at each place, numbers are read
/// with the sign that says what they count, and what is in no list stays as it is.
pub(super) fn gloss(text: &str) -> String {
    let said: Vec<String> = text.to_lowercase().chars().take(MAX_CHARS).map(String::from).collect();
    let mut glosses: Vec<String> = Vec::new();
    // Signs in a row that stand in no list: a name, a place, or letters.
    let mut unknown = String::new();
    let mut at = 0;
    while at < said.len() {
        let rest = &said[at..];
        let (gloss, length) = if let Some((gloss, length)) = counted(rest) {
            (Some(gloss), length)
        } else if let Some((gloss, length)) = LEXICON.longest_at(rest, "") {
            (Some(gloss.to_owned()), length)
        } else {
            (None, 1)
        };
        let char = said[at].chars().next().unwrap_or(' ');
        match gloss {
            Some(gloss) => {
                glosses.push(std::mem::take(&mut unknown));
                glosses.push(gloss);
            }
            None if char.is_alphanumeric() || matches!(char, '@' | '.' | '\'') => {
                // Letters and signs do not stand in one word.
                if unknown.chars().last().is_some_and(|last| last.is_ascii() != char.is_ascii()) {
                    glosses.push(std::mem::take(&mut unknown));
                }
                unknown.push(char);
            }
            None => glosses.push(std::mem::take(&mut unknown)),
        }
        at += length;
    }
    glosses.push(unknown);
    glosses.retain(|gloss| !gloss.is_empty());
    // Two greetings are one.
    glosses.dedup_by(|one, other| one == other && one == "hello");
    glosses.join(" ")
}

/// A number with what it counts, and how many signs it takes.
fn counted(rest: &[String]) -> Option<(String, usize)> {
    let sign = |at: usize| rest.get(at).map_or("", String::as_str);
    // "The first one", and words that only look like numbers, stand in the list.
    if let Some((_, length)) = LEXICON.longest_at(rest, "")
        && length > numbers::run_length(rest)
    {
        return None;
    }
    let run = numbers::run_length(rest);
    if run == 0 {
        return None;
    }
    let after = &rest[run..];
    let starts = |word: &str| {
        after
            .iter()
            .map(String::as_str)
            .zip(word.chars())
            .filter(|(sign, char)| sign.chars().eq([*char]))
            .count()
            == word.chars().count()
    };
    let Some(value) = numbers::value(&rest[..run]) else {
        // Sign by sign, as in a telephone number.
        return Some((numbers::digits(&rest[..run]), run));
    };
    match sign(run) {
        "点" | "點" => {
            let (minute, length) = if sign(run + 1) == "半" {
                (30, 1)
            } else if sign(run + 1) == "一" && sign(run + 2) == "刻" {
                (15, 2)
            } else {
                let minutes = numbers::run_length(&rest[run + 1..]);
                match numbers::value(&rest[run + 1..run + 1 + minutes]).filter(|minute| *minute < 60) {
                    Some(minute) => (minute, minutes + usize::from(sign(run + 1 + minutes) == "分")),
                    None => (0, usize::from(sign(run + 1) == "钟")),
                }
            };
            return (value < 24).then(|| (format!("at {value}:{minute:02}"), run + 1 + length));
        }
        "月" if (1..=12).contains(&value) => return Some((numbers::month(value).to_owned(), run + 1)),
        "号" | "日" if (1..=31).contains(&value) => {
            return Some((format!("the {}", ordinal_to_words(value)), run + 1));
        }
        _ => {}
    }
    let words = number_to_words(value);
    for (word, lead) in
        [("以内", "under"), ("以下", "under"), ("之内", "under"), ("以上", "over"), ("左右", "about")]
    {
        for (money, length) in [("", 0), ("美元", 2), ("美金", 2), ("块", 1)] {
            if starts(&format!("{money}{word}")) {
                return Some((format!("{lead} {words} dollars"), run + length + 2));
            }
        }
    }
    Some((words, run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_becomes_a_gloss() {
        for (said, expected) in [
            ("我想在Riverside买三个卧室的房子", "i'd like in riverside buy a home three bedrooms house"),
            ("预算五十万以内", "budget under five hundred thousand dollars"),
            ("明天下午两点半", "tomorrow in the afternoon at 2:30"),
            ("星期五上午十一点", "friday in the morning at 11:00"),
            ("十一月二十八号", "november the twenty eighth"),
            ("我叫李明", "my name is 李明"),
            ("五一二五五五零一四二", "five one two five five five zero one four two"),
            ("你是机器人吗", "are you a robot"),
            ("第二个", "the second one"),
        ] {
            assert_eq!(gloss(said), expected, "{said}");
        }
    }
}
