//! Appointments to see a listing. No two of them overlap, buffer included, whoever asks at the same time.

use crate::{
    DbError, TenantTx,
    names::{self, named, storable},
    time::PgTime,
};
use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::{CallId, LeadId, ListingId, PhoneNumber, Pii, ViewingId};
use std::time::Duration;
use uuid::Uuid;

named! {
    /// Whether a viewing will take place.
    "viewing status" ViewingStatus {
        /// It will.
        Booked = "booked",
        /// It will not.
        Cancelled = "cancelled",
    }
}

/// A viewing to be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewViewing {
    /// The id it gets.
    pub id: ViewingId,
    /// What is to be seen.
    pub listing_id: ListingId,
    /// Who comes, if they are a lead already.
    pub lead_id: Option<LeadId>,
    /// The call in which it was agreed.
    pub call_id: Option<CallId>,
    /// Who comes.
    pub visitor_name: Pii<String>,
    /// How to reach them.
    pub visitor_phone: Option<Pii<PhoneNumber>>,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// How long nobody else may come afterwards.
    pub buffer: Duration,
    /// Now.
    pub at: Timestamp,
}

/// A viewing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewing {
    /// Which viewing.
    pub id: ViewingId,
    /// What is to be seen.
    pub listing_id: ListingId,
    /// Who comes, if they are a lead.
    pub lead_id: Option<LeadId>,
    /// The call in which it was agreed.
    pub call_id: Option<CallId>,
    /// Who comes.
    pub visitor_name: Pii<String>,
    /// How to reach them.
    pub visitor_phone: Option<Pii<PhoneNumber>>,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// When the next one may begin.
    pub blocked_until: Timestamp,
    /// Whether it will take place.
    pub status: ViewingStatus,
    /// When it was booked.
    pub created_at: Timestamp,
    /// The viewing that it took the place of.
    pub rescheduled_from: Option<ViewingId>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Why it was cancelled, if anybody said.
    pub cancel_reason: Option<Pii<String>>,
}

/// The answer to a booking.
#[expect(
    clippy::large_enum_variant,
    reason = "an answer that is taken apart at once; a box would be for nothing"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Booking {
    /// It is booked; also when the same call had booked this listing at this time before.
    Booked(Viewing),
    /// Another viewing, or the buffer after it, is in the way.
    Taken,
    /// There is no such listing, or it cannot be had, or it belongs to somebody else.
    NoSuchListing,
}

/// The answer to a change of time.
#[expect(
    clippy::large_enum_variant,
    reason = "an answer that is taken apart at once; a box would be for nothing"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rescheduling {
    /// The new viewing stands and the old one is cancelled.
    Moved(Viewing),
    /// Another viewing, or the buffer after it, is in the way. Drop the transaction: the old viewing is kept.
    Taken,
    /// The old viewing is not there, or was cancelled.
    NoSuchViewing,
    /// There is no such listing, or it cannot be had any more.
    NoSuchListing,
}

/// Books a viewing.
pub async fn book(tx: &mut TenantTx, new: &NewViewing) -> Result<Booking, DbError> {
    if lock_listing(tx, new.listing_id).await? {
        insert(tx, new, None).await
    } else {
        Ok(Booking::NoSuchListing)
    }
}

/// Books a viewing in the place of another one. Commit only a [`Rescheduling::Moved`].
pub async fn reschedule(
    tx: &mut TenantTx,
    old: ViewingId,
    new: &NewViewing,
) -> Result<Rescheduling, DbError> {
    if !lock_listing(tx, new.listing_id).await? {
        return Ok(Rescheduling::NoSuchListing);
    }
    if !cancel(tx, old, new.at, Some("moved to another time")).await? {
        return Ok(Rescheduling::NoSuchViewing);
    }
    Ok(match insert(tx, new, Some(old)).await? {
        Booking::Booked(viewing) => Rescheduling::Moved(viewing),
        Booking::Taken => Rescheduling::Taken,
        Booking::NoSuchListing => Rescheduling::NoSuchListing,
    })
}

/// Orders bookings of one listing, so that none of them waits for another's speculative row; `false` if the listing is
/// not there or not on offer.
async fn lock_listing(tx: &mut TenantTx, listing_id: ListingId) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let listing = sqlx::query_scalar!(
        "select id from listings where tenant_id = $1 and id = $2 and status = 'active' for no key update",
        tenant,
        listing_id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    Ok(listing.is_some())
}

