//! `request_callback`: somebody will call the caller back, at a time or in a part of a day.
//!
//! One promise per call: another time moves it.

use super::{Bench, Spec, Trouble};
use crate::{
    arguments::{Fields, Refusal, required, text_schema},
    hours::{self, HORIZON_DAYS, ViewingHours},
    phone,
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
};
use seiketsu_domain::Pii;
use seiketsu_storage::{
    callbacks::{self, Callback},
    ids::CallbackId,
};
use serde_json::{Value, json};

const MAX_WHEN_CHARS: usize = 60;
const MAX_ABOUT_CHARS: usize = 400;
/// Nobody is called earlier or later in the day.
const EARLIEST: Time = Time::constant(8, 0, 0, 0);
const LATEST: Time = Time::constant(20, 0, 0, 0);

pub(super) fn spec() -> Spec {
    (
        "Promises the caller that somebody will call them back. It is promised only if the answer contains a callback.",
        json!({
            "when": text_schema(
                "A time as YYYY-MM-DD HH:MM, or a part of a day as YYYY-MM-DD morning or YYYY-MM-DD afternoon",
            ),
            "phone": text_schema("The number to call, only if it is another one than they call from"),
            "about": text_schema("What it is about, in a sentence"),
        }),
        &["when"],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let text = required("when", fields.text("when", MAX_WHEN_CHARS), "ask when the call would suit them")?;
    let about = fields.text("about", MAX_ABOUT_CHARS)?.map(Pii::new);
    let phone = phone::read(fields, "phone")?.map(Pii::new).or_else(|| bench.caller.clone());
    let phone = phone.ok_or_else(|| {
        Refusal::new("the number to call is not known", "ask the caller for a number, and send it as phone")
    })?;
    let now = bench.clock.now();
    let when = When::read(&text, bench.hours.day_of(now))?;
    let (due_from, due_until) = when.due(&bench.hours, now)?;
    let mut tx = bench.db.tenant(&bench.scope).await?;
    let promise = Callback {
        id: bench.ids.next::<CallbackId>(),
        call_id: bench.call_id,
        phone,
        about,
        due_from,
        due_until,
        created_at: now,
    };
    let promise = callbacks::upsert(&mut tx, &promise).await?;
    tx.commit().await?;
    Ok(json!({
        "callback": promise.id,
        "at": format!("{} {}", when.day, when.label()),
        "weekday": when.day.strftime("%A").to_string(),
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    At(Time),
    Morning,
    Afternoon,
}

/// When the caller wants to be called, in the brokerage's own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct When {
    day: Date,
    part: Part,
}

impl When {
    fn read(text: &str, today: Date) -> Result<Self, Refusal> {
        let refused = || {
            Refusal::new(
                "when is neither a time nor a part of a day",
                "send when as YYYY-MM-DD HH:MM, YYYY-MM-DD morning or YYYY-MM-DD afternoon",
            )
        };
        let text = text.to_lowercase();
        if text.contains(':') {
            let at: DateTime = text.parse().map_err(|_| refused())?;
            return Ok(Self { day: at.date(), part: Part::At(at.time()) });
        }
        let (mut day, mut part) = (None, None);
        for word in text.split(|letter: char| letter.is_whitespace() || letter == ',') {
            match word {
                "" | "in" | "of" | "on" | "the" => {}
                "morning" => part = Some(Part::Morning),
                "afternoon" => part = Some(Part::Afternoon),
                "today" => day = Some(today),
                "tomorrow" => day = today.tomorrow().ok(),
                word => day = Some(word.parse().map_err(|_| refused())?),
            }
        }
        match (day, part) {
            (Some(day), Some(part)) => Ok(Self { day, part }),
            (_, None) | (None, _) => Err(refused()),
        }
    }

    /// Not before, and not after.
    fn due(self, hours: &ViewingHours, now: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
        let today = hours.day_of(now);
        let last = today.saturating_add(jiff::Span::new().days(HORIZON_DAYS));
        if self.day > last {
            return Err(Refusal::new(
                format!("calls back are promised up to {last} only"),
                "ask for an earlier day",
            ));
        }
        let (from, until) = match self.part {
            Part::At(time) if time < EARLIEST || time > LATEST => {
                let hint = format!(
                    "calls back are from {} to {}; ask for a time between them",
                    hours::label(EARLIEST),
                    hours::label(LATEST)
                );
                return Err(Refusal::new("nobody calls back at that hour", hint));
            }
            Part::At(time) => (time, time),
            Part::Morning => (Time::constant(9, 0, 0, 0), Time::constant(12, 0, 0, 0)),
            Part::Afternoon => (Time::constant(13, 0, 0, 0), Time::constant(17, 0, 0, 0)),
        };
        let (Some(from), Some(until)) = (hours.instant_of(self.day, from), hours.instant_of(self.day, until))
        else {
            return Err(Refusal::new("the clock skips that time", "ask for another time"));
        };
        if until < now {
            let hint = format!("it is {} {}; ask for a later time", today, hours::label(hours.time_of(now)));
            return Err(Refusal::new("that time is over", hint));
        }
        Ok((from.max(now), until))
    }

    fn label(self) -> String {
        match self.part {
            Part::At(time) => hours::label(time),
            Part::Morning => "morning".to_owned(),
            Part::Afternoon => "afternoon".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 11, 24);

    fn due(text: &str) -> Result<(String, String), String> {
        let hours = ViewingHours::in_zone("America/Chicago").unwrap();
        // 10:15 in Austin.
        let now = "2026-11-24T16:15:00Z".parse().unwrap();
        let when = When::read(text, TODAY).map_err(|refusal| refusal.text())?;
        let (from, until) = when.due(&hours, now).map_err(|refusal| refusal.text())?;
        Ok((from.to_string(), until.to_string()))
    }

    #[test]
    fn a_time_and_a_part_of_a_day_are_read_in_the_brokerages_own_time() {
        for (text, from, until) in [
            ("2026-11-25T10:00", "2026-11-25T16:00:00Z", "2026-11-25T16:00:00Z"),
            ("2026-11-25 10:00", "2026-11-25T16:00:00Z", "2026-11-25T16:00:00Z"),
            ("2026-11-25 morning", "2026-11-25T15:00:00Z", "2026-11-25T18:00:00Z"),
            ("afternoon of 2026-11-25", "2026-11-25T19:00:00Z", "2026-11-25T23:00:00Z"),
            ("tomorrow, in the morning", "2026-11-25T15:00:00Z", "2026-11-25T18:00:00Z"),
            ("2026-11-24 morning", "2026-11-24T16:15:00Z", "2026-11-24T18:00:00Z"),
        ] {
            assert_eq!(due(text), Ok((from.to_owned(), until.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_promised_is_refused_with_what_can() {
        for (text, error) in [
            ("soon", "neither a time nor a part"),
            ("2026-11-25", "neither a time nor a part"),
            ("morning", "neither a time nor a part"),
            ("2026-11-25T10:00Z", "neither a time nor a part"),
            ("2026-11-24 09:00", "that time is over"),
            ("2026-11-23 morning", "that time is over"),
            ("2026-11-25 23:00", "nobody calls back at that hour"),
            ("2026-11-25 07:59", "nobody calls back at that hour"),
            ("2027-11-25 10:00", "up to 2026-12-24 only"),
        ] {
            let refusal = due(text).unwrap_err();
            assert!(refusal.contains(error), "{text}: {refusal}");
        }
    }
}
