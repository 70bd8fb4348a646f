//! `check_availability`: when a home can be viewed.

use super::{Bench, Spec, Trouble, listing_of, unknown_listing};
use crate::{
    arguments::{Fields, Refusal, required, text_schema},
    hours::{NotBookable, Slot, ViewingHours},
};
use jiff::{Timestamp, civil::Date};
use seiketsu_domain::ListingId;
use seiketsu_storage::{
    DbError, TenantTx, listings,
    viewings::{self, Viewing},
};
use serde_json::{Value, json};

pub(super) fn spec() -> Spec {
    (
        "Tells at what times a home can be viewed on a day. Viewings take half an hour. Offer the caller two or three of \
         the times, not all.",
        json!({
            "listing": text_schema("The listing's id as search_listings returned it"),
            "day": text_schema("The day as YYYY-MM-DD"),
        }),
        &["listing", "day"],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let id = listing_of(fields)?;
    let day = required("day", fields.day("day"), "send the day as YYYY-MM-DD")?;
    let now = bench.clock.now();
    let mut tx = bench.db.tenant(&bench.scope).await?;
    listings::get(&mut tx, id).await?.ok_or_else(unknown_listing)?;
    bench.hours.check_day(day, now).map_err(|reason| day_refusal(reason, &bench.hours, now))?;
    let booked = booked_on(&mut tx, &bench.hours, id, day).await?;
    let free = bench.hours.free(day, now, &spans(&booked));
    bench.notebook.looked_at(id);
    Ok(json!({
        "day": day.to_string(),
        "weekday": day.strftime("%A").to_string(),
        "free": labels(&free),
    }))
}

/// The viewings of a listing that can be in the way on a day.
pub(super) async fn booked_on(
    tx: &mut TenantTx,
    hours: &ViewingHours,
    listing: ListingId,
    day: Date,
) -> Result<Vec<Viewing>, DbError> {
    let (from, until) = hours.reach(day);
    viewings::list_between(tx, listing, from, until).await
}

/// From when to when the viewings last.
pub(super) fn spans<'a>(booked: impl IntoIterator<Item = &'a Viewing>) -> Vec<(Timestamp, Timestamp)> {
    booked.into_iter().map(|viewing| (viewing.starts_at, viewing.ends_at)).collect()
}

/// Times as the model is told them.
pub(super) fn labels(slots: &[Slot]) -> Vec<String> {
    slots.iter().map(Slot::label).collect()
}

/// Why a day cannot be booked.
pub(super) fn day_refusal(reason: NotBookable, hours: &ViewingHours, now: Timestamp) -> Refusal {
    let today = hours.day_of(now);
    let hint = match reason {
        NotBookable::PastDay => format!("today is {today}; ask for a day from today on"),
        NotBookable::BeyondHorizon { last } => format!("ask for a day from {today} to {last}"),
        NotBookable::TooSoon | NotBookable::Closed | NotBookable::OffGrid => {
            "offer one of the times that check_availability returns".to_owned()
        }
    };
    Refusal::new(reason.to_string(), hint)
}
