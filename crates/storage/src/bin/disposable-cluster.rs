//! Runs a command with `DATABASE_URL` naming a fresh, migrated database of a disposable cluster:
//!
//! ```text
//! cargo run -p seiketsu-storage --no-default-features --bin disposable-cluster -- psql …
//! ```
//!
//! Without the default features the crate has no checked queries, so that this builds while their metadata (`.sqlx`) is
//! out of date: it is what writing that metadata begins with (`cargo xtask generate`).

use seiketsu_storage::{
    cluster::{Cluster, ClusterOptions, run_command},
    setup,
};
use std::{env, error::Error, process::ExitCode};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let command: Vec<_> = env::args_os().skip(1).skip_while(|argument| argument == "--").collect();
    let cluster = Cluster::start(ClusterOptions::disposable()).await?;
    let outcome = async {
        setup::bootstrap(&cluster.admin(), setup::DATABASE).await?;
        let database = cluster.endpoint(setup::DATABASE);
        setup::migrate(&database).await?;
        let code = run_command(&command, "DATABASE_URL", &database.expose_url()).await?;
        Ok::<_, Box<dyn Error>>(code)
    }
    .await;
    cluster.stop().await;
    outcome
}
