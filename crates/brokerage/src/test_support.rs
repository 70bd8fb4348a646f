//! What several tests of this crate need.

use seiketsu_domain::{CallEnd, CallTime, EndReason, Message, Pii, Timeline, TurnOutcome, TurnRecord, Usage};

/// A turn that says its own number and consumes `number + 1` of everything.
pub(crate) fn turn(number: u32) -> TurnRecord {
    let said = format!("caller sentence {number}");
    let heard = format!("agent sentence {number}");
    TurnRecord {
        number,
        caller_text: Pii::new(said.clone()),
        generated_text: Pii::new(heard.clone()),
        heard_text: Pii::new(heard.clone()),
        acknowledgement: None,
        started_at: CallTime::from_millis(u64::from(number) * 5_000),
        finished_at: CallTime::from_millis(u64::from(number) * 5_000 + 4_000),
        outcome: TurnOutcome::Answered,
        timeline: Timeline::default(),
        tools: Vec::new(),
        messages: vec![Message::Caller { text: Pii::new(said) }, Message::Agent { text: Pii::new(heard) }],
        usage: usage(u64::from(number) + 1),
    }
}

/// The same figure of everything.
pub(crate) fn usage(figure: u64) -> Usage {
    Usage {
        recognised_ms: figure,
        input_tokens: figure,
        output_tokens: figure,
        synthesised_characters: figure,
        playout_ms: figure,
    }
}

/// An end after so many turns.
pub(crate) fn call_end(reason: EndReason, turns: u32) -> CallEnd {
    CallEnd {
        reason,
        ended_at: CallTime::from_millis(u64::from(turns) * 5_000),
        turns,
        usage: usage(u64::from(turns)),
    }
}
