//! Checks and generators of the repository.

mod arrows;
mod generate;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fail on any dependency between crates that the architecture does not have.
    Arrows,
    /// Write the checked SQL metadata anew.
    Generate {
        /// Fail if anything would change.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Arrows => arrows::check(),
        Command::Generate { check } => generate::run(check),
    }
}
