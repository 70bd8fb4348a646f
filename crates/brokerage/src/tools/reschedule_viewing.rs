//! `reschedule_viewing`: the same home at another time.
//!
//! The new viewing takes the place of the old one in one transaction, so that the caller never has both or neither. The
//! caller's own old time is not in the way of the new one.

use super::{
    Bench, Spec, Trouble,
    book_viewing::{not_bookable, taken},
    check_availability::{booked_on, spans},
    own_viewing, save_lead,
};
use crate::{
    arguments::{Fields, Refusal, required, text_schema},
    hours::{self, VIEWING_BUFFER},
};
use jiff::civil::{Date, Time};
use seiketsu_domain::ViewingId;
use seiketsu_storage::{
    leads,
    viewings::{self, NewViewing, Rescheduling},
};
use serde_json::{Value, json};

pub(super) fn spec() -> Spec {
    (
        "Moves a viewing of the caller to another time. It is moved only if the answer contains a viewing; otherwise the \
         old one stands, and you can offer one of the free times in the answer.",
        json!({
            "viewing": text_schema("The viewing's id, if the caller has more than one; leave it out otherwise"),
            "date": text_schema("The new day as YYYY-MM-DD"),
            "time": text_schema("The new start on the 24 hour clock as HH:MM"),
        }),
        &["date", "time"],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let day = required("date", fields.day("date"), "ask for the new day, and send it as YYYY-MM-DD")?;
    let time = required("time", fields.time("time"), "ask for the new time, and send it as HH:MM")?;
    if let Some(answer) = attempt(bench, fields, day, time).await? {
        return Ok(answer);
    }
    // Somebody was faster between our look and our booking. What they left is what can be offered.
    attempt(bench, fields, day, time).await?.ok_or_else(|| taken(&[], time).into())
}

/// `None`: the database found a collision that the look before had not shown.
async fn attempt(bench: &Bench, fields: &Fields, day: Date, time: Time) -> Result<Option<Value>, Trouble> {
    let now = bench.clock.now();
    let mut tx = bench.db.tenant(&bench.scope).await?;
    let old = own_viewing::meant(&mut tx, bench, fields).await?;
    let (old_day, old_time) = (bench.hours.day_of(old.starts_at), bench.hours.time_of(old.starts_at));
    if (old_day, old_time) == (day, time) {
        return Ok(Some(own_viewing::described(&mut tx, bench, &old).await?));
    }
    let booked = booked_on(&mut tx, &bench.hours, old.listing_id, day).await?;
    let others = booked.iter().filter(|viewing| viewing.id != old.id);
    let free = bench.hours.free(day, now, &spans(others));
    let slot = match bench.hours.slot(day, time, now) {
        Ok(slot) if free.contains(&slot) => slot,
        Ok(_) => return Err(taken(&free, time).into()),
        Err(reason) => return Err(not_bookable(bench, reason, day, time, &free, now).into()),
    };
    let new = NewViewing {
        id: bench.ids.next::<ViewingId>(),
        listing_id: old.listing_id,
        lead_id: old.lead_id,
        call_id: Some(bench.call_id),
        visitor_name: old.visitor_name.clone(),
        visitor_phone: old.visitor_phone.clone(),
        starts_at: slot.start,
        ends_at: slot.end(),
        buffer: VIEWING_BUFFER.unsigned_abs(),
        at: now,
    };
    let viewing = match viewings::reschedule(&mut tx, old.id, &new).await? {
        Rescheduling::Moved(viewing) => viewing,
        // Dropping the transaction keeps the old viewing.
        Rescheduling::Taken | Rescheduling::NoSuchViewing => return Ok(None),
        Rescheduling::NoSuchListing => {
            return Err(Refusal::new(
                "this home is no longer on offer",
                "say so, and offer another home; the viewing stands unless it is cancelled",
            )
            .into());
        }
    };
    if let Some(lead) = leads::list(&mut tx, Some(bench.call_id), None, 1).await?.pop() {
        save_lead::rescore(&mut tx, bench, lead).await?;
    }
    let mut answer = own_viewing::described(&mut tx, bench, &viewing).await?;
    tx.commit().await?;
    answer["moved_from"] = json!({"day": old_day.to_string(), "time": hours::label(old_time)});
    Ok(Some(answer))
}
