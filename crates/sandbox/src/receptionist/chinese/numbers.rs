//! Numbers, days and times as they are said in Chinese, and back.

use super::super::numbers::number_to_words;
use jiff::civil::{Date, Time, Weekday};

const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// How many signs from here on belong to one number.
pub(super) fn run_length(signs: &[String]) -> usize {
    signs.iter().take_while(|sign| digit(sign).is_some() || unit(sign).is_some()).count()
}

/// The value of a whole number; nothing where it is a row of digits.
pub(super) fn value(signs: &[String]) -> Option<u64> {
    let arabic: Option<u64> = signs.concat().parse().ok();
    if signs.is_empty() || arabic.is_some_and(|_| signs.len() > 9) {
        return None;
    }
    if arabic.is_some() {
        return arabic;
    }
    let has_unit = signs.iter().any(|sign| unit(sign).is_some());
    if !has_unit && signs.len() > 1 {
        return None;
    }
    let (mut total, mut section, mut last) = (0_u64, 0_u64, None::<u64>);
    let mut last_unit = 1;
    for sign in signs {
        if let Some(value) = digit(sign) {
            // "45万": digits in a row are one number.
            last = Some(match last {
                Some(before) if sign.is_ascii() => before.checked_mul(10)?.checked_add(value)?,
                Some(_) | None => value,
            });
        } else if let Some(size) = unit(sign) {
            if size >= 10_000 {
                total = total.checked_add((section + last.take().unwrap_or(0)).max(1).checked_mul(size)?)?;
                section = 0;
            } else {
                section = section.checked_add(last.take().unwrap_or(1).checked_mul(size)?)?;
            }
            last_unit = size;
        }
    }
    // "三十五万五" leaves the smaller unit out.
    let tail = last.unwrap_or(0);
    let ends_short =
        tail > 0 && last_unit >= 1_000 && signs.iter().rev().nth(1).and_then(|sign| unit(sign)).is_some();
    let tail = if ends_short { tail.checked_mul(last_unit / 10)? } else { tail };
    total.checked_add(section)?.checked_add(tail).filter(|value| *value <= 1_000_000_000_000)
}

/// Digit by digit, in the words that are understood.
pub(super) fn digits(signs: &[String]) -> String {
    signs.iter().filter_map(|sign| digit(sign)).map(number_to_words).collect::<Vec<_>>().join(" ")
}

/// The month of this number, in the word that is understood.
pub(super) fn month(number: u64) -> &'static str {
    MONTHS[(number.clamp(1, 12) - 1) as usize]
}

fn digit(sign: &str) -> Option<u64> {
    match sign {
        "两" => Some(2),
        "幺" => Some(1),
        "〇" => Some(0),
        sign if sign.len() == 1 => sign.parse().ok(),
        sign => DIGITS.iter().position(|digit| *digit == sign).map(|value| value as u64),
    }
}

fn unit(sign: &str) -> Option<u64> {
    match sign {
        "十" => Some(10),
        "百" => Some(100),
        "千" => Some(1_000),
        "万" => Some(10_000),
        "亿" => Some(100_000_000),
        _ => None,
    }
}

/// `450_000` is "四十五万".
pub(super) fn words(number: u64) -> String {
    if number == 0 {
        return DIGITS[0].to_owned();
    }
    let sections = [(number / 100_000_000, "亿"), (number / 10_000 % 10_000, "万"), (number % 10_000, "")];
    let mut text = String::new();
    for (section, name) in sections.into_iter().filter(|(section, _)| *section > 0) {
        if !text.is_empty() && section < 1_000 {
            text.push_str(DIGITS[0]);
        }
        // "Two" before a large unit has a word of its own.
        if section == 2 && !name.is_empty() {
            text.push('两');
        } else {
            text.push_str(&below_ten_thousand(section.min(9_999)));
        }
        text.push_str(name);
    }
    // "一十五" is "十五".
    text.strip_prefix("一十").map_or_else(|| text.clone(), |tail| format!("十{tail}"))
}

/// Before a word that counts, two is "两".
pub(super) fn counting(number: u64) -> String {
    if number == 2 { "两".to_owned() } else { words(number) }
}

fn below_ten_thousand(number: u64) -> String {
    let mut text = String::new();
    let mut gap = false;
    for (size, name) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = number / size % 10;
        if digit == 0 {
            gap = !text.is_empty();
            continue;
        }
        if gap {
            text.push_str(DIGITS[0]);
            gap = false;
        }
        text.push_str(if digit == 2 && size >= 1_000 { "两" } else { DIGITS[digit as usize] });
        text.push_str(name);
    }
    text
}

/// "下午两点半".
pub(super) fn time(time: Time) -> String {
    let part = match time.hour() {
        0..12 => "上午",
        12 => "中午",
        13..18 => "下午",
        _ => "晚上",
    };
    format!("{part}{}", short_time(time))
}

/// "两点半".
pub(super) fn short_time(time: Time) -> String {
    let hour = match time.hour() % 12 {
        0 => 12,
        hour => u64::from(hour.unsigned_abs()),
    };
    let hour = counting(hour);
    match time.minute() {
        0 => format!("{hour}点"),
        30 => format!("{hour}点半"),
        minute => format!("{hour}点{}分", words(u64::from(minute.unsigned_abs()))),
    }
}

/// "今天", "明天", or "十一月二十七号星期五".
pub(super) fn day(day: Date, today: Option<Date>) -> String {
    match today {
        Some(today) if day == today => return "今天".to_owned(),
        Some(today) if today.tomorrow().ok() == Some(day) => return "明天".to_owned(),
        Some(_) | None => {}
    }
    let number = |value: i8| words(u64::from(value.unsigned_abs()));
    format!("{}月{}号{}", number(day.month()), number(day.day()), weekday(day.weekday()))
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time as at};

    fn read(said: &str) -> Option<u64> {
        value(&said.chars().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn numbers_are_said_and_understood_as_people_say_them() {
        for (number, said) in [
            (0, "零"),
            (15, "十五"),
            (28, "二十八"),
            (105, "一百零五"),
            (1_850, "一千八百五十"),
            (2_400, "两千四百"),
            (20_500, "两万零五百"),
            (450_000, "四十五万"),
            (1_250_000, "一百二十五万"),
        ] {
            assert_eq!(words(number), said);
            assert_eq!(read(said), Some(number), "{said}");
        }
        for (said, number) in
            [("45万", 450_000), ("三十五万五", 355_000), ("350000", 350_000), ("三千五", 3_500)]
        {
            assert_eq!(read(said), Some(number), "{said}");
        }
        assert_eq!(read("五一二"), None, "a row of digits");
    }

    #[test]
    fn days_and_times_are_said_as_people_say_them() {
        assert_eq!(time(at(14, 30, 0, 0)), "下午两点半");
        assert_eq!(time(at(10, 15, 0, 0)), "上午十点十五分");
        assert_eq!(day(date(2026, 11, 27), Some(date(2026, 11, 24))), "十一月二十七号星期五");
    }
}
