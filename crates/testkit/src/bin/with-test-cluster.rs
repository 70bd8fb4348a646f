//! Runs the tests' command beside a disposable PostgreSQL cluster:
//!
//! ```text
//! cargo run -p seiketsu-testkit --bin with-test-cluster -- cargo nextest run --workspace
//! ```
//!
//! If the variable names a cluster already, the command runs on that one.

use seiketsu_storage::{
    Endpoint,
    cluster::{Cluster, ClusterOptions, run_command},
};
use seiketsu_testkit::{VARIABLE, prepare_template};
use std::{env, process::ExitCode};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let command: Vec<_> = env::args_os().skip(1).skip_while(|argument| argument == "--").collect();
    if let Ok(url) = env::var(VARIABLE) {
        prepare_template(&Endpoint::parse(&url)?).await;
        return Ok(run_command(&command, VARIABLE, &url).await?);
    }
    let cluster = Cluster::start(ClusterOptions::disposable()).await?;
    prepare_template(&cluster.admin()).await;
    let outcome = run_command(&command, VARIABLE, &cluster.admin().expose_url()).await;
    cluster.stop().await;
    Ok(outcome?)
}
