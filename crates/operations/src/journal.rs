//! What the last run came to, for the next one: `journal.json` beside the saved plan.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// How far a run got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A plan was made and saved, and not applied.
    Planned,
    /// It is being applied. Found by a later run: that one was killed.
    Applying,
    /// It was applied.
    Applied,
    /// Ctrl-C; Terraform ended in order.
    Interrupted,
    /// Some of it failed.
    Failed,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// How far it got.
    pub stage: Stage,
    /// When that was.
    pub at: Timestamp,
    /// Whether it destroys everything.
    pub destroy: bool,
    /// A hash of the files that the plan was made from.
    pub fingerprint: u64,
    /// Steps of the plan.
    pub steps: u32,
    /// Steps that were done.
    pub done: u32,
}

impl Entry {
    /// What a person is told of it.
    pub fn told(&self) -> String {
        let Self { at, steps, done, .. } = self;
        let what = if self.destroy { "destroying everything" } else { "applying" };
        let at = at.strftime("%Y-%m-%d %H:%M UTC");
        match self.stage {
            Stage::Planned => format!("a plan of {steps} steps was made at {at} and not applied"),
            Stage::Applying => format!(
                "the last run was killed while {what}, after {at}: what Terraform saved counts; what it had made shortly before may exist without being known"
            ),
            Stage::Applied => format!("the last run ended well at {at}, {done} steps"),
            Stage::Interrupted => {
                format!("the last run was interrupted at {at} while {what}, after {done} of {steps} steps")
            }
            Stage::Failed => {
                format!("the last run failed at {at} while {what}, after {done} of {steps} steps")
            }
        }
    }
}

/// The journal of one environment.
#[derive(Debug)]
pub struct Journal(PathBuf);

impl Journal {
    /// In that directory.
    pub fn within(directory: &Path) -> Self {
        Self(directory.join("journal.json"))
    }

    /// The last entry. A journal that cannot be read is none: it only tells, Terraform's state counts.
    pub fn last(&self) -> Option<Entry> {
        serde_json::from_slice(&fs::read(&self.0).ok()?).ok()
    }

    /// Replaces the entry, all of it or nothing.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        let beside = self.0.with_extension("new");
        fs::write(&beside, serde_json::to_vec_pretty(entry)?)?;
        fs::rename(beside, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_reads_what_the_last_one_wrote() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::within(directory.path());
        assert_eq!(journal.last(), None);
        let entry = Entry {
            stage: Stage::Interrupted,
            at: "2026-11-30T04:05:06Z".parse().unwrap(),
            destroy: false,
            fingerprint: 7,
            steps: 297,
            done: 120,
        };
        journal.write(&entry).unwrap();
        assert_eq!(journal.last(), Some(entry.clone()));
        assert_eq!(
            entry.told(),
            "the last run was interrupted at 2026-11-30 04:05 UTC while applying, after 120 of 297 steps"
        );
        fs::write(directory.path().join("journal.json"), "{").unwrap();
        assert_eq!(journal.last(), None);
    }
}
