//! What Twilio's debugger would show of a call.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An error of a call, by its code in Twilio's debugger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierError {
    /// Twilio's code, for example 31951.
    pub code: u32,
    /// What happened the first time.
    pub detail: String,
    /// How often it happened.
    pub count: u64,
}

/// The errors of a call: the first of each code in detail, as Twilio reports each once per stream, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorLog {
    by_code: BTreeMap<u32, (String, u64)>,
}

impl ErrorLog {
    /// Records an error.
    pub fn record(&mut self, code: u32, detail: impl std::fmt::Display) {
        let (_, count) = self.by_code.entry(code).or_insert_with(|| {
            let detail = detail.to_string();
            tracing::debug!(code, detail, "carrier error");
            (detail, 0)
        });
        *count += 1;
    }

    /// All of them, by code.
    pub fn to_vec(&self) -> Vec<CarrierError> {
        self.by_code
            .iter()
            .map(|(code, (detail, count))| CarrierError {
                code: *code,
                detail: detail.clone(),
                count: *count,
            })
            .collect()
    }

    /// How often something happened.
    pub fn count(&self, code: u32) -> u64 {
        self.by_code.get(&code).map_or(0, |(_, count)| *count)
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_told_once_and_counted() {
        let mut log = ErrorLog::default();
        assert!(log.is_empty());
        log.record(31_951, "first");
        log.record(31_951, "second");
        log.record(31_950, "binary");
        let first = CarrierError { code: 31_951, detail: "first".to_owned(), count: 2 };
        assert_eq!(log.to_vec()[1], first);
        assert_eq!((log.count(31_950), log.count(31_951), log.count(1)), (1, 2, 0));
    }
}
