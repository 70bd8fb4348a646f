//! What was delayed on purpose: the record that a measurement subtracts.

use crate::{
    conduct::Fault,
    request::{RequestKind, Service},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How many records are kept; older ones go first.
pub const CAPACITY: usize = 100_000;

/// How much of a key is kept, in characters.
const KEY_CHARS: usize = 300;

/// What was delayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InjectedStage {
    /// The answer to a connection attempt. The key is empty.
    Opening,
    /// The words of an utterance, counted from the end of speech (not from the end of the endpointing silence, which
    /// passes at the same time). The key is the transcript.
    FinalTranscript,
    /// The first token of a generation, counted from the request. The key is the last user message.
    FirstToken,
    /// From the first token to the end of the first sentence. The key is the last user message.
    FirstSentence,
    /// From the first token to the end of a generation that asks for tools. The key is the last user message.
    ToolCalls,
    /// The first byte of a synthesis, counted from its text. The key is the text.
    FirstByte,
}

/// One delay that was added on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injected {
    /// Counts up from 1, without gaps.
    pub sequence: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The vendor: `deepgram`, `openai` or `elevenlabs`.
    pub vendor: String,
    /// Which of its services.
    pub service: Service,
    /// What was delayed.
    pub stage: InjectedStage,
    /// What it can be joined by; see [`InjectedStage`].
    pub key: String,
    /// By how much, as drawn from the profile and the extra delays.
    pub delay_ms: u64,
    /// How long the sandbox really kept the client waiting: the delay, or its own work where that took longer.
    pub held_ms: u64,
    /// The fault that the request suffered, if any.
    pub fault: Option<Fault>,
}

/// What a vendor reports about one delay; the log adds when and who.
#[derive(Debug, Clone, Copy)]
pub struct Delayed<'a> {
    /// See [`Injected::stage`].
    pub stage: InjectedStage,
    /// See [`Injected::key`].
    pub key: &'a str,
    /// See [`Injected::delay_ms`].
    pub delay: Duration,
    /// See [`Injected::held_ms`].
    pub held: Duration,
    /// See [`Injected::fault`].
    pub fault: Option<Fault>,
}

/// The last [`CAPACITY`] records.
#[derive(Debug, Default)]
pub struct InjectedLog {
    state: Mutex<LogState>,
}

#[derive(Debug, Default)]
struct LogState {
    records: VecDeque<Injected>,
    last_sequence: u64,
}

impl InjectedLog {
    /// Adds one record.
    pub fn add(&self, at: Timestamp, kind: RequestKind, delayed: &Delayed<'_>) {
        let mut state = self.lock();
        state.last_sequence += 1;
        let record = Injected {
            sequence: state.last_sequence,
            at,
            vendor: kind.vendor().to_owned(),
            service: kind.service(),
            stage: delayed.stage,
            key: delayed.key.chars().take(KEY_CHARS).collect(),
            delay_ms: delayed.delay.as_millis() as u64,
            held_ms: delayed.held.as_millis() as u64,
            fault: delayed.fault,
        };
        if state.records.len() >= CAPACITY {
            state.records.pop_front();
        }
        state.records.push_back(record);
    }

    /// Every record after the given sequence number (0: all that are left), oldest first.
    pub fn after(&self, sequence: u64) -> Vec<Injected> {
        let state = self.lock();
        let start = state.records.partition_point(|record| record.sequence <= sequence);
        state.records.range(start..).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delayed(key: &str, delay: Duration) -> Delayed<'_> {
        Delayed { stage: InjectedStage::FirstToken, key, delay, held: delay, fault: None }
    }

    fn log_of(records: usize) -> InjectedLog {
        let log = InjectedLog::default();
        for number in 0..records {
            let delay = Duration::from_millis(number as u64);
            log.add(Timestamp::UNIX_EPOCH, RequestKind::Generation, &delayed("hello", delay));
        }
        log
    }

    #[test]
    fn records_are_returned_in_order_from_where_the_reader_left_off() {
        let log = log_of(5);
        let sequences: Vec<u64> = log.after(3).iter().map(|record| record.sequence).collect();
        assert_eq!(sequences, [4, 5]);
        assert_eq!(log.after(0).len(), 5);
        assert!(log.after(5).is_empty());
    }

    #[test]
    fn the_oldest_records_go_first_and_sequence_numbers_show_that_they_are_gone() {
        let log = log_of(CAPACITY + 3);
        let kept = log.after(0);
        assert_eq!(kept.len(), CAPACITY);
        assert_eq!(kept[0].sequence, 4);
        assert_eq!(kept[CAPACITY - 1].sequence, CAPACITY as u64 + 3);
    }

    #[test]
    fn long_keys_are_cut() {
        let log = InjectedLog::default();
        let key = "ü".repeat(10_000);
        log.add(Timestamp::UNIX_EPOCH, RequestKind::Synthesis, &delayed(&key, Duration::ZERO));
        assert_eq!(log.after(0)[0].key.chars().count(), KEY_CHARS);
    }
}