async fn insert(
    tx: &mut TenantTx,
    new: &NewViewing,
    in_place_of: Option<ViewingId>,
) -> Result<Booking, DbError> {
    let (connection, tenant) = tx.parts();
    let buffer = SignedDuration::try_from(new.buffer).unwrap_or(SignedDuration::MAX);
    let blocked_until = new.ends_at.saturating_add(buffer).unwrap_or(Timestamp::MAX);
    let row = sqlx::query_as!(
        Row,
        r#"insert into viewings (tenant_id, id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at,
                                 ends_at, blocked_until, status, created_at, rescheduled_from)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'booked', $11, $12)
           on conflict do nothing
           returning id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at as "starts_at: PgTime",
                     ends_at as "ends_at: PgTime", blocked_until as "blocked_until: PgTime", status,
                     created_at as "created_at: PgTime", rescheduled_from, cancelled_at as "cancelled_at: PgTime",
                     cancel_reason"#,
        tenant,
        new.id.uuid(),
        new.listing_id.uuid(),
        new.lead_id.map(LeadId::uuid),
        new.call_id.map(CallId::uuid),
        &*storable(new.visitor_name.expose()),
        new.visitor_phone.as_ref().map(|number| number.expose().as_str()),
        PgTime(new.starts_at) as _,
        PgTime(new.ends_at) as _,
        PgTime(blocked_until) as _,
        PgTime(new.at) as _,
        in_place_of.map(ViewingId::uuid)
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = row {
        return Ok(Booking::Booked(row.read()?));
    }
    let same = sqlx::query_as!(
        Row,
        r#"select id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at as "starts_at: PgTime",
                  ends_at as "ends_at: PgTime", blocked_until as "blocked_until: PgTime", status,
                  created_at as "created_at: PgTime", rescheduled_from, cancelled_at as "cancelled_at: PgTime",
                  cancel_reason
           from viewings
           where tenant_id = $1 and listing_id = $2 and call_id = $3 and starts_at = $4 and status = 'booked'"#,
        tenant,
        new.listing_id.uuid(),
        new.call_id.map(CallId::uuid),
        PgTime(new.starts_at) as _
    )
    .fetch_optional(connection)
    .await?;
    match same {
        Some(row) => Ok(Booking::Booked(row.read()?)),
        None => Ok(Booking::Taken),
    }
}

/// The viewing with an id.
pub async fn get(tx: &mut TenantTx, id: ViewingId) -> Result<Option<Viewing>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at as "starts_at: PgTime",
                  ends_at as "ends_at: PgTime", blocked_until as "blocked_until: PgTime", status,
                  created_at as "created_at: PgTime", rescheduled_from, cancelled_at as "cancelled_at: PgTime",
                  cancel_reason
           from viewings where tenant_id = $1 and id = $2"#,
        tenant,
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Booked viewings of a listing that block any part of `from..until`, in order of time.
pub async fn list_between(
    tx: &mut TenantTx,
    listing_id: ListingId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Viewing>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at as "starts_at: PgTime",
                  ends_at as "ends_at: PgTime", blocked_until as "blocked_until: PgTime", status,
                  created_at as "created_at: PgTime", rescheduled_from, cancelled_at as "cancelled_at: PgTime",
                  cancel_reason
           from viewings
           where tenant_id = $1 and listing_id = $2 and status = 'booked' and starts_at < $4 and blocked_until > $3
           order by starts_at"#,
        tenant,
        listing_id.uuid(),
        PgTime(from) as _,
        PgTime(until) as _
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Which viewings are asked for; everything left out matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewingFilter {
    /// Those agreed in this call.
    pub call_id: Option<CallId>,
    /// Those of this listing.
    pub listing_id: Option<ListingId>,
    /// Those in this state.
    pub status: Option<ViewingStatus>,
    /// Those that begin at this time or later.
    pub from: Option<Timestamp>,
    /// Those that begin before this time.
    pub until: Option<Timestamp>,
}

/// Viewings that match, latest booking first; with `before`, those booked before that viewing.
pub async fn matching(
    tx: &mut TenantTx,
    filter: &ViewingFilter,
    before: Option<ViewingId>,
    limit: u32,
) -> Result<Vec<Viewing>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at as "starts_at: PgTime",
                  ends_at as "ends_at: PgTime", blocked_until as "blocked_until: PgTime", status,
                  created_at as "created_at: PgTime", rescheduled_from, cancelled_at as "cancelled_at: PgTime",
                  cancel_reason
           from viewings
           where tenant_id = $1 and ($2::uuid is null or call_id = $2) and ($3::uuid is null or id < $3)
             and ($4::uuid is null or listing_id = $4) and ($5::text is null or status = $5)
             and ($6::timestamptz is null or starts_at >= $6) and ($7::timestamptz is null or starts_at < $7)
           order by id desc limit $8"#,
        tenant,
        filter.call_id.map(CallId::uuid),
        before.map(ViewingId::uuid),
        filter.listing_id.map(ListingId::uuid),
        filter.status.map(ViewingStatus::name),
        filter.from.map(PgTime) as _,
        filter.until.map(PgTime) as _,
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Viewings, newest first; with `call_id`, those agreed in that call; with `before`, those older than that viewing.
pub async fn list(
    tx: &mut TenantTx,
    call_id: Option<CallId>,
    before: Option<ViewingId>,
    limit: u32,
) -> Result<Vec<Viewing>, DbError> {
    matching(tx, &ViewingFilter { call_id, ..ViewingFilter::default() }, before, limit).await
}

/// Says that a viewing is a lead's.
pub async fn set_lead(tx: &mut TenantTx, id: ViewingId, lead_id: LeadId) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update viewings set lead_id = $3 where tenant_id = $1 and id = $2",
        tenant,
        id.uuid(),
        lead_id.uuid()
    )
    .execute(connection)
    .await?;
    if outcome.rows_affected() == 1 { Ok(()) } else { Err(DbError::Missing { what: "viewing" }) }
}

