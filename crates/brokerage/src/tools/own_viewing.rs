//! Which viewing a caller may change: one that was agreed in this call, that is for their number, or that was agreed in an
//! earlier call from their number. Never another person's.
//!
//! A caller's number can be forged. What it opens here is little: to move or cancel an appointment, and to hear when and
//! where it is.

use super::{Bench, Trouble};
use crate::{
    arguments::{Fields, Refusal},
    hours,
};
use seiketsu_domain::ViewingId;
use seiketsu_storage::{
    DbError, TenantTx, listings,
    viewings::{self, Viewing},
};
use serde_json::{Value, json};

/// More viewings than anybody has ahead.
const LIMIT: u32 = 20;

/// The caller's viewings that have not begun, in order of time.
pub(super) async fn all(tx: &mut TenantTx, bench: &Bench) -> Result<Vec<Viewing>, DbError> {
    let caller = bench.caller.as_ref().map(seiketsu_domain::Pii::expose);
    viewings::upcoming_of(tx, bench.call_id, caller, bench.clock.now(), LIMIT).await
}

/// The viewing that a request names. Without a name: the one agreed in this call, else the next one.
pub(super) async fn meant(tx: &mut TenantTx, bench: &Bench, fields: &Fields) -> Result<Viewing, Trouble> {
    let own = all(tx, bench).await?;
    let here = own.iter().position(|viewing| viewing.call_id == Some(bench.call_id));
    let at = match named(fields)? {
        Some(id) => own.iter().position(|viewing| viewing.id == id),
        None => here.or((!own.is_empty()).then_some(0)),
    };
    Ok(at.and_then(|at| own.into_iter().nth(at)).ok_or_else(nothing_booked)?)
}

/// As [`meant`], but refused with all of them if it is not clear which one is meant: for what cannot be taken back.
///
/// Once a viewing was cancelled in this call, the next one has to be named, even if only one is left: a request that is
/// only repeated must not cancel another viewing.
pub(super) async fn surely_meant(
    tx: &mut TenantTx,
    bench: &Bench,
    fields: &Fields,
) -> Result<Viewing, Trouble> {
    if named(fields)?.is_some() {
        return meant(tx, bench, fields).await;
    }
    let own = all(tx, bench).await?;
    let here = own.iter().filter(|viewing| viewing.call_id == Some(bench.call_id)).count();
    let once_more = bench.notebook.has_cancelled() && !own.is_empty();
    if !once_more && (here == 1 || own.len() <= 1) {
        return meant(tx, bench, fields).await;
    }
    let mut choices = Vec::with_capacity(own.len());
    for viewing in &own {
        choices.push(described(tx, bench, viewing).await?);
    }
    let refusal = if once_more {
        Refusal::new(
            "a viewing was cancelled in this call already; these are left",
            "if the caller wants another one cancelled as well, send its id as viewing",
        )
    } else {
        Refusal::new(
            "the caller has more than one viewing",
            "ask which one is meant, and send its id as viewing",
        )
    };
    Err(refusal.with("viewings", choices).into())
}

/// A viewing as the model is told of it.
pub(super) async fn described(tx: &mut TenantTx, bench: &Bench, viewing: &Viewing) -> Result<Value, DbError> {
    let listing = listings::get(tx, viewing.listing_id).await?;
    let day = bench.hours.day_of(viewing.starts_at);
    Ok(json!({
        "viewing": viewing.id,
        "listing": viewing.listing_id,
        "address": listing.map(|listing| listing.address),
        "day": day.to_string(),
        "weekday": day.strftime("%A").to_string(),
        "time": hours::label(bench.hours.time_of(viewing.starts_at)),
    }))
}

/// One answer for a viewing that does not exist, one of somebody else, and text that is no id.
fn named(fields: &Fields) -> Result<Option<ViewingId>, Refusal> {
    fields.id::<ViewingId>("viewing").map_err(|_| nothing_booked())
}

fn nothing_booked() -> Refusal {
    Refusal::new(
        "there is no such viewing of this caller",
        "ask under which number it was booked; offer to take a message or to book a new viewing",
    )
}
