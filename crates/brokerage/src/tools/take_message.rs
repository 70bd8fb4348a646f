//! `take_message`: something to be told to somebody who is not on the line.
//!
//! The same words for the same person are one message, however often the model sends them.

use super::{Bench, Spec, Trouble};
use crate::{
    arguments::{Fields, Refusal, required, text_schema},
    phone,
};
use seiketsu_domain::Pii;
use seiketsu_storage::{
    calls,
    ids::VoiceMessageId,
    voice_messages::{self, VoiceMessage},
};
use serde_json::{Value, json};

const MAX_NAME_CHARS: usize = 80;
const MAX_MESSAGE_CHARS: usize = 2_000;
/// How many messages one call can leave.
const PER_CALL: u32 = 10;

pub(super) fn spec() -> Spec {
    (
        "Keeps a message for somebody at the brokerage. Read it back to the caller in your own words. It is kept only if \
         the answer contains a message.",
        json!({
            "for": text_schema("Who the message is for, if the caller said"),
            "message": text_schema("What is to be told, complete, in the caller's sense"),
            "name": text_schema("The caller's name"),
            "phone": text_schema("A number to call back, only if the caller gave another one than they call from"),
        }),
        &["message"],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let body =
        required("message", fields.text("message", MAX_MESSAGE_CHARS), "ask the caller what is to be told")?;
    let for_name = fields.text("for", MAX_NAME_CHARS)?;
    let caller_name = fields.text("name", MAX_NAME_CHARS)?.map(Pii::new);
    let caller_phone = phone::read(fields, "phone")?.map(Pii::new).or_else(|| bench.caller.clone());
    let mut tx = bench.db.tenant(&bench.scope).await?;
    // Two requests of one call come one after the other, so that the second sees what the first left.
    calls::lock(&mut tx, bench.call_id).await?;
    let left = voice_messages::list(&mut tx, Some(bench.call_id), None, PER_CALL).await?;
    if let Some(same) = left.iter().find(|there| there.body.expose() == &body && there.for_name == for_name) {
        return Ok(answer(same));
    }
    if left.len() >= PER_CALL as usize {
        return Err(Refusal::new(
            "this call has left as many messages as it can",
            "say so, and offer a call back with request_callback",
        )
        .into());
    }
    let message = VoiceMessage {
        id: bench.ids.next::<VoiceMessageId>(),
        call_id: bench.call_id,
        for_name,
        body: Pii::new(body),
        caller_name,
        caller_phone,
        created_at: bench.clock.now(),
    };
    voice_messages::insert(&mut tx, &message).await?;
    tx.commit().await?;
    Ok(answer(&message))
}

fn answer(message: &VoiceMessage) -> Value {
    json!({"message": message.id, "for": message.for_name})
}
