//! When a listing can be viewed: opening hours, the grid of start times, notice, horizon, and the buffer between visits.
//!
//! Pure: `now` and the viewings that are already booked are parameters. All rules are told in the brokerage's own civil
//! time; what leaves this module towards storage is a [`Timestamp`].

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};

/// How long a viewing takes.
pub const VIEWING_LENGTH: SignedDuration = SignedDuration::from_mins(30);
/// The pause that is kept between two viewings of one listing.
pub const VIEWING_BUFFER: SignedDuration = SignedDuration::from_mins(15);
/// The least time between booking and viewing.
pub const MINIMUM_NOTICE: SignedDuration = SignedDuration::from_mins(60);
/// How many days ahead can be booked, today not counted.
pub const HORIZON_DAYS: i32 = 30;
/// Viewings start on multiples of this many minutes past the full hour.
pub const GRID_MINUTES: i8 = 15;

/// A time zone that the IANA database does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone `{0}`: expected an IANA name, for example America/Chicago")]
pub struct UnknownZone(pub String);

/// From when to when viewings may take place on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The earliest start.
    pub opens: Time,
    /// The latest end.
    pub closes: Time,
}

/// A possible appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The start as people say it.
    pub time: Time,
    /// The start as it is stored.
    pub start: Timestamp,
}

impl Slot {
    /// When the visit is over; the buffer is not part of it.
    pub fn end(&self) -> Timestamp {
        self.start + VIEWING_LENGTH
    }

    /// Whether a viewing here would come nearer than the buffer to one from `start` to `end`.
    pub fn collides(&self, start: Timestamp, end: Timestamp) -> bool {
        self.start < end + VIEWING_BUFFER && start < self.end() + VIEWING_BUFFER
    }

    /// The start as `HH:MM`.
    pub fn label(&self) -> String {
        label(self.time)
    }
}

/// `HH:MM`.
pub fn label(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

/// Why nothing can be booked on a day, or at a time of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBookable {
    /// The day is over.
    #[error("the day is in the past")]
    PastDay,
    /// The day is beyond the horizon.
    #[error("viewings can be booked up to {last} only")]
    BeyondHorizon {
        /// The last day that can be booked.
        last: Date,
    },
    /// Too soon, or already over today.
    #[error("viewings need one hour of notice")]
    TooSoon,
    /// Before opening, after closing, or a time of day that a clock change leaves out.
    #[error("outside viewing hours")]
    Closed,
    /// Not on the grid of start times.
    #[error("viewings start on the quarter hour")]
    OffGrid,
}

/// The rules of one brokerage.
#[derive(Debug, Clone)]
pub struct ViewingHours {
    zone: TimeZone,
    weekdays: Opening,
    sundays: Opening,
}

impl ViewingHours {
    /// Monday to Saturday 09:00 to 18:00 and Sunday 11:00 to 16:00 in a zone of the IANA database.
    pub fn in_zone(name: &str) -> Result<Self, UnknownZone> {
        Ok(Self {
            zone: TimeZone::get(name).map_err(|_| UnknownZone(name.to_owned()))?,
            weekdays: Opening { opens: Time::constant(9, 0, 0, 0), closes: Time::constant(18, 0, 0, 0) },
            sundays: Opening { opens: Time::constant(11, 0, 0, 0), closes: Time::constant(16, 0, 0, 0) },
        })
    }

    /// The brokerage's time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The brokerage's date at an instant.
    pub fn day_of(&self, instant: Timestamp) -> Date {
        self.zone.to_datetime(instant).date()
    }

    /// The brokerage's time of day at an instant.
    pub fn time_of(&self, instant: Timestamp) -> Time {
        self.zone.to_datetime(instant).time()
    }

    /// Opening hours of a day.
    pub fn opening(&self, day: Date) -> Opening {
        if day.weekday() == Weekday::Sunday { self.sundays } else { self.weekdays }
    }

