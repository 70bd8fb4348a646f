//! `get_listing`: everything about one home.

use super::{Bench, Spec, Trouble, listing_of, unknown_listing};
use crate::{
    arguments::{Fields, text_schema},
    view,
};
use seiketsu_storage::listings;
use serde_json::{Value, json};

pub(super) fn spec() -> Spec {
    (
        "Tells everything known about one home: its description, size and year besides what search_listings returns. Use \
         it to answer questions about a home.",
        json!({"listing": text_schema("The listing's id as search_listings returned it")}),
        &["listing"],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let id = listing_of(fields)?;
    let mut tx = bench.db.tenant(&bench.scope).await?;
    let listing = listings::get(&mut tx, id).await?.ok_or_else(unknown_listing)?;
    bench.notebook.looked_at(id);
    Ok(view::listing_in_full(&listing))
}
