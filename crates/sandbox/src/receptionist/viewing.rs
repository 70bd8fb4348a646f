//! The viewing: a day, a time, a name, and the booking.

use super::{
    caller::{down, phone_question},
    decide::can,
    heard::{Act, Wish},
    listing::Listing,
    memory::{Booking, DayPlan, Memory, time_argument},
    moves::{Asked, Line, Move, Tool},
};
use jiff::civil::{Date, Time};
use serde_json::json;

/// Times offered in one breath.
const OFFERED_TIMES: usize = 3;
/// Days after the wanted one that are tried when it is full.
const FURTHER_DAYS: i64 = 3;

enum DaySearch<'a> {
    Call(Vec<Date>),
    Free { day: Date, times: &'a [Time] },
    Full,
    Refused,
}

pub(super) fn schedule(memory: &Memory, home: &Listing, mut lines: Vec<Line>) -> Move {
    let booking = memory.bookings.iter().find(|booking| booking.listing == home.id);
    let as_booked =
        |booking: &&Booking| memory.day == Some(booking.day) && memory.time == Some(Wish::At(booking.time));
    if let Some(booking) = booking.filter(|booking| !memory.moving || as_booked(booking)) {
        lines.push(Line::AlreadyBooked { booking: booking.clone() });
        return Move::say(lines, Asked::AnythingElse);
    }
    if !memory.shown.contains(&home.id) {
        lines.push(Line::Intro(home.clone()));
    }
    let Some(today) = memory.today else { return down(memory, lines, Line::Down) };
    let wanted = if memory.soonest {
        today
    } else {
        let Some(day) = memory.day else {
            if lines.is_empty() {
                lines.push(Line::Happy);
            }
            return Move::say(lines, Asked::Day);
        };
        day
    };
    if memory.failed.contains(&Tool::BookViewing) || memory.failed.contains(&Tool::RescheduleViewing) {
        return down(memory, lines, Line::BookingFailed);
    }
    match find_day(memory, home, wanted) {
        DaySearch::Call(days) if can(memory, Tool::CheckAvailability) => Move::Call(
            days.into_iter()
                .map(|day| (Tool::CheckAvailability, json!({"listing": home.id, "day": day.to_string()})))
                .collect(),
        ),
        DaySearch::Call(_) => down(memory, lines, Line::Down),
        DaySearch::Refused => {
            lines.push(Line::DayRefused);
            Move::say(lines, Asked::Day)
        }
        DaySearch::Full => {
            lines.push(Line::DayFull);
            Move::say(lines, Asked::Day)
        }
        DaySearch::Free { day, times } => choose_time(memory, home, wanted, day, times, lines),
    }
}

fn find_day<'a>(memory: &'a Memory, home: &Listing, wanted: Date) -> DaySearch<'a> {
    let plan = |day: Date| memory.plans.get(&(home.id.clone(), day));
    match plan(wanted) {
        None => DaySearch::Call(vec![wanted]),
        Some(DayPlan::Refused) => DaySearch::Refused,
        Some(DayPlan::Free(times)) if !times.is_empty() => DaySearch::Free { day: wanted, times },
        Some(DayPlan::Free(_)) => {
            let further: Vec<Date> = (1..=FURTHER_DAYS)
                .filter_map(|days| wanted.checked_add(jiff::Span::new().days(days)).ok())
                .collect();
            let free = further.iter().find_map(|day| match plan(*day) {
                Some(DayPlan::Free(times)) if !times.is_empty() => Some(DaySearch::Free { day: *day, times }),
                Some(DayPlan::Free(_) | DayPlan::Refused) | None => None,
            });
            let unknown: Vec<Date> = further.into_iter().filter(|day| plan(*day).is_none()).collect();
            match free {
                Some(free) => free,
                None if !unknown.is_empty() => DaySearch::Call(unknown),
                None => DaySearch::Full,
            }
        }
    }
}

