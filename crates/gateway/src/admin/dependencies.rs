//! `GET /health/dependencies`: what this replica needs, and how each of them is. Always 200: it reports, it does not
//! judge; `/health/ready` does.
//!
//! The answer is `{"dependencies": [..], "routes": [..]}`. A dependency is asked while you wait: the smallest question to
//! the database, a connection to each vendor. A route is what calls have seen of a vendor: what it is for, its place in
//! the order, the state of its breaker, its last failure, and how long its answers of the last minute took.

use super::AdminState;
use async_trait::async_trait;
use axum::{Json, extract::State};
use futures_util::future::join_all;
use seiketsu_session::{Failover, RouteStatus};
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

/// Knows the routes to vendors.
pub trait RouteReport: Send + Sync + Debug {
    /// All of them, by kind and in order.
    fn routes(&self) -> Vec<RouteStatus>;
}

impl RouteReport for Failover {
    fn routes(&self) -> Vec<RouteStatus> {
        self.status()
    }
}

/// Everything outside the process that calls need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dependencies {
    /// The database, then the vendors.
    pub dependencies: Vec<DependencyHealth>,
    /// The routes to vendors, by kind and in order.
    pub routes: Vec<RouteStatus>,
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

pub(super) async fn list(State(state): State<AdminState>) -> Json<Dependencies> {
    let clock = state.ids.clock();
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
            if state.vitals.database_answers().await { Ok(()) } else { Err("does not answer".to_owned()) }
        });
        timed("postgresql", &mut check).await
    };
    let others = join_all(state.admin.dependencies.iter().map(async |dependency| {
        let mut check = dependency.check();
        timed(dependency.name(), &mut check).await
    }));
    let (database, others) = tokio::join!(database, others);
    let dependencies = std::iter::once(database).chain(others).collect();
    Json(Dependencies { dependencies, routes: state.admin.routes.routes() })
}
