//! Properties on offer.

use crate::{
    DbError, TenantTx,
    names::{self, named, storable},
    time::PgTime,
};
use jiff::Timestamp;
use seiketsu_domain::{ListingId, MicroDollars};
use uuid::Uuid;

named! {
    /// What is offered.
    "offer" Offer {
        /// To be bought.
        Sale = "sale",
        /// To be rented.
        Rent = "rent",
    }
}

named! {
    /// What kind of property it is.
    "property type" PropertyType {
        /// A detached house.
        House = "house",
        /// A flat that is owned.
        Condo = "condo",
        /// A row house.
        Townhouse = "townhouse",
        /// A flat in a rented building.
        Apartment = "apartment",
    }
}

named! {
    /// Whether it can be had.
    "listing status" ListingStatus {
        /// Yes.
        Active = "active",
        /// Under contract.
        Pending = "pending",
        /// Sold or let.
        Closed = "closed",
        /// Taken back.
        Withdrawn = "withdrawn",
    }
}

/// A property on offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Which listing.
    pub id: ListingId,
    /// The brokerage's own number, unique within the tenant.
    pub reference: String,
    /// Sale or rent.
    pub offer: Offer,
    /// What kind.
    pub property_type: PropertyType,
    /// Whether it can be had.
    pub status: ListingStatus,
    /// One line.
    pub headline: String,
    /// A few sentences.
    pub description: String,
    /// House number and street.
    pub address: String,
    /// Neighbourhood.
    pub area: String,
    /// City.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// Asking price, or one month's rent.
    pub price: MicroDollars,
    /// Bedrooms.
    pub bedrooms: u16,
    /// Bathrooms, in halves.
    pub bathrooms: f32,
    /// Floor area in square feet.
    pub floor_area_sqft: Option<u32>,
    /// Year it was built.
    pub year_built: Option<u16>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What to look for; everything left out matches everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListingFilter {
    /// Part of the neighbourhood, city, street or postal code, in any case.
    pub place: Option<String>,
    /// At least this price.
    pub min_price: Option<MicroDollars>,
    /// At most this price.
    pub max_price: Option<MicroDollars>,
    /// At least so many bedrooms.
    pub min_bedrooms: Option<u16>,
    /// At least so many bathrooms.
    pub min_bathrooms: Option<f32>,
    /// This kind only.
    pub property_type: Option<PropertyType>,
    /// Sale or rent only.
    pub offer: Option<Offer>,
}

/// The answer to a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The cheapest ones, up to the limit.
    pub listings: Vec<Listing>,
    /// How many match in all.
    pub total: u64,
}

