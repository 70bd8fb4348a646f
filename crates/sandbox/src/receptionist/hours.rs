//! Times of day as people say them, and back.

use super::{numbers::number_to_words, numbers::small_at, tokens::Tokens};
use jiff::civil::Time;

/// A part of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
}

impl Part {
    /// Whether a time lies in it.
    pub(super) fn contains(self, time: Time) -> bool {
        match self {
            Self::Morning => time.hour() < 12,
            Self::Afternoon => (12..17).contains(&time.hour()),
            Self::Evening => time.hour() >= 17,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Am,
    Pm,
}

/// How sure one must be that a bare number ("ten") is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    /// The words around it say so.
    Allowed,
    /// Only forms that cannot be anything else.
    Refused,
}

/// A time that starts here, and how many words it has. `part` is what the utterance says about the part of the day.
pub(super) fn time_at(tokens: &Tokens, at: usize, bare: Bare, part: Option<Part>) -> Option<(Time, usize)> {
    match tokens.free(at)? {
        "noon" | "midday" | "noontime" => return Some((clock(12, 0)?, 1)),
        "midnight" => return Some((clock(0, 0)?, 1)),
        _ => {}
    }
    if let Some(found) = past_or_to(tokens, at, part) {
        return Some(found);
    }
    let (hour, minute, mut length, mut sure) = hour_and_minute(tokens, at)?;
    if let Some(more) = tokens.any_at(at + length, "o'clock, oclock, o clock") {
        length += more;
        sure = true;
    }
    if let Some(more) = tokens.any_at(at + length, "ish, sharp") {
        length += more;
        sure = true;
    }
    let (half, more) = half_at(tokens, at + length);
    length += more;
    sure |= half.is_some();
    if !sure && (bare == Bare::Refused || counts_something(tokens.word(at + length))) {
        return None;
    }
    Some((clock(daytime(hour, half, part)?, minute)?, length))
}

/// The part of the day that an utterance names anywhere, and where.
pub(super) fn part_in(tokens: &Tokens) -> Option<(Part, std::ops::Range<usize>)> {
    const FORMS: [(&str, Part); 7] = [
        ("morning", Part::Morning),
        ("afternoon", Part::Afternoon),
        ("evening", Part::Evening),
        ("tonight", Part::Evening),
        ("after lunch", Part::Afternoon),
        ("after work", Part::Evening),
        ("night", Part::Evening),
    ];
    FORMS.iter().find_map(|(word, part)| {
        let found = tokens.find(word)?;
        let greeting = tokens.before(found.start) == "good";
        (!greeting).then_some((*part, found))
    })
}

/// "half past two", "quarter to three", "ten past two", "half two".
fn past_or_to(tokens: &Tokens, at: usize, part: Option<Part>) -> Option<(Time, usize)> {
    let article = usize::from(tokens.word(at) == "a");
    let start = at + article;
    let (minutes, length) = match tokens.word(start) {
        "half" => (30, 1),
        "quarter" => (15, 1),
        _ if article > 0 => return None,
        _ => {
            let (minutes, length) =
                small_at(tokens, start).filter(|(minutes, _)| (1..60).contains(minutes))?;
            (minutes, length + tokens.any_at(start + length, "minutes, minute").unwrap_or(0))
        }
    };
    let link = start + length;
    let (before, skip) = match tokens.word(link) {
        "past" | "after" => (false, 1),
        "to" | "before" | "till" | "til" | "of" => (true, 1),
        _ if minutes == 30 && article == 0 && tokens.word(start) == "half" => (false, 0),
        _ => return None,
    };
    let (hour, more) = small_at(tokens, link + skip).filter(|(hour, _)| (1..=12).contains(hour))?;
    let mut end = link + skip + more;
    end += tokens.any_at(end, "o'clock, oclock").unwrap_or(0);
    // "ten to two hundred thousand" and "half two bedroom" are not times.
    if counts_something(tokens.word(end)) {
        return None;
    }
    let (half, more) = half_at(tokens, end);
    let hour = i64::from(daytime(hour, half, part)?);
    let total = if before {
        hour * 60 - i64::try_from(minutes).ok()?
    } else {
        hour * 60 + i64::try_from(minutes).ok()?
    };
    Some((clock(i8::try_from(total / 60).ok()?, u64::try_from(total % 60).ok()?)?, end + more - at))
}

/// Hour, minute, words, and whether the form alone says that it is a time.
fn hour_and_minute(tokens: &Tokens, at: usize) -> Option<(u64, u64, usize, bool)> {
    let word = tokens.free(at)?;
    if let Some((hour, minute)) = word.split_once(':') {
        return Some((hour.parse().ok()?, minute.get(..2)?.parse().ok()?, 1, true));
    }
    // "1030" needs its "am" or a word before it; it is never a time by form alone.
    if matches!(word.len(), 3 | 4) && word.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u64 = word.parse().ok()?;
        return (number / 100 <= 23 && number % 100 < 60).then_some((number / 100, number % 100, 1, false));
    }
    let (hour, length) = small_at(tokens, at).filter(|(hour, _)| *hour <= 23)?;
    let next = at + length;
    match tokens.free(next) {
        Some("oh" | "o" | "zero") => {
            if let Some((minute, more)) = small_at(tokens, next + 1).filter(|(minute, _)| *minute < 10) {
                return Some((hour, minute, length + 1 + more, false));
            }
        }
        Some("00") => return Some((hour, 0, length + 1, true)),
        Some("hundred") if hour >= 8 => {
            let hours = tokens.any_at(next + 1, "hours")?;
            return Some((hour, 0, length + 1 + hours, true));
        }
        Some(_) | None => {}
    }
    if let Some((minute, more)) = small_at(tokens, next).filter(|(minute, _)| (10..60).contains(minute)) {
        // "two thirty" is a time by form unless it counts something; "two fifty thousand" is not.
        let counted = counts_something(tokens.word(next + more));
        return (!counted).then_some((hour, minute, length + more, false));
    }
    (hour > 0).then_some((hour, 0, length, false))
}

