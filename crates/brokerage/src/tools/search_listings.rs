//! `search_listings`: what is on offer.

use super::{Bench, Spec, Trouble};
use crate::{
    arguments::{Fields, Refusal, choice_schema, text_schema, whole_schema},
    view,
};
use seiketsu_domain::MicroDollars;
use seiketsu_storage::listings::{self, ListingFilter, Offer, PropertyType};
use serde_json::{Value, json};
use std::ops::RangeInclusive;

const MAX_AREA_CHARS: usize = 80;
const DOLLARS: RangeInclusive<i64> = 0..=1_000_000_000;
const BEDROOMS: RangeInclusive<i64> = 0..=20;
/// How many listings the model is told: more cannot be told to anybody on a phone.
const TOLD: u32 = 5;

pub(super) fn spec() -> Spec {
    (
        "Finds homes that are on offer now. Leave out what the caller has not said. Returns up to five homes and how many \
         more there are; only homes it returns exist.",
        json!({
            "area": text_schema("Part of the city, street, or city, as the caller said it"),
            "min_price": whole_schema("Lowest price, or lowest rent for a month, in whole dollars", &DOLLARS),
            "max_price": whole_schema("Highest price, or highest rent for a month, in whole dollars", &DOLLARS),
            "bedrooms": whole_schema("At least so many bedrooms", &BEDROOMS),
            "property_type": choice_schema("Kind of home", PropertyType::ALL.iter().map(|kind| kind.name())),
            "offer": choice_schema("Whether the caller wants to buy or to rent", Offer::ALL.iter().map(|offer| offer.name())),
        }),
        &[],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let filter = filter(fields)?;
    let mut tx = bench.db.tenant(&bench.scope).await?;
    let found = listings::search(&mut tx, &filter, TOLD).await?;
    bench.notebook.searched(filter, found.listings.iter().map(|home| home.id).collect());
    let told: Vec<_> = found.listings.iter().map(view::listing).collect();
    let more = found.total.saturating_sub(told.len() as u64);
    Ok(json!({"listings": told, "more": more}))
}

pub(crate) fn filter(fields: &Fields) -> Result<ListingFilter, Refusal> {
    let min_price = fields.whole("min_price", DOLLARS)?.map(MicroDollars::dollars);
    let max_price = fields.whole("max_price", DOLLARS)?.map(MicroDollars::dollars);
    if let (Some(min), Some(max)) = (min_price, max_price)
        && min > max
    {
        return Err(Refusal::new("min_price is above max_price", "send the lower price as min_price"));
    }
    Ok(ListingFilter {
        place: fields.text("area", MAX_AREA_CHARS)?,
        min_price,
        max_price,
        min_bedrooms: fields.whole("bedrooms", BEDROOMS)?.map(|bedrooms| bedrooms as u16),
        property_type: fields.choice("property_type", PropertyType::ALL, PropertyType::name)?,
        offer: fields.choice("offer", Offer::ALL, Offer::name)?,
        min_bathrooms: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &Value) -> Result<ListingFilter, String> {
        filter(&Fields::parse(&arguments.to_string()).unwrap()).map_err(|refusal| refusal.text())
    }

    #[test]
    fn everything_is_optional_and_prices_are_whole_dollars() {
        let filter =
            read(&json!({"max_price": 450_000, "bedrooms": "3", "offer": "sale", "area": " hyde  park "}))
                .unwrap();
        assert_eq!(filter.max_price, Some(MicroDollars::dollars(450_000)));
        assert_eq!((filter.min_bedrooms, filter.offer), (Some(3), Some(Offer::Sale)));
        assert_eq!(filter.place.as_deref(), Some("hyde park"));
        assert!(read(&json!({})).is_ok());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_name() {
        let cases = [
            (json!({"min_price": 5, "max_price": 4}), "min_price is above max_price"),
            (json!({"bedrooms": 400}), "bedrooms is out of range"),
            (json!({"max_price": -1}), "max_price is out of range"),
            (json!({"property_type": "castle"}), "property_type has an unknown value"),
            (json!({"offer": 7}), "offer has an unknown value"),
            (json!({"area": "x".repeat(81)}), "area is too long"),
        ];
        for (arguments, error) in cases {
            let refusal = read(&arguments).unwrap_err();
            assert!(refusal.contains(error), "{arguments}: {refusal}");
        }
    }
}
