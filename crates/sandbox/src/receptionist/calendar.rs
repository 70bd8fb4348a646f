//! Days as people say them, and back.

use super::{
    numbers::{ordinal_at, ordinal_to_words, small_at},
    tokens::Tokens,
};
use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};

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
const MONTHS_SHORT: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sept", "oct", "nov", "dec"];

/// The name of a weekday.
pub(super) fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// "today", "tomorrow", or "Friday, November twenty seventh".
pub(super) fn spoken_day(day: Date, today: Option<Date>) -> String {
    match today {
        Some(today) if day == today => "today".to_owned(),
        Some(today) if today.tomorrow().ok() == Some(day) => "tomorrow".to_owned(),
        Some(_) | None => full_day(day),
    }
}

/// "Friday, November twenty seventh".
pub(super) fn full_day(day: Date) -> String {
    let month = MONTHS[usize::from(day.month().unsigned_abs()) - 1];
    let month = format!("{}{}", month[..1].to_uppercase(), &month[1..]);
    format!(
        "{}, {month} {}",
        weekday_name(day.weekday()),
        ordinal_to_words(u64::from(day.day().unsigned_abs()))
    )
}

/// Whether an ordinal alone ("the second") may be a day of the month. It may not where listings or times are being
/// chosen from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LowOrdinals {
    AreDays,
    AreChoices,
}

/// A day that starts here, and how many words it has.
pub(super) fn day_at(tokens: &Tokens, at: usize, today: Date, low: LowOrdinals) -> Option<(Date, usize)> {
    tokens.free(at)?;
    relative_day(tokens, at, today, low)
        .or_else(|| weekday_day(tokens, at, today))
        .or_else(|| month_day(tokens, at, today))
        .or_else(|| bare_ordinal(tokens, at, today, low))
}

fn relative_day(tokens: &Tokens, at: usize, today: Date, low: LowOrdinals) -> Option<(Date, usize)> {
    let fixed: [(&str, i64); 3] = [
        ("the day after tomorrow, day after tomorrow, overmorrow", 2),
        ("tomorrow, tmrw", 1),
        ("today, tonight, this morning, this afternoon, this evening", 0),
    ];
    for (phrases, days) in fixed {
        if let Some(length) = tokens.any_at(at, phrases) {
            // "this morning" leaves the part of the day for whoever looks for times.
            let length = if tokens.word(at) == "this" { 1 } else { length };
            return Some((today.checked_add(days.days()).ok()?, length));
        }
    }
    if let Some(length) = tokens.any_at(at, "this weekend, the weekend, at the weekend, weekend") {
        return Some((following(today, Weekday::Saturday)?, length));
    }
    if let Some(length) = tokens.any_at(at, "next weekend") {
        return Some((in_next_week(today, Weekday::Saturday)?, length));
    }
    if let Some(length) = tokens.any_at(at, "a week from, one week from, week from") {
        let rest = at + length;
        let (base, more) = if let Some(more) = tokens.any_at(rest, "now") {
            (today, more)
        } else {
            let skip = tokens.any_at(rest, "this, on").unwrap_or(0);
            let (base, more) = day_at(tokens, rest + skip, today, low)?;
            (base, skip + more)
        };
        return Some((base.checked_add(1.week()).ok()?, length + more));
    }
    if let Some(length) = tokens.any_at(at, "in a week, in a week's time") {
        return Some((today.checked_add(1.week()).ok()?, length));
    }
    if let Some(length) = tokens.any_at(at, "in a couple of days, in a few days") {
        return Some((today.checked_add(2.days()).ok()?, length));
    }
    let with_in = usize::from(tokens.word(at) == "in");
    let (count, length) = small_at(tokens, at + with_in)?;
    let unit = at + with_in + length;
    let per = match tokens.word(unit) {
        "day" | "days" => 1,
        "week" | "weeks" => 7,
        _ => return None,
    };
    let tail = tokens.any_at(unit + 1, "from now, from today, time").unwrap_or(0);
    (with_in > 0 || tail > 0).then_some(())?;
    let days = i64::try_from(count).ok()?.checked_mul(per)?;
    Some((today.checked_add(days.days()).ok()?, unit + 1 + tail - at))
}