fn half_at(tokens: &Tokens, at: usize) -> (Option<Half>, usize) {
    const FORMS: [(&str, Half); 12] = [
        ("in the morning", Half::Am),
        ("of the morning", Half::Am),
        ("in the afternoon", Half::Pm),
        ("in the evening", Half::Pm),
        ("at night", Half::Pm),
        ("a m", Half::Am),
        ("am", Half::Am),
        ("p m", Half::Pm),
        ("pm", Half::Pm),
        ("this morning", Half::Am),
        ("this afternoon", Half::Pm),
        ("this evening", Half::Pm),
    ];
    let found =
        FORMS.iter().find_map(|(phrase, half)| tokens.phrase_at(at, phrase).map(|length| (*half, length)));
    found.map_or((None, 0), |(half, length)| (Some(half), length))
}

/// Viewings are by day: without "am" or "pm", one to seven are afternoon and eight to twelve are morning and noon.
fn daytime(hour: u64, half: Option<Half>, part: Option<Part>) -> Option<i8> {
    let hour = i8::try_from(hour).ok().filter(|hour| (0..24).contains(hour))?;
    let half = half.or(match part {
        Some(Part::Morning) => Some(Half::Am),
        Some(Part::Afternoon | Part::Evening) => Some(Half::Pm),
        None => None,
    });
    Some(match half {
        Some(Half::Pm) if hour < 12 => hour + 12,
        None if (1..=7).contains(&hour) => hour + 12,
        // Nobody means midnight with "twelve in the morning".
        Some(Half::Am | Half::Pm) | None => hour,
    })
}

fn clock(hour: i8, minute: u64) -> Option<Time> {
    Time::new(hour, i8::try_from(minute).ok()?, 0, 0).ok()
}

/// Words that make the number before them a count of something else.
fn counts_something(word: &str) -> bool {
    super::vocabulary::is_unit(word)
}