    /// Whether a day can be booked at all, as seen at `now`.
    pub fn check_day(&self, day: Date, now: Timestamp) -> Result<(), NotBookable> {
        let today = self.day_of(now);
        let last = today.saturating_add(jiff::Span::new().days(HORIZON_DAYS));
        if day < today {
            Err(NotBookable::PastDay)
        } else if day > last {
            Err(NotBookable::BeyondHorizon { last })
        } else {
            Ok(())
        }
    }

    /// The slot at a day and time if the rules allow it, as seen at `now`; whether it is free is another question.
    pub fn slot(&self, day: Date, time: Time, now: Timestamp) -> Result<Slot, NotBookable> {
        self.check_day(day, now)?;
        if time.minute() % GRID_MINUTES != 0 || time.second() != 0 || time.subsec_nanosecond() != 0 {
            return Err(NotBookable::OffGrid);
        }
        let opening = self.opening(day);
        let latest = opening.closes.saturating_sub(VIEWING_LENGTH);
        if time < opening.opens || time > latest {
            return Err(NotBookable::Closed);
        }
        let slot = self.instant(day, time).ok_or(NotBookable::Closed)?;
        if slot.start < now + MINIMUM_NOTICE { Err(NotBookable::TooSoon) } else { Ok(slot) }
    }

    /// The instant of a civil time, whatever the viewing hours are; `None` if a clock change leaves it out. One that happens
    /// twice is its first occurrence.
    pub fn instant_of(&self, day: Date, time: Time) -> Option<Timestamp> {
        self.instant(day, time).map(|slot| slot.start)
    }

    /// All slots of a day that the rules allow and that keep the buffer to every booked viewing, in order.
    pub fn free(&self, day: Date, now: Timestamp, booked: &[(Timestamp, Timestamp)]) -> Vec<Slot> {
        let per_day = 24 * 60 / i64::from(GRID_MINUTES);
        (0..per_day)
            .map(|step| Time::midnight() + SignedDuration::from_mins(step * i64::from(GRID_MINUTES)))
            .filter_map(|time| self.slot(day, time, now).ok())
            .filter(|slot| !booked.iter().any(|&(start, end)| slot.collides(start, end)))
            .collect()
    }

    /// The instants between which every viewing that can touch a day lies: its opening hours, widened by the buffer.
    pub fn reach(&self, day: Date) -> (Timestamp, Timestamp) {
        let opening = self.opening(day);
        let opens = day.to_datetime(opening.opens);
        let closes = day.to_datetime(opening.closes);
        let from = self.zone.to_ambiguous_timestamp(opens).earlier();
        let until = self.zone.to_ambiguous_timestamp(closes).later();
        let margin = VIEWING_LENGTH + VIEWING_BUFFER;
        (from.unwrap_or(Timestamp::MIN) - margin, until.unwrap_or(Timestamp::MAX) + margin)
    }

    /// A civil time that a clock change leaves out is no slot; one that happens twice is its first occurrence.
    fn instant(&self, day: Date, time: Time) -> Option<Slot> {
        let ambiguous = self.zone.to_ambiguous_timestamp(day.to_datetime(time));
        match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => None,
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                Some(Slot { time, start: ambiguous.earlier().ok()? })
            }
        }
    }
}

