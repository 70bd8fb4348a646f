//! `book_viewing`: an appointment, once.
//!
//! A repeated request for the same home and time on the same call gets the viewing that is already there; a request for
//! another time of the same home moves it. Two callers cannot get the same time: the database decides, whatever was read
//! before.

use super::{
    Bench, Spec, Trouble,
    check_availability::{booked_on, day_refusal, labels, spans},
    listing_of, save_lead, unknown_listing,
};
use crate::{
    arguments::{Fields, Refusal, required, text_schema},
    hours::{self, NotBookable, Slot, VIEWING_BUFFER},
    phone,
};
use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use seiketsu_domain::{ListingId, PhoneNumber, Pii, ViewingId};
use seiketsu_storage::{
    DbError, TenantTx, leads,
    listings::{self, Listing, ListingStatus},
    viewings::{self, Booking, NewViewing, Rescheduling, Viewing, ViewingStatus},
};
use serde_json::{Value, json};

const MAX_NAME_CHARS: usize = 80;
/// How many other times are offered when the wanted one is taken.
const OFFERED: usize = 3;
/// More viewings than one call can book.
const OWN_LIMIT: u32 = 200;

pub(super) fn spec() -> Spec {
    (
        "Books a viewing of a home. It is booked only if the answer contains a viewing; otherwise offer one of the free \
         times in the answer. Booking another time for the same home moves the viewing.",
        json!({
            "listing": text_schema("The listing's id as search_listings returned it"),
            "day": text_schema("The day as YYYY-MM-DD"),
            "time": text_schema("The start on the 24 hour clock as HH:MM"),
            "name": text_schema("The visitor's name as the caller gave it"),
            "phone": text_schema("A number to call back, only if the caller gave another one than they call from"),
        }),
        &["listing", "day", "time", "name"],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let wanted = Arguments::read(fields)?;
    bench.notebook.looked_at(wanted.listing);
    if let Some(answer) = book(bench, &wanted).await? {
        return Ok(answer);
    }
    // Somebody was faster between our look and our booking. What they left is what can be offered.
    book(bench, &wanted).await?.ok_or_else(|| taken(&[], wanted.time).into())
}

struct Arguments {
    listing: ListingId,
    day: Date,
    time: Time,
    name: String,
    phone: Option<PhoneNumber>,
}

impl Arguments {
    fn read(fields: &Fields) -> Result<Self, Refusal> {
        Ok(Self {
            listing: listing_of(fields)?,
            day: required("day", fields.day("day"), "ask for the day, and send it as YYYY-MM-DD")?,
            time: required("time", fields.time("time"), "ask for the time, and send it as HH:MM")?,
            name: required("name", fields.text("name", MAX_NAME_CHARS), "ask the caller for a name")?,
            phone: phone::read(fields, "phone")?,
        })
    }
}

/// `None`: the database found a collision that the look before had not shown.
async fn book(bench: &Bench, wanted: &Arguments) -> Result<Option<Value>, Trouble> {
    let now = bench.clock.now();
    let mut tx = bench.db.tenant(&bench.scope).await?;
    let listing = listings::get(&mut tx, wanted.listing).await?.ok_or_else(unknown_listing)?;
    if listing.status != ListingStatus::Active {
        return Err(Refusal::new("this home is no longer on offer", "offer another home").into());
    }
    // In this order: what a repetition of this very request books in between is then seen as the call's own.
    let booked = booked_on(&mut tx, &bench.hours, wanted.listing, wanted.day).await?;
    let own = own_viewings(&mut tx, bench, wanted.listing, now).await?;
    let local = |at| (bench.hours.day_of(at), bench.hours.time_of(at));
    if let Some(same) = own.iter().find(|viewing| local(viewing.starts_at) == (wanted.day, wanted.time)) {
        return Ok(Some(confirmation(&listing, same, wanted, None)));
    }
    let others = booked.iter().filter(|viewing| own.iter().all(|mine| mine.id != viewing.id));
    let free = bench.hours.free(wanted.day, now, &spans(others));
    let slot = match bench.hours.slot(wanted.day, wanted.time, now) {
        Ok(slot) if free.contains(&slot) => slot,
        Ok(_) => return Err(taken(&free, wanted.time).into()),
        Err(reason) => return Err(not_bookable(bench, reason, wanted.day, wanted.time, &free, now).into()),
    };
    let lead = leads::list(&mut tx, Some(bench.call_id), None, 1).await?.pop();
    let new = NewViewing {
        id: bench.ids.next::<ViewingId>(),
        listing_id: wanted.listing,
        lead_id: lead.as_ref().map(|lead| lead.id),
        call_id: Some(bench.call_id),
        visitor_name: Pii::new(wanted.name.clone()),
        visitor_phone: wanted.phone.clone().map(Pii::new).or_else(|| bench.caller.clone()),
        starts_at: slot.start,
        ends_at: slot.end(),
        buffer: VIEWING_BUFFER.unsigned_abs(),
        at: now,
    };
    let Some(viewing) = put(&mut tx, &own, &new).await? else { return Ok(None) };
    if let Some(lead) = lead {
        save_lead::rescore(&mut tx, bench, lead).await?;
    }
    tx.commit().await?;
    Ok(Some(confirmation(&listing, &viewing, wanted, own.first().map(|moved| local(moved.starts_at)))))
}

/// Books, in the place of what this call had booked for the home; `None` if somebody else has the time.
async fn put(tx: &mut TenantTx, own: &[Viewing], new: &NewViewing) -> Result<Option<Viewing>, Trouble> {
    let Some((last, older)) = own.split_first() else {
        return match viewings::book(tx, new).await? {
            Booking::Booked(viewing) => Ok(Some(viewing)),
            Booking::Taken => Ok(None),
            Booking::NoSuchListing => Err(unknown_listing().into()),
        };
    };
    for viewing in older {
        viewings::cancel(tx, viewing.id, new.at, Some("moved to another time")).await?;
    }
    match viewings::reschedule(tx, last.id, new).await? {
        Rescheduling::Moved(viewing) => Ok(Some(viewing)),
        Rescheduling::Taken | Rescheduling::NoSuchViewing => Ok(None),
        Rescheduling::NoSuchListing => Err(unknown_listing().into()),
    }
}

/// What this call has booked for a home and has not yet begun.
async fn own_viewings(
    tx: &mut TenantTx,
    bench: &Bench,
    listing: ListingId,
    now: Timestamp,
) -> Result<Vec<Viewing>, DbError> {
    let mut own = viewings::list(tx, Some(bench.call_id), None, OWN_LIMIT).await?;
    own.retain(|viewing| {
        viewing.listing_id == listing && viewing.status == ViewingStatus::Booked && viewing.starts_at > now
    });
    Ok(own)
}

fn confirmation(
    listing: &Listing,
    viewing: &Viewing,
    wanted: &Arguments,
    moved_from: Option<(Date, Time)>,
) -> Value {
    let mut answer = json!({
        "viewing": viewing.id,
        "listing": listing.id,
        "address": listing.address,
        "day": wanted.day.to_string(),
        "weekday": wanted.day.strftime("%A").to_string(),
        "time": hours::label(wanted.time),
    });
    if let Some((day, time)) = moved_from {
        answer["moved_from"] = json!({"day": day.to_string(), "time": hours::label(time)});
    }
    answer
}

pub(super) fn taken(free: &[Slot], wanted: Time) -> Refusal {
    let offered = labels(&hours::nearest(free, wanted, OFFERED));
    let hint = if offered.is_empty() {
        "nothing is free on that day; offer another day"
    } else {
        "offer these times"
    };
    Refusal::new("taken", hint).with("free", offered)
}

pub(super) fn not_bookable(
    bench: &Bench,
    reason: NotBookable,
    day: Date,
    time: Time,
    free: &[Slot],
    now: Timestamp,
) -> Refusal {
    match reason {
        NotBookable::PastDay | NotBookable::BeyondHorizon { .. } => day_refusal(reason, &bench.hours, now),
        NotBookable::TooSoon | NotBookable::Closed | NotBookable::OffGrid => {
            let opening = bench.hours.opening(day);
            let hint = format!(
                "on a {} viewings are from {} to {}; offer these times",
                day.strftime("%A"),
                hours::label(opening.opens),
                hours::label(opening.closes)
            );
            let offered = labels(&hours::nearest(free, time, OFFERED));
            Refusal::new(reason.to_string(), hint).with("free", offered)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_or_malformed_argument_is_named() {
        let good = json!({
            "listing": ListingId::from_uuid(uuid::Uuid::from_u128(7)), "day": "2026-11-24", "time": "14:30",
            "name": "Anna Lee", "phone": "512 555 0142",
        });
        assert!(Arguments::read(&Fields::parse(&good.to_string()).unwrap()).is_ok());
        let cases = [
            ("listing", json!(null), "listing is missing"),
            ("listing", json!("12 Maple Street"), "there is no such listing"),
            ("day", json!(null), "day is missing"),
            ("day", json!("tomorrow"), "day is not a day"),
            ("time", json!(""), "time is missing"),
            ("time", json!("half past two"), "time is not a time"),
            ("name", json!(" "), "name is missing"),
            ("name", json!("x".repeat(81)), "name is too long"),
            ("phone", json!("my mobile"), "phone is not a phone number"),
        ];
        for (field, value, error) in cases {
            let mut bad = good.clone();
            bad[field] = value;
            let Err(refusal) = Arguments::read(&Fields::parse(&bad.to_string()).unwrap()) else {
                panic!("{bad} was read")
            };
            assert!(refusal.text().contains(error), "{bad}: {}", refusal.text());
        }
    }
}