fn weekday_day(tokens: &Tokens, at: usize, today: Date) -> Option<(Date, usize)> {
    if let Some(length) = tokens.any_at(at, "next week on, next week") {
        return match weekday(tokens.word(at + length)) {
            Some(day) => Some((in_next_week(today, day)?, length + 1)),
            None if length == 2 => Some((in_next_week(today, Weekday::Monday)?, length)),
            None => None,
        };
    }
    let lead = tokens.any_at(at, "this coming, next, this, coming").unwrap_or(0);
    let day = weekday(tokens.word(at + lead))?;
    let next = at + lead + 1;
    // "friday the twenty seventh": the number decides.
    if let Some(the) = tokens.any_at(next, "the")
        && let Some((number, length)) = ordinal_at(tokens, next + the)
        && let Some(date) = day_of_month(today, i8::try_from(number).ok()?)
    {
        return Some((date, lead + 1 + the + length));
    }
    if let Some((date, length)) = month_day(tokens, next, today) {
        return Some((date, lead + 1 + length));
    }
    if let Some(tail) = tokens.any_at(next, "of next week, next week, week") {
        return Some((in_next_week(today, day)?, lead + 1 + tail));
    }
    let date = match tokens.word(at) {
        "next" => in_next_week(today, day)?,
        "this" if today.weekday() == day => today,
        _ => following(today, day)?,
    };
    Some((date, lead + 1))
}

/// "november twenty eighth", "november 28", "the twenty eighth of november".
fn month_day(tokens: &Tokens, at: usize, today: Date) -> Option<(Date, usize)> {
    if let Some(month) = month(tokens.word(at)) {
        let the = tokens.any_at(at + 1, "the").unwrap_or(0);
        let (day, length) = number_of_day(tokens, at + 1 + the)?;
        return Some((on_or_after(today, month, day)?, 1 + the + length));
    }
    let the = tokens.any_at(at, "the").unwrap_or(0);
    let (day, length) = number_of_day(tokens, at + the)?;
    let of = tokens.any_at(at + the + length, "of").unwrap_or(0);
    let month = month(tokens.word(at + the + length + of))?;
    Some((on_or_after(today, month, day)?, the + length + of + 1))
}

fn bare_ordinal(tokens: &Tokens, at: usize, today: Date, low: LowOrdinals) -> Option<(Date, usize)> {
    let the = tokens.any_at(at, "the").unwrap_or(0);
    let (number, length) = ordinal_at(tokens, at + the)?;
    let next = tokens.word(at + the + length);
    let counts_something =
        matches!(next, "one" | "house" | "option" | "listing" | "home" | "time" | "place" | "floor")
            || tokens.word(at + the + length + 1) == "one";
    let is_street = super::vocabulary::is_street_suffix(next);
    let low_number = number <= 5 && low == LowOrdinals::AreChoices;
    if counts_something || is_street || low_number || (number <= 5 && the == 0) {
        return None;
    }
    Some((day_of_month(today, i8::try_from(number).ok()?)?, the + length))
}

fn number_of_day(tokens: &Tokens, at: usize) -> Option<(u64, usize)> {
    ordinal_at(tokens, at).or_else(|| small_at(tokens, at)).filter(|(day, _)| (1..=31).contains(day))
}

fn month(word: &str) -> Option<i8> {
    let at = MONTHS.iter().position(|month| *month == word);
    let at = at.or_else(|| MONTHS_SHORT.iter().position(|month| *month == word))?;
    i8::try_from(at + 1).ok()
}

/// The weekday a word names. "sat" and "sun" are left out: they are words of their own.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "mondays" | "monday's" | "mon" => Weekday::Monday,
        "tuesday" | "tuesdays" | "tuesday's" | "tues" => Weekday::Tuesday,
        "wednesday" | "wednesdays" | "wednesday's" | "wed" => Weekday::Wednesday,
        "thursday" | "thursdays" | "thursday's" | "thurs" => Weekday::Thursday,
        "friday" | "fridays" | "friday's" | "fri" => Weekday::Friday,
        "saturday" | "saturdays" | "saturday's" => Weekday::Saturday,
        "sunday" | "sundays" | "sunday's" => Weekday::Sunday,
        _ => return None,
    })
}

