//! Exit codes: all of them, in one place.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Success = 0,
    /// It failed; stderr says why.
    Failure = 1,
    /// The command line or the configuration is wrong; stderr says what to change.
    Usage = 2,
    /// A call took place, but not with the outcome that `--expect` asked for.
    Unexpected = 3,
    /// Nothing answers at the platform's address; stderr says how to start it.
    NotRunning = 4,
    /// Something outside is missing: a database, a program, a free port.
    Missing = 5,
    /// `infra`: the name of the environment was not given, and nothing was changed.
    NotConfirmed = 6,
    /// `infra`: another run holds the state; stderr says whose, and how to go on.
    Locked = 7,
    /// `infra`: Ctrl-C. What was done is in Terraform's state; the same command goes on.
    Interrupted = 8,
    /// `infra`: some steps were done and one failed; the same command goes on.
    Incomplete = 9,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that knows its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Stop {
    pub exit: Exit,
    pub message: String,
}

impl Stop {
    /// The error of a command that stops here, on purpose.
    pub(crate) fn because(exit: Exit, message: impl Into<String>) -> anyhow::Error {
        Self { exit, message: message.into() }.into()
    }
}

/// The exit code of an error: its own if it has one.
pub(crate) fn code_of(error: &anyhow::Error) -> Exit {
    error.chain().find_map(|cause| cause.downcast_ref::<Stop>()).map_or(Exit::Failure, |stop| stop.exit)
}
