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
}

/// The answer to a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Booking {
    /// It is booked; also when the same call had booked this listing at this time before.
    Booked(Viewing),
    /// Another viewing, or the buffer after it, is in the way.
    Taken,
    /// There is no such listing, or it cannot be had, or it belongs to somebody else.
    NoSuchListing,
}

/// Books a viewing.
pub async fn book(tx: &mut TenantTx, new: &NewViewing) -> Result<Booking, DbError> {
    let (connection, tenant) = tx.parts();
    // The lock orders bookings of one listing, so that none of them waits for another's speculative row.
    let listing = sqlx::query_scalar!(
        "select id from listings where tenant_id = $1 and id = $2 and status = 'active' for no key update",
        tenant,
        new.listing_id.uuid()
    )
    .fetch_optional(&mut *connection)
    .await?;
    if listing.is_none() {
        return Ok(Booking::NoSuchListing);
    }
    let buffer = SignedDuration::try_from(new.buffer).unwrap_or(SignedDuration::MAX);
    let blocked_until = new.ends_at.saturating_add(buffer).unwrap_or(Timestamp::MAX);
    let row = sqlx::query_as!(
        Row,
        r#"insert into viewings (tenant_id, id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at,
                                 ends_at, blocked_until, status, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'booked', $11)
           on conflict do nothing
           returning id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at as "starts_at: PgTime",
                     ends_at as "ends_at: PgTime", blocked_until as "blocked_until: PgTime", status,
                     created_at as "created_at: PgTime""#,
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
        PgTime(new.at) as _
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
                  created_at as "created_at: PgTime"
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
                  created_at as "created_at: PgTime"
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
                  created_at as "created_at: PgTime"
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

/// Viewings, newest first; with `call_id`, those agreed in that call; with `before`, those older than that viewing.
pub async fn list(
    tx: &mut TenantTx,
    call_id: Option<CallId>,
    before: Option<ViewingId>,
    limit: u32,
) -> Result<Vec<Viewing>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, listing_id, lead_id, call_id, visitor_name, visitor_phone, starts_at as "starts_at: PgTime",
                  ends_at as "ends_at: PgTime", blocked_until as "blocked_until: PgTime", status,
                  created_at as "created_at: PgTime"
           from viewings
           where tenant_id = $1 and ($2::uuid is null or call_id = $2) and ($3::uuid is null or id < $3)
           order by id desc limit $4"#,
        tenant,
        call_id.map(CallId::uuid),
        before.map(ViewingId::uuid),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
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

/// Cancels a viewing, which frees its time; `false` if there is none, or it was cancelled before.
pub async fn cancel(tx: &mut TenantTx, id: ViewingId) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update viewings set status = 'cancelled' where tenant_id = $1 and id = $2 and status = 'booked'",
        tenant,
        id.uuid()
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
        })
    }
}
