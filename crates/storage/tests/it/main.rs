//! Storage against real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a failed step of a test has failed the test")]

mod bookings;
mod calls;
mod catalogue;
mod cluster;
mod connection;
mod hands;
mod isolation;
mod leads;
mod listings;
mod phrases;
mod platform;
mod service_login;
mod turns;

use std::future::Future;
use tokio::task::JoinSet;

/// Runs the same work `count` times at once and returns the outcomes.
async fn at_once<T, F>(count: usize, work: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..count {
        tasks.spawn(work(number));
    }
    tasks.join_all().await
}