/// Active listings that match, cheapest first.
pub async fn search(tx: &mut TenantTx, filter: &ListingFilter, limit: u32) -> Result<Found, DbError> {
    let (connection, tenant) = tx.parts();
    // `strpos` and not `like`: the caller's words are no pattern.
    let rows = sqlx::query!(
        r#"select id, reference, offer, property_type, status, headline, description, address, area, city, state,
                  postal_code, price_micro_dollars, bedrooms, bathrooms, floor_area_sqft, year_built,
                  created_at as "created_at: PgTime", count(*) over () as "total!"
           from listings
           where tenant_id = $1 and status = 'active'
             and ($2::text is null or strpos(lower(area), $2) > 0 or strpos(lower(city), $2) > 0
                  or strpos(lower(address), $2) > 0 or strpos(lower(postal_code), $2) > 0)
             and ($3::bigint is null or price_micro_dollars >= $3)
             and ($4::bigint is null or price_micro_dollars <= $4)
             and ($5::smallint is null or bedrooms >= $5)
             and ($6::real is null or bathrooms >= $6)
             and ($7::text is null or property_type = $7)
             and ($8::text is null or offer = $8)
           order by price_micro_dollars, reference
           limit $9"#,
        tenant,
        filter.place.as_deref().map(|place| storable(place.trim()).to_lowercase()),
        filter.min_price.map(|price| price.0),
        filter.max_price.map(|price| price.0),
        filter.min_bedrooms.map(small),
        filter.min_bathrooms,
        filter.property_type.map(PropertyType::name),
        filter.offer.map(Offer::name),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    let total = rows.first().map_or(0, |row| row.total.unsigned_abs());
    let listings = rows
        .into_iter()
        .map(|row| {
            Row {
                id: row.id,
                reference: row.reference,
                offer: row.offer,
                property_type: row.property_type,
                status: row.status,
                headline: row.headline,
                description: row.description,
                address: row.address,
                area: row.area,
                city: row.city,
                state: row.state,
                postal_code: row.postal_code,
                price_micro_dollars: row.price_micro_dollars,
                bedrooms: row.bedrooms,
                bathrooms: row.bathrooms,
                floor_area_sqft: row.floor_area_sqft,
                year_built: row.year_built,
                created_at: row.created_at,
            }
            .read()
        })
        .collect::<Result<_, _>>()?;
    Ok(Found { listings, total })
}

/// Listings of any status that match, latest first; with `before`, those added before that listing.
pub async fn matching(
    tx: &mut TenantTx,
    filter: &ListingFilter,
    status: Option<ListingStatus>,
    before: Option<ListingId>,
    limit: u32,
) -> Result<Vec<Listing>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, reference, offer, property_type, status, headline, description, address, area, city, state,
                  postal_code, price_micro_dollars, bedrooms, bathrooms, floor_area_sqft, year_built,
                  created_at as "created_at: PgTime"
           from listings
           where tenant_id = $1
             and ($2::text is null or strpos(lower(area), $2) > 0 or strpos(lower(city), $2) > 0
                  or strpos(lower(address), $2) > 0 or strpos(lower(postal_code), $2) > 0)
             and ($3::bigint is null or price_micro_dollars >= $3)
             and ($4::bigint is null or price_micro_dollars <= $4)
             and ($5::smallint is null or bedrooms >= $5)
             and ($6::real is null or bathrooms >= $6)
             and ($7::text is null or property_type = $7)
             and ($8::text is null or offer = $8)
             and ($9::text is null or status = $9)
             and ($10::uuid is null or id < $10)
           order by id desc
           limit $11"#,
        tenant,
        filter.place.as_deref().map(|place| storable(place.trim()).to_lowercase()),
        filter.min_price.map(|price| price.0),
        filter.max_price.map(|price| price.0),
        filter.min_bedrooms.map(small),
        filter.min_bathrooms,
        filter.property_type.map(PropertyType::name),
        filter.offer.map(Offer::name),
        status.map(ListingStatus::name),
        before.map(ListingId::uuid),
        i64::from(limit)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The listing with an id, whatever its status.
pub async fn get(tx: &mut TenantTx, id: ListingId) -> Result<Option<Listing>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select id, reference, offer, property_type, status, headline, description, address, area, city, state,
                  postal_code, price_micro_dollars, bedrooms, bathrooms, floor_area_sqft, year_built,
                  created_at as "created_at: PgTime"
           from listings where tenant_id = $1 and id = $2"#,
        tenant,
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// The listing with the brokerage's own number, whatever its status.
pub async fn by_reference(tx: &mut TenantTx, reference: &str) -> Result<Option<Listing>, DbError> {
    let (connection, tenant) = tx.parts();
    let row = sqlx::query_as!(
        Row,
        r#"select id, reference, offer, property_type, status, headline, description, address, area, city, state,
                  postal_code, price_micro_dollars, bedrooms, bathrooms, floor_area_sqft, year_built,
                  created_at as "created_at: PgTime"
           from listings where tenant_id = $1 and reference = $2"#,
        tenant,
        &*storable(reference)
    )
    .fetch_optional(connection)
    .await?;
    row.map(Row::read).transpose()
}

/// Adds listings, all or none. [`DbError::Conflict`] if a reference is taken.
pub async fn insert_many(tx: &mut TenantTx, listings: &[Listing]) -> Result<(), DbError> {
    for listing in listings {
        let (connection, tenant) = tx.parts();
        sqlx::query!(
            "insert into listings (tenant_id, id, reference, offer, property_type, status, headline, description, address,
                                   area, city, state, postal_code, price_micro_dollars, bedrooms, bathrooms,
                                   floor_area_sqft, year_built, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
            tenant,
            listing.id.uuid(),
            &*storable(&listing.reference),
            listing.offer.name(),
            listing.property_type.name(),
            listing.status.name(),
            &*storable(&listing.headline),
            &*storable(&listing.description),
            &*storable(&listing.address),
            &*storable(&listing.area),
            &*storable(&listing.city),
            &*storable(&listing.state),
            &*storable(&listing.postal_code),
            listing.price.0,
            small(listing.bedrooms),
            listing.bathrooms,
            listing.floor_area_sqft.map(|area| i32::try_from(area).unwrap_or(i32::MAX)),
            listing.year_built.map(small),
            PgTime(listing.created_at) as _
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// Says whether a listing can be had.
pub async fn set_status(tx: &mut TenantTx, id: ListingId, status: ListingStatus) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let outcome = sqlx::query!(
        "update listings set status = $3 where tenant_id = $1 and id = $2",
        tenant,
        id.uuid(),
        status.name()
    )
    .execute(connection)
    .await?;
    if outcome.rows_affected() == 1 { Ok(()) } else { Err(DbError::Missing { what: "listing" }) }
}

fn small(number: u16) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

struct Row {
    id: Uuid,
    reference: String,
    offer: String,
    property_type: String,
    status: String,
    headline: String,
    description: String,
    address: String,
    area: String,
    city: String,
    state: String,
    postal_code: String,
    price_micro_dollars: i64,
    bedrooms: i16,
    bathrooms: f32,
    floor_area_sqft: Option<i32>,
    year_built: Option<i16>,
    created_at: PgTime,
}

impl Row {
    fn read(self) -> Result<Listing, DbError> {
        Ok(Listing {
            id: ListingId::from_uuid(self.id),
            reference: self.reference,
            offer: names::read(&self.offer, "offer")?,
            property_type: names::read(&self.property_type, "property type")?,
            status: names::read(&self.status, "listing status")?,
            headline: self.headline,
            description: self.description,
            address: self.address,
            area: self.area,
            city: self.city,
            state: self.state,
            postal_code: self.postal_code,
            price: MicroDollars(self.price_micro_dollars),
            bedrooms: self.bedrooms.unsigned_abs(),
            bathrooms: self.bathrooms,
            floor_area_sqft: self.floor_area_sqft.map(i32::unsigned_abs),
            year_built: self.year_built.map(i16::unsigned_abs),
            created_at: self.created_at.0,
        })
    }
}