fn choose_time(
    memory: &Memory,
    home: &Listing,
    wanted_day: Date,
    day: Date,
    free: &[Time],
    mut lines: Vec<Line>,
) -> Move {
    let other_day = day != wanted_day && !memory.soonest;
    if other_day {
        lines.push(Line::DayFull);
    }
    let wanted = match memory.time {
        Some(Wish::At(time)) => Some(time),
        Some(Wish::Earliest) => free.first().copied(),
        Some(Wish::Latest) => free.last().copied(),
        Some(Wish::In(_) | Wish::After(_) | Wish::Before(_) | Wish::Nth(_) | Wish::Later | Wish::Earlier)
        | None => None,
    };
    match wanted {
        Some(time) if !free.contains(&time) => {
            let times = nearest(free, time);
            lines.push(Line::Instead { day, wanted: Some(time), times });
            Move::say(lines, Asked::Time { day })
        }
        Some(time) if !other_day => book(memory, home, day, time, lines),
        Some(_) | None => {
            let suits = |time: &Time| match memory.time {
                Some(Wish::In(part)) => part.contains(*time),
                Some(Wish::After(after)) => *time >= after,
                Some(Wish::Before(before)) => *time <= before,
                Some(
                    Wish::At(_) | Wish::Earliest | Wish::Latest | Wish::Nth(_) | Wish::Later | Wish::Earlier,
                )
                | None => true,
            };
            let mut fitting: Vec<Time> = free.iter().filter(|time| suits(time)).copied().collect();
            let unheard: Vec<Time> =
                fitting.iter().filter(|time| !memory.declined_times.contains(time)).copied().collect();
            if !unheard.is_empty() {
                fitting = unheard;
            }
            let line = if fitting.is_empty() {
                Line::Instead { day, wanted: None, times: spread(free) }
            } else if memory.soonest {
                Line::Times { day, times: fitting.into_iter().take(OFFERED_TIMES).collect() }
            } else {
                Line::Times { day, times: spread(&fitting) }
            };
            lines.push(line);
            Move::say(lines, Asked::Time { day })
        }
    }
}

/// First, middle and last: a few times that cover the day.
fn spread(times: &[Time]) -> Vec<Time> {
    match times.len() {
        0..=OFFERED_TIMES => times.to_vec(),
        count => vec![times[0], times[count / 2], times[count - 1]],
    }
}

/// The free times closest to the one that is not.
pub(super) fn nearest(free: &[Time], wanted: Time) -> Vec<Time> {
    let minutes = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
    let mut times = free.to_vec();
    times.sort_by_key(|time| (minutes(*time) - minutes(wanted)).abs());
    times.truncate(OFFERED_TIMES);
    times.sort_unstable();
    times
}

fn book(memory: &Memory, home: &Listing, day: Date, time: Time, mut lines: Vec<Line>) -> Move {
    let Some(name) = &memory.name else {
        if memory.asked == Asked::Name && memory.variant_of(&Asked::Name) > 0 {
            lines.push(if memory.turn.is(Act::No) { Line::NeedName } else { Line::Happy });
        } else {
            lines.push(Line::IsFree { day, time });
        }
        return Move::say(lines, Asked::Name);
    };
    let lines = match phone_question(memory, lines) {
        Ok(question) => return question,
        Err(lines) => lines,
    };
    let booked = memory.bookings.iter().find(|booking| booking.listing == home.id);
    if let Some(booking) = booked.filter(|_| can(memory, Tool::RescheduleViewing)) {
        let arguments =
            json!({"viewing": booking.viewing, "date": day.to_string(), "time": time_argument(time)});
        return Move::call(Tool::RescheduleViewing, arguments);
    }
    if !can(memory, Tool::BookViewing) {
        return down(memory, lines, Line::BookingFailed);
    }
    let mut arguments = json!({
        "listing": home.id, "day": day.to_string(), "time": time_argument(time), "name": name,
    });
    // The number a call comes from is known to the tools already.
    if let (Some(phone), Some(map)) = (&memory.phone, arguments.as_object_mut()) {
        map.insert("phone".to_owned(), phone.as_str().into());
    }
    Move::call(Tool::BookViewing, arguments)
}