/// The first such weekday after today.
fn following(today: Date, day: Weekday) -> Option<Date> {
    today.nth_weekday(1, day).ok()
}

/// That weekday of the calendar week (from Monday) after this one.
fn in_next_week(today: Date, day: Weekday) -> Option<Date> {
    let monday = today.checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days()).ok()?;
    monday.checked_add((7 + i64::from(day.to_monday_zero_offset())).days()).ok()
}

/// The next time that the month has this day, today included.
pub(super) fn day_of_month(today: Date, number: i8) -> Option<Date> {
    let first = today.first_of_month();
    (0..4_i64).find_map(|months| {
        let month = first.checked_add(months.months()).ok()?;
        Date::new(month.year(), month.month(), number).ok().filter(|date| *date >= today)
    })
}

fn on_or_after(today: Date, month: i8, number: u64) -> Option<Date> {
    let number = i8::try_from(number).ok()?;
    (0..5_i16).find_map(|years| {
        Date::new(today.year().checked_add(years)?, month, number).ok().filter(|d| *d >= today)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_are_understood_from_a_tuesday() {
        let today = date(2026, 11, 24);
        for (said, expected) in [
            ("today", "2026-11-24"),
            ("tomorrow", "2026-11-25"),
            ("the day after tomorrow", "2026-11-26"),
            ("friday", "2026-11-27"),
            ("this friday", "2026-11-27"),
            ("next friday", "2026-12-04"),
            ("next monday", "2026-11-30"),
            ("monday", "2026-11-30"),
            ("tuesday", "2026-12-01"),
            ("this tuesday", "2026-11-24"),
            ("next week wednesday", "2026-12-02"),
            ("wednesday next week", "2026-12-02"),
            ("next week", "2026-11-30"),
            ("this weekend", "2026-11-28"),
            ("the 28th", "2026-11-28"),
            ("the twenty eighth", "2026-11-28"),
            ("the third", "2026-12-03"),
            ("november twenty eighth", "2026-11-28"),
            ("november 28", "2026-11-28"),
            ("november the 28th", "2026-11-28"),
            ("the twenty eighth of november", "2026-11-28"),
            ("28 november", "2026-11-28"),
            ("january second", "2027-01-02"),
            ("friday the twenty seventh", "2026-11-27"),
            ("saturday november twenty eighth", "2026-11-28"),
            ("in three days", "2026-11-27"),
            ("in two weeks", "2026-12-08"),
            ("a week from tomorrow", "2026-12-02"),
            ("a week from friday", "2026-12-04"),
        ] {
            let tokens = Tokens::new(said);
            let found = day_at(&tokens, 0, today, LowOrdinals::AreDays);
            let Some((day, length)) = found else { panic!("{said}: nothing") };
            assert_eq!((day.to_string().as_str(), length), (expected, tokens.len()), "{said}");
        }
    }

    #[test]
    fn what_is_no_day_is_not_taken_for_one() {
        for said in [
            "may i see it",
            "the first one",
            "the second house",
            "second street",
            "three bedrooms",
            "march in",
        ] {
            let tokens = Tokens::new(said);
            assert_eq!(day_at(&tokens, 0, date(2026, 11, 24), LowOrdinals::AreDays), None, "{said}");
        }
        let tokens = Tokens::new("the second");
        assert_eq!(day_at(&tokens, 0, date(2026, 11, 24), LowOrdinals::AreChoices), None);
    }

    #[test]
    fn a_day_that_a_month_lacks_is_looked_for_in_the_next() {
        let tokens = Tokens::new("the thirty first");
        let found = day_at(&tokens, 0, date(2026, 11, 24), LowOrdinals::AreDays);
        assert_eq!(found.unwrap().0, date(2026, 12, 31));
    }

    #[test]
    fn a_spoken_day_is_understood_as_itself() {
        let today = date(2026, 11, 24);
        for offset in 0..60_i64 {
            let day = today.checked_add(offset.days()).unwrap();
            let tokens = Tokens::new(&spoken_day(day, Some(today)));
            let found = day_at(&tokens, 0, today, LowOrdinals::AreDays);
            assert_eq!(found, Some((day, tokens.len())), "{day}");
        }
    }
}
