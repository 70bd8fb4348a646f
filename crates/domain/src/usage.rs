//! What a call consumed, in the vendors' own units.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Consumption of one call, or of one turn of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Audio sent to the recogniser, in milliseconds.
    pub recognised_ms: u64,
    /// Tokens the language model read.
    pub input_tokens: u64,
    /// Tokens the language model wrote.
    pub output_tokens: u64,
    /// Characters the voice was asked to speak (phrases from the cache excluded).
    pub synthesised_characters: u64,
    /// Agent audio sent to the caller, in milliseconds.
    pub playout_ms: u64,
}

impl Usage {
    /// Adds another consumption to this one.
    pub fn add(&mut self, other: &Self) {
        let Self { recognised_ms, input_tokens, output_tokens, synthesised_characters, playout_ms } = other;
        self.recognised_ms += recognised_ms;
        self.input_tokens += input_tokens;
        self.output_tokens += output_tokens;
        self.synthesised_characters += synthesised_characters;
        self.playout_ms += playout_ms;
    }
}
