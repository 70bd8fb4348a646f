//! Why a deployment stops.

use crate::{
    plan::PlanError,
    terraform::{Lock, TerraformError},
    variables::Missing,
};
use std::{fmt::Write, io, path::Path};

/// Why a deployment stopped.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// Variables or tools are missing.
    #[error("{}", listed(.0))]
    Missing(Vec<Missing>),
    /// The command line asks for something that is not there.
    #[error("{0}")]
    Usage(String),
    /// The name was not typed.
    #[error("not confirmed, and nothing was changed in the account")]
    NotConfirmed,
    /// The state is held by another run.
    #[error(
        "the state is locked by {} since {}. If that run is over: `seiketsu infra {command} {environment} --unlock {}`",
        .lock.who, .lock.created, .lock.id
    )]
    Locked {
        /// By whom.
        lock: Lock,
        /// The command that found it so.
        command: &'static str,
        /// The environment.
        environment: String,
    },
    /// Another run of this machine is at work.
    #[error("another run deploys {0} from this directory; wait for it")]
    Busy(String),
    /// Ctrl-C.
    #[error("interrupted after {done} of {steps} steps; run the same command again to go on")]
    Interrupted {
        /// Steps done.
        done: u32,
        /// Steps in the plan.
        steps: u32,
    },
    /// Some of it was done and some failed.
    #[error(
        "{done} of {steps} steps were done, then: {error}\nrun the same command again to go on from there"
    )]
    Incomplete {
        /// Steps done.
        done: u32,
        /// Steps in the plan.
        steps: u32,
        /// What failed.
        error: TerraformError,
    },
    /// A plan would take away the values of secrets, because their variables are not set this time.
    #[error("this plan would take away the values of {0}: export them as before, and run it again")]
    SecretsLost(String),
    /// Bootstrap was not run, and this command does not.
    #[error(
        "the account {0} has no state bucket yet; `seiketsu infra apply` makes it (infrastructure/terraform/bootstrap)"
    )]
    NotBootstrapped(String),
    /// There are no credentials, or they are refused.
    #[error("{}", told(.0))]
    Credentials(TerraformError),
    /// Terraform failed.
    #[error(transparent)]
    Terraform(#[from] TerraformError),
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// What happened.
        error: io::Error,
    },
    /// The terminal, or signals.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether AWS has refused, or could not be asked.
fn told(error: &TerraformError) -> String {
    let said = error.to_string();
    let refusals = [
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "UnrecognizedClient",
        "AccessDenied",
    ];
    if refusals.iter().any(|refusal| said.contains(refusal)) {
        format!("AWS does not know these credentials: {said}")
    } else {
        format!("AWS could not be asked whose credentials these are: {said}")
    }
}

fn listed(missing: &[Missing]) -> String {
    let mut text = "missing:".to_owned();
    for one in missing {
        let _ = write!(text, "\n  {one}");
    }
    text
}

pub(super) const fn interrupted() -> DeployError {
    DeployError::Interrupted { done: 0, steps: 0 }
}

pub(super) fn into_interrupted(error: TerraformError) -> DeployError {
    if matches!(error, TerraformError::Interrupted) { interrupted() } else { error.into() }
}

pub(super) fn of(path: &Path, error: io::Error) -> DeployError {
    DeployError::File { path: path.display().to_string(), error }
}
