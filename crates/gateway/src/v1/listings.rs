//! `GET /v1/listings` and `GET /v1/listings/{id}`: what a brokerage has on offer.
//! Errors: 400, 401, 404 no such tenant or listing, 503.

use super::{
    Page, cursor,
    problems::{ListProblems, OneProblems},
};
use crate::{Gateway, access::Reader, problem::ApiError};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use jiff::Timestamp;
use seiketsu_domain::{ListingId, MicroDollars};
use seiketsu_storage::listings::{self, Listing, ListingFilter, ListingStatus, Offer, PropertyType};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A property on offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListingView {
    /// Which listing.
    pub id: ListingId,
    /// The brokerage's own number.
    pub reference: String,
    /// Sale or rent.
    pub offer: Offer,
    /// What kind of property it is.
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
    pub price_micro_dollars: MicroDollars,
    /// Bedrooms.
    pub bedrooms: u16,
    /// Bathrooms, in halves.
    pub bathrooms: f32,
    /// Floor area in square feet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_area_sqft: Option<u32>,
    /// Year it was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_built: Option<u16>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListingsQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
    /// Part of the neighbourhood, city, street or postal code, in any case.
    place: Option<String>,
    /// Sale or rent only.
    offer: Option<Offer>,
    /// This kind only.
    property_type: Option<PropertyType>,
    /// Those in this state only.
    status: Option<ListingStatus>,
    /// At least this price.
    min_price_micro_dollars: Option<i64>,
    /// At most this price.
    max_price_micro_dollars: Option<i64>,
    /// At least so many bedrooms.
    min_bedrooms: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on the page; 50 if nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Listings, latest first.
#[utoipa::path(get, path = "/v1/listings", tag = "records", operation_id = "listListings", params(ListingsQuery),
    responses((status = 200, description = "A page.", body = Page<ListingView>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<ListingsQuery>, QueryRejection>,
) -> Result<Json<Page<ListingView>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let filter = ListingFilter {
        place: query.place,
        min_price: query.min_price_micro_dollars.map(MicroDollars),
        max_price: query.max_price_micro_dollars.map(MicroDollars),
        min_bedrooms: query.min_bedrooms,
        min_bathrooms: None,
        property_type: query.property_type,
        offer: query.offer,
    };
    let mut tenant = gateway.db().tenant(&scope).await?;
    let rows = listings::matching(&mut tenant, &filter, query.status, before, limit + 1).await?;
    tenant.commit().await?;
    let items = rows.into_iter().map(view).collect();
    Ok(Json(Page::cut(items, limit, |listing: &ListingView| listing.id)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListingQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
}

/// One listing.
#[utoipa::path(get, path = "/v1/listings/{id}", tag = "records", operation_id = "getListing",
    params(("id" = ListingId, Path, description = "Which listing."), ListingQuery),
    responses((status = 200, description = "The listing.", body = ListingView), OneProblems))]
pub(super) async fn show(
    State(gateway): State<Gateway>,
    reader: Reader,
    Path(id): Path<String>,
    query: Result<Query<ListingQuery>, QueryRejection>,
) -> Result<Json<ListingView>, ApiError> {
    let Query(query) = query?;
    let id: ListingId = id.parse().map_err(|_| ApiError::NotFound)?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let listing = listings::get(&mut tenant, id).await?.ok_or(ApiError::NotFound)?;
    tenant.commit().await?;
    Ok(Json(view(listing)))
}

fn view(listing: Listing) -> ListingView {
    ListingView {
        id: listing.id,
        reference: listing.reference,
        offer: listing.offer,
        property_type: listing.property_type,
        status: listing.status,
        headline: listing.headline,
        description: listing.description,
        address: listing.address,
        area: listing.area,
        city: listing.city,
        state: listing.state,
        postal_code: listing.postal_code,
        price_micro_dollars: listing.price,
        bedrooms: listing.bedrooms,
        bathrooms: listing.bathrooms,
        floor_area_sqft: listing.floor_area_sqft,
        year_built: listing.year_built,
        created_at: listing.created_at,
    }
}
