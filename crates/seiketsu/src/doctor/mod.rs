//! `seiketsu doctor`: what is wrong, and what to do about it. One check, one file.

mod providers;

use crate::{cli::DoctorCheck, config::Config, exit::Exit, terminal::Terminal};

pub(crate) async fn run(config: &Config, check: DoctorCheck, terminal: Terminal) -> anyhow::Result<Exit> {
    match check {
        DoctorCheck::Providers(args) => providers::run(config, &args, terminal).await,
    }
}