/// "ten in the morning", "two thirty in the afternoon", "noon".
pub(super) fn spoken_time(time: Time) -> String {
    match time.hour() {
        12 if time.minute() == 0 => "noon".to_owned(),
        0..=11 => format!("{} in the morning", short_time(time)),
        12..=16 => format!("{} in the afternoon", short_time(time)),
        _ => format!("{} in the evening", short_time(time)),
    }
}

/// "ten", "two thirty", "ten oh five", "noon": for a list of times, where the part of the day is plain.
pub(super) fn short_time(time: Time) -> String {
    let (hour, minute) = (u64::from(time.hour().unsigned_abs()), u64::from(time.minute().unsigned_abs()));
    let spoken = number_to_words(match hour % 12 {
        0 => 12,
        hour => hour,
    });
    match minute {
        0 if hour == 12 => "noon".to_owned(),
        0 => spoken,
        1..=9 => format!("{spoken} oh {}", number_to_words(minute)),
        _ => format!("{spoken} {}", number_to_words(minute)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_in_many_forms() {
        for (said, expected) in [
            ("ten", "10:00"),
            ("two", "14:00"),
            ("eight", "08:00"),
            ("seven", "19:00"),
            ("twelve", "12:00"),
            ("half past two", "14:30"),
            ("half two", "14:30"),
            ("two thirty", "14:30"),
            ("two 30", "14:30"),
            ("2 30", "14:30"),
            ("2:30", "14:30"),
            ("10 00", "10:00"),
            ("quarter past ten", "10:15"),
            ("a quarter to three", "14:45"),
            ("quarter of nine", "08:45"),
            ("ten past two", "14:10"),
            ("twenty to five", "16:40"),
            ("ten minutes to eleven", "10:50"),
            ("noon", "12:00"),
            ("midday", "12:00"),
            ("ten a m", "10:00"),
            ("10am", "10:00"),
            ("three pm", "15:00"),
            ("three p m", "15:00"),
            ("nine in the morning", "09:00"),
            ("seven in the morning", "07:00"),
            ("four in the afternoon", "16:00"),
            ("six in the evening", "18:00"),
            ("ten o'clock", "10:00"),
            ("ten forty five", "10:45"),
            ("nine oh five", "09:05"),
            ("fourteen thirty", "14:30"),
            ("15:45", "15:45"),
            ("1030 am", "10:30"),
            ("two ish", "14:00"),
        ] {
            let tokens = Tokens::new(said);
            let Some((time, length)) = time_at(&tokens, 0, Bare::Allowed, None) else {
                panic!("{said}: nothing")
            };
            assert_eq!((&time.to_string()[..5], length), (expected, tokens.len()), "{said}");
        }
    }

    #[test]
    fn what_counts_something_is_no_time() {
        for said in [
            "two bedrooms",
            "two fifty thousand",
            "three hundred",
            "ten days",
            "forty",
            "twenty five",
            "zero",
        ] {
            assert_eq!(time_at(&Tokens::new(said), 0, Bare::Allowed, None), None, "{said}");
        }
        assert_eq!(time_at(&Tokens::new("ten"), 0, Bare::Refused, None), None);
    }

    #[test]
    fn a_part_of_the_day_decides_the_half() {
        let time = |part| time_at(&Tokens::new("eight"), 0, Bare::Allowed, part).unwrap().0.hour();
        assert_eq!((time(Some(Part::Morning)), time(Some(Part::Evening))), (8, 20));
        assert_eq!(part_in(&Tokens::new("good morning")), None);
        assert_eq!(part_in(&Tokens::new("tomorrow morning")).unwrap().0, Part::Morning);
    }

    #[test]
    fn every_spoken_time_is_understood_as_itself() {
        for minutes in 1..24 * 60 {
            let time = clock(i8::try_from(minutes / 60).unwrap(), minutes % 60).unwrap();
            let tokens = Tokens::new(&spoken_time(time));
            let found = time_at(&tokens, 0, Bare::Allowed, None);
            // Half past midnight has no form of its own here: twelve in the morning is noon.
            if time.hour() > 0 {
                assert_eq!(found, Some((time, tokens.len())), "{time}");
            }
        }
    }
}
