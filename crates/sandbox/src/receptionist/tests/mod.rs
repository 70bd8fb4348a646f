//! Conversations against a brokerage in memory.

mod corrections;
mod dialogues;
mod host;
mod paraphrases;
mod properties;
mod questions;
