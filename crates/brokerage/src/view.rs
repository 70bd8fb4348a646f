//! How rows look to a language model: short names, whole dollars, no tenant, no internal figures.

use seiketsu_domain::MicroDollars;
use seiketsu_storage::listings::Listing;
use serde_json::{Value, json};

/// Whole dollars as a model is told them.
pub(crate) const fn whole_dollars(amount: MicroDollars) -> i64 {
    amount.0 / 1_000_000
}

/// A listing in a list.
pub(crate) fn listing(row: &Listing) -> Value {
    json!({
        "listing": row.id,
        "address": row.address,
        "area": row.area,
        "price": whole_dollars(row.price),
        "bedrooms": row.bedrooms,
        "bathrooms": row.bathrooms,
        "type": row.property_type,
        "offer": row.offer,
        "headline": row.headline,
    })
}

/// A listing on its own.
pub(crate) fn listing_in_full(row: &Listing) -> Value {
    let mut body = listing(row);
    body["description"] = json!(row.description);
    body["city"] = json!(row.city);
    body["square_feet"] = json!(row.floor_area_sqft);
    body["year_built"] = json!(row.year_built);
    body
}