/// The few slots nearest to a wanted time, in order of the day.
pub fn nearest(free: &[Slot], wanted: Time, count: usize) -> Vec<Slot> {
    let mut by_distance = free.to_vec();
    by_distance.sort_by_key(|slot| (slot.time.duration_since(wanted).abs(), slot.time));
    by_distance.truncate(count);
    by_distance.sort_by_key(|slot| slot.time);
    by_distance
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    fn austin() -> ViewingHours {
        ViewingHours::in_zone("America/Chicago").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn labels(slots: &[Slot]) -> Vec<String> {
        slots.iter().map(Slot::label).collect()
    }

    /// Hours that contain the night, so that clock changes fall into them.
    fn night_in(zone: &str) -> ViewingHours {
        let all_night = Opening { opens: time(0, 0, 0, 0), closes: time(6, 0, 0, 0) };
        ViewingHours { zone: TimeZone::get(zone).unwrap(), weekdays: all_night, sundays: all_night }
    }

    #[test]
    fn an_empty_weekday_runs_from_nine_to_half_past_five_and_a_sunday_from_eleven_to_half_past_three() {
        let now = at("2026-11-20T00:00:00Z");
        let tuesday = austin().free(date(2026, 11, 24), now, &[]);
        assert_eq!((tuesday[0].label(), tuesday.last().unwrap().label()), ("09:00".into(), "17:30".into()));
        assert_eq!(tuesday.len(), 35);
        let sunday = austin().free(date(2026, 11, 22), now, &[]);
        assert_eq!((sunday[0].label(), sunday.last().unwrap().label()), ("11:00".into(), "15:30".into()));
    }

    #[test]
    fn a_booked_viewing_takes_its_own_time_and_the_buffer_on_both_sides_and_no_more() {
        let hours = austin();
        let now = at("2026-11-20T00:00:00Z");
        let ten = hours.slot(date(2026, 11, 24), time(10, 0, 0, 0), now).unwrap();
        let free = labels(&hours.free(date(2026, 11, 24), now, &[(ten.start, ten.end())]));
        for gone in ["09:30", "09:45", "10:00", "10:15", "10:30"] {
            assert!(!free.contains(&gone.to_owned()), "{gone} is too near");
        }
        for stays in ["09:00", "09:15", "10:45", "11:00"] {
            assert!(free.contains(&stays.to_owned()), "{stays} keeps the buffer");
        }
    }

    #[test]
    fn today_offers_only_what_leaves_an_hour_of_notice() {
        let now = at("2026-11-24T16:20:00Z"); // 10:20 in Austin
        let free = austin().free(date(2026, 11, 24), now, &[]);
        assert_eq!(free[0].label(), "11:30");
        let exactly = austin().slot(date(2026, 11, 24), time(11, 15, 0, 0), at("2026-11-24T16:15:00Z"));
        assert_eq!(exactly.unwrap().start, at("2026-11-24T17:15:00Z"));
    }

    #[test]
    fn each_broken_rule_has_its_own_answer() {
        let hours = austin();
        let now = at("2026-11-24T16:20:00Z");
        let cases = [
            (date(2026, 11, 23), time(10, 0, 0, 0), NotBookable::PastDay),
            (date(2026, 12, 25), time(10, 0, 0, 0), NotBookable::BeyondHorizon { last: date(2026, 12, 24) }),
            (date(2026, 11, 24), time(9, 0, 0, 0), NotBookable::TooSoon),
            (date(2026, 11, 25), time(8, 45, 0, 0), NotBookable::Closed),
            (date(2026, 11, 25), time(17, 45, 0, 0), NotBookable::Closed),
            (date(2026, 11, 29), time(10, 0, 0, 0), NotBookable::Closed),
            (date(2026, 11, 25), time(10, 10, 0, 0), NotBookable::OffGrid),
        ];
        for (day, time, expected) in cases {
            assert_eq!(hours.slot(day, time, now), Err(expected), "{day} {time}");
        }
        assert!(
            hours.slot(date(2026, 12, 24), time(10, 0, 0, 0), now).is_ok(),
            "the last day of the horizon"
        );
    }

    #[test]
    fn the_day_is_the_brokerages_own_even_when_utc_is_already_in_the_next() {
        let late_evening = at("2026-11-25T04:00:00Z"); // 22:00 on the 24th in Austin
        assert_eq!(austin().day_of(late_evening), date(2026, 11, 24));
        assert_eq!(austin().check_day(date(2026, 11, 24), late_evening), Ok(()));
    }

    #[test]
    fn nine_in_the_morning_stays_nine_in_the_morning_over_both_clock_changes() {
        let hours = austin();
        let cases = [
            ("2026-03-01T12:00:00Z", date(2026, 3, 7), "2026-03-07T15:00:00Z"), // standard time, UTC-6
            ("2026-03-01T12:00:00Z", date(2026, 3, 9), "2026-03-09T14:00:00Z"), // daylight time, UTC-5
            ("2026-10-25T12:00:00Z", date(2026, 10, 31), "2026-10-31T14:00:00Z"),
            ("2026-10-25T12:00:00Z", date(2026, 11, 2), "2026-11-02T15:00:00Z"),
        ];
        for (now, day, start) in cases {
            assert_eq!(hours.slot(day, time(9, 0, 0, 0), at(now)).unwrap().start, at(start), "{day}");
        }
        let changed = hours.free(date(2026, 3, 8), at("2026-03-01T12:00:00Z"), &[]);
        assert_eq!(
            (changed[0].label(), changed.len()),
            ("11:00".into(), 19),
            "the Sunday of the change itself"
        );
    }

    #[test]
    fn a_time_that_the_clock_skips_is_never_offered() {
        let night = night_in("America/Chicago");
        let free = labels(&night.free(date(2026, 3, 8), at("2026-03-01T12:00:00Z"), &[]));
        assert!(free.contains(&"01:45".to_owned()) && free.contains(&"03:00".to_owned()));
        assert!(!free.iter().any(|time| time.starts_with("02:")), "{free:?}");
        let skipped = night.slot(date(2026, 3, 8), time(2, 30, 0, 0), at("2026-03-01T12:00:00Z"));
        assert_eq!(skipped, Err(NotBookable::Closed));
    }

    #[test]
    fn a_time_that_happens_twice_is_offered_once_as_its_first_occurrence() {
        let night = night_in("America/Chicago");
        let free = night.free(date(2026, 11, 1), at("2026-10-25T12:00:00Z"), &[]);
        let twice: Vec<_> = free.iter().filter(|slot| slot.label() == "01:30").collect();
        assert_eq!(twice.len(), 1);
        assert_eq!(twice[0].start, at("2026-11-01T06:30:00Z"), "still daylight time, UTC-5");
    }

    #[test]
    fn a_zone_that_changes_at_midnight_loses_its_first_hour_and_nothing_else() {
        let night = night_in("America/Havana");
        let free = labels(&night.free(date(2026, 3, 8), at("2026-03-01T12:00:00Z"), &[]));
        assert_eq!(free[0], "01:00");
    }

    #[test]
    fn the_nearest_times_are_told_in_the_order_of_the_day() {
        let free = austin().free(date(2026, 11, 24), at("2026-11-20T00:00:00Z"), &[]);
        assert_eq!(labels(&nearest(&free, time(10, 5, 0, 0), 3)), ["09:45", "10:00", "10:15"]);
        assert_eq!(labels(&nearest(&free, time(20, 0, 0, 0), 2)), ["17:15", "17:30"]);
        assert!(nearest(&[], time(10, 0, 0, 0), 3).is_empty());
    }

    #[test]
    fn an_unknown_zone_is_named() {
        assert_eq!(ViewingHours::in_zone("Mars/Olympus").unwrap_err(), UnknownZone("Mars/Olympus".into()));
    }

    proptest! {
        #[test]
        fn whatever_is_free_keeps_the_buffer_to_everything_booked(
            day in 0_i64..31,
            starts in proptest::collection::vec(0_i64..36, 0..6),
        ) {
            let hours = austin();
            let now = at("2026-10-20T00:00:00Z"); // the clock changes within the horizon
            let day = date(2026, 10, 19) + jiff::Span::new().days(day);
            let (opens, reach_end) = hours.reach(day);
            let booked: Vec<_> = starts.iter().map(|quarter| {
                let start = opens + SignedDuration::from_mins(45 + quarter * 15);
                (start, start + VIEWING_LENGTH)
            }).collect();
            for slot in hours.free(day, now, &booked) {
                prop_assert!(slot.end() <= reach_end);
                for &(start, end) in &booked {
                    let apart = if slot.start >= end {
                        slot.start.duration_since(end)
                    } else {
                        start.duration_since(slot.end())
                    };
                    prop_assert!(apart >= VIEWING_BUFFER, "{slot:?} against {start}..{end}");
                }
            }
        }
    }
}
