//! `GET /health/dependencies`: what this replica needs, and how each of them is. Always 200: it reports, it does not
//! judge; `/health/ready` does.

use super::AdminState;
use crate::health::database_answers;
use async_trait::async_trait;
use axum::{Json, extract::State};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use std::{fmt::Debug, time::Duration};

const DEADLINE: Duration = Duration::from_secs(2);

/// Something outside the process that calls need.
#[async_trait]
pub trait Dependency: Send + Sync + Debug {
    /// The name people know it by, for example `deepgram`.
    fn name(&self) -> &str;
    /// How it is: `Err` says in words what is wrong. Answers within two seconds or counts as failed.
    async fn check(&self) -> Result<(), String>;
}

/// The state of one dependency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DependencyHealth {
    /// Its name.
    pub name: String,
    /// Whether it answered well.
    pub healthy: bool,
    /// How long the answer took, in milliseconds.
    pub took_ms: f64,
    /// What is wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

pub(super) async fn list(State(state): State<AdminState>) -> Json<Vec<DependencyHealth>> {
    let clock = state.gateway.ids().clock();
    let timed = async |name: &str, check: &mut (dyn Future<Output = Result<(), String>> + Send + Unpin)| {
        let started = clock.monotonic();
        let outcome = tokio::time::timeout(DEADLINE, check)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} ms", DEADLINE.as_millis())));
        let took = clock.monotonic().saturating_sub(started);
        DependencyHealth {
            name: name.to_owned(),
            healthy: outcome.is_ok(),
            took_ms: took.as_secs_f64() * 1_000.0,
            error: outcome.err(),
        }
    };
    let database = async {
        let mut check = Box::pin(async {
            if database_answers(&state.gateway).await { Ok(()) } else { Err("does not answer".to_owned()) }
        });
        timed("postgresql", &mut check).await
    };
    let others = join_all(state.admin.dependencies.iter().map(async |dependency| {
        let mut check = dependency.check();
        timed(dependency.name(), &mut check).await
    }));
    let (database, others) = tokio::join!(database, others);
    Json(std::iter::once(database).chain(others).collect())
}
