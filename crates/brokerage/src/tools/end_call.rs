//! `end_call`: the agent is done.
//!
//! Only a marker. The engine hangs up when the caller has heard the goodbye that came with it.

use super::Spec;
use crate::arguments::{Fields, text_schema};
use serde_json::{Value, json};

const MAX_REASON_CHARS: usize = 200;

pub(super) fn spec() -> Spec {
    (
        "Ends the call after the goodbye you say in the same answer has been heard. Use it only when the caller wants to \
         end the conversation.",
        json!({"reason": text_schema("Why the call ends, in a few words")}),
        &["reason"],
    )
}

/// A missing or overlong reason is no reason to keep somebody on the line.
pub(super) fn run(fields: &Fields) -> Value {
    if let Ok(Some(reason)) = fields.text("reason", MAX_REASON_CHARS) {
        tracing::debug!(%reason, "the agent ends the call");
    }
    json!({"ok": true})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_can_be_ended_whatever_the_reason_looks_like() {
        for arguments in [r#"{"reason":"done"}"#, "{}", r#"{"reason":[1]}"#] {
            let fields = Fields::parse(arguments).unwrap();
            assert_eq!(run(&fields), json!({"ok": true}), "{arguments}");
        }
    }
}
