//! Conversations against a brokerage in memory.

mod announcements;
mod chinese;
mod corrections;
mod dialogues;
mod errands;
mod fairness;
mod host;
mod interruptions;
mod paraphrases;
mod properties;
mod questions;
mod slow_tools;
mod spanish;