/// Viewings that a caller may change: booked, beginning after `after`, and agreed in this call, or for this number, or in
/// an earlier call from this number; in order of time.
pub async fn upcoming_of(
    tx: &mut TenantTx,
    call_id: CallId,
    caller: Option<&PhoneNumber>,
    after: Timestamp,
    limit: u32,
) -> Result<Vec<Viewing>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at as "starts_at: PgTime",
                  ends_at as "ends_at: PgTime", blocked_until as "blocked_until: PgTime", status,
                  created_at as "created_at: PgTime", rescheduled_from, cancelled_at as "cancelled_at: PgTime",
                  cancel_reason
           from viewings
           where tenant_id = $1 and status = 'booked' and starts_at > $4
             and (call_id = $2 or visitor_phone = $3
                  or exists (select from calls call where call.tenant_id = $1 and call.id = viewings.call_id
                                                      and call.caller_number = $3))
           order by starts_at limit $5"#,
        tenant,
        call_id.uuid(),
        caller.map(PhoneNumber::as_str),
        PgTime(after) as _,
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Cancels a viewing, which frees its time; `false` if there is none, or it was cancelled before.
pub async fn cancel(
    tx: &mut TenantTx,
    id: ViewingId,
    at: Timestamp,
    reason: Option<&str>,
) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let reason = reason.map(storable);
    let outcome = sqlx::query!(
        "update viewings set status = 'cancelled', cancelled_at = $3, cancel_reason = $4
         where tenant_id = $1 and id = $2 and status = 'booked'",
        tenant,
        id.uuid(),
        PgTime(at) as _,
        reason.as_deref()
    )
    .execute(connection)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

struct Row {
    id: Uuid,
    listing_id: Uuid,
    lead_id: Option<Uuid>,
    call_id: Option<Uuid>,
    visitor_name: String,
    visitor_phone: Option<String>,
    starts_at: PgTime,
    ends_at: PgTime,
    blocked_until: PgTime,
    status: String,
    created_at: PgTime,
    rescheduled_from: Option<Uuid>,
    cancelled_at: Option<PgTime>,
    cancel_reason: Option<String>,
}

impl Row {
    fn read(self) -> Result<Viewing, DbError> {
        let visitor_phone =
            self.visitor_phone.map(|number| names::read(&number, "phone number")).transpose()?;
        Ok(Viewing {
            id: ViewingId::from_uuid(self.id),
            listing_id: ListingId::from_uuid(self.listing_id),
            lead_id: self.lead_id.map(LeadId::from_uuid),
            call_id: self.call_id.map(CallId::from_uuid),
            visitor_name: self.visitor_name.into(),
            visitor_phone: visitor_phone.map(Pii::new),
            starts_at: self.starts_at.0,
            ends_at: self.ends_at.0,
            blocked_until: self.blocked_until.0,
            status: names::read(&self.status, "viewing status")?,
            created_at: self.created_at.0,
            rescheduled_from: self.rescheduled_from.map(ViewingId::from_uuid),
            cancelled_at: self.cancelled_at.map(|at| at.0),
            cancel_reason: self.cancel_reason.map(Pii::new),
        })
    }
}
