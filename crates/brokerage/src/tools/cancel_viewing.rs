//! `cancel_viewing`: the caller will not come.

use super::{Bench, Spec, Trouble, own_viewing, save_lead};
use crate::arguments::{Fields, text_schema};
use seiketsu_storage::{leads, viewings};
use serde_json::{Value, json};

const MAX_REASON_CHARS: usize = 200;

pub(super) fn spec() -> Spec {
    (
        "Cancels a viewing of the caller. Make sure that the caller wants it cancelled and not moved. It is cancelled only \
         if the answer contains cancelled.",
        json!({
            "viewing": text_schema("The viewing's id, if the caller has more than one; leave it out otherwise"),
            "reason": text_schema("Why, if the caller said"),
        }),
        &[],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let reason = fields.text("reason", MAX_REASON_CHARS)?;
    let mut tx = bench.db.tenant(&bench.scope).await?;
    let viewing = own_viewing::surely_meant(&mut tx, bench, fields).await?;
    viewings::cancel(&mut tx, viewing.id, bench.clock.now(), reason.as_deref()).await?;
    let mut answer = own_viewing::described(&mut tx, bench, &viewing).await?;
    // The lead of this call is worth what it still comes to.
    if let Some(lead) = leads::list(&mut tx, Some(bench.call_id), None, 1).await?.pop() {
        save_lead::rescore(&mut tx, bench, lead).await?;
    }
    tx.commit().await?;
    bench.notebook.cancelled();
    if let Some(fields) = answer.as_object_mut()
        && let Some(id) = fields.remove("viewing")
    {
        fields.insert("cancelled".to_owned(), id);
    }
    Ok(answer)
}
