//! `seiketsu infra`: the infrastructure on AWS. What it does is in `operations`; this is its front.

use crate::{
    cli::{InfraAction, InfraArgs, InfraCostArgs, InfraState, InfraTables},
    exit::{Exit, Stop},
    terminal::Terminal,
};
use anyhow::Context;
use seiketsu_domain::{Clock, SystemClock};
use seiketsu_operations::{
    deploy::{Backend, DeployError, Deployment, Options},
    estimate::EstimateError,
    infracost,
    plan::{Plan, PlanError},
    prices::{self, PriceError, PriceTable},
    report::{self, Infracost, Priced},
    terraform::{Listener, TerraformError},
    usage::{Usage, UsageError},
};
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

impl Listener for Terminal {
    fn say(&self, line: &str) {
        self.talk(line);
    }

    fn columns(&self) -> u16 {
        self.talk_columns()
    }
}

pub(crate) async fn run(action: InfraAction, terminal: Terminal) -> anyhow::Result<Exit> {
    match action {
        InfraAction::Cost(args) => cost(&args, terminal).await,
        InfraAction::Trim { plan } => {
            let trimmed = read_plan(&plan)?.trimmed();
            terminal.data(serde_json::to_string_pretty(&trimmed)?);
            Ok(Exit::Success)
        }
        InfraAction::Check(args) => {
            let options = options(&args)?;
            let findings =
                open(&options, &terminal, &SystemClock::new(), async |deployment| deployment.check().await)
                    .await?;
            if terminal.json() {
                terminal.document(&findings)?;
            } else {
                let mut table = terminal.table(["", "what", "what it is, or how to get it"]);
                for finding in &findings {
                    let mark = match (finding.ok, finding.needed) {
                        (true, _) => "ok",
                        (false, true) => "missing",
                        (false, false) => "not needed",
                    };
                    table.add_row([mark, &finding.what, &finding.detail]);
                }
                terminal.show(table);
            }
            Ok(if findings.iter().all(|finding| finding.ok || !finding.needed) {
                Exit::Success
            } else {
                Exit::Missing
            })
        }
        InfraAction::Plan(args) => {
            let options = options(&args)?;
            let plan =
                open(&options, &terminal, &SystemClock::new(), async |deployment| deployment.plan().await)
                    .await?;
            if terminal.json() {
                terminal.document(&plan.trimmed())?;
            }
            Ok(Exit::Success)
        }
        InfraAction::Apply(args) => {
            let options = options(&args)?;
            let outputs =
                open(&options, &terminal, &SystemClock::new(), async |deployment| deployment.apply().await)
                    .await?;
            if terminal.json() {
                terminal.document(&outputs)?;
            }
            Ok(Exit::Success)
        }
        InfraAction::Destroy(args) => {
            let options = options(&args)?;
            open(&options, &terminal, &SystemClock::new(), async |deployment| deployment.destroy().await)
                .await?;
            Ok(Exit::Success)
        }
        InfraAction::Output(args) => {
            let options = options(&args)?;
            let outputs =
                open(&options, &terminal, &SystemClock::new(), async |deployment| deployment.output().await)
                    .await?;
            terminal.document(&outputs)?;
            Ok(Exit::Success)
        }
    }
}

async fn open<T>(
    options: &Options,
    terminal: &Terminal,
    clock: &dyn Clock,
    act: impl AsyncFnOnce(&mut Deployment<'_>) -> Result<T, DeployError>,
) -> anyhow::Result<T> {
    let environment = |name: &str| std::env::var(name).ok();
    let mut deployment =
        Deployment::open(options, &environment, terminal, clock).map_err(|error| stopped(&error))?;
    act(&mut deployment).await.map_err(|error| stopped(&error))
}

/// Which exit code an error of a deployment has.
fn stopped(error: &DeployError) -> anyhow::Error {
    let exit = match error {
        DeployError::Missing(_)
        | DeployError::NotBootstrapped(_)
        | DeployError::Credentials(_)
        | DeployError::SecretsLost(_)
        | DeployError::Terraform(TerraformError::Missing) => Exit::Missing,
        DeployError::Usage(_) => Exit::Usage,
        DeployError::NotConfirmed => Exit::NotConfirmed,
        DeployError::Locked { .. }
        | DeployError::Busy(_)
        | DeployError::Terraform(TerraformError::Locked(_)) => Exit::Locked,
        DeployError::Interrupted { .. } | DeployError::Terraform(TerraformError::Interrupted) => {
            Exit::Interrupted
        }
        DeployError::Incomplete { .. } => Exit::Incomplete,
        DeployError::Terraform(_) | DeployError::Plan(_) | DeployError::File { .. } | DeployError::Io(_) => {
            Exit::Failure
        }
    };
    Stop::because(exit, error.to_string())
}

fn options(args: &InfraArgs) -> anyhow::Result<Options> {
    let environment = args.environment.name();
    Ok(Options {
        environment: environment.to_owned(),
        profile: args.profile.clone(),
        root: args.root.clone(),
        work: args.work.clone(),
        files: args.var_file.clone(),
        backend: match args.state {
            InfraState::S3 => Backend::S3,
            InfraState::Local => Backend::Local,
        },
        yes: args.yes.clone(),
        unlock: args.unlock.clone(),
        repository: args.repository.clone(),
        region: args.region.clone(),
        program: "terraform".into(),
        prices: price_table(&args.tables)?,
        usage: assumed(&args.tables, environment)?,
    })
}

async fn cost(args: &InfraCostArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let prices = price_table(&args.tables)?;
    let mut priced: Vec<Priced> = Vec::new();
    for given in &args.plans {
        let (name, path) = located(given, &args.work)?;
        let plan = read_plan(&path)?;
        let usage = assumed(&args.tables, plan.environment.as_deref().unwrap_or("production"))?;
        // The documentation is the same on every machine.
        let beside = if args.markdown { Infracost::Absent } else { infracost::ask("infracost", &path).await };
        let one = report::price(name, &plan, &prices, &usage, &args.tasks, beside)
            .map_err(|error| Stop::because(exit_of(&error), format!("{}: {error}", path.display())))?;
        priced.push(one);
    }
    if terminal.json() {
        terminal.document(&report::json(&priced, &prices))?;
    } else if args.markdown {
        let plans: Vec<String> = args.plans.iter().map(|plan| plan.display().to_string()).collect();
        let command = format!("seiketsu infra cost --markdown {}", plans.join(" "));
        terminal.data(report::markdown(&priced, &prices, &command).trim_end());
    } else {
        terminal.data(report::text(&priced, &prices, terminal.columns()).trim_end());
    }
    Ok(Exit::Success)
}

const fn exit_of(error: &EstimateError) -> Exit {
    match error {
        EstimateError::Price(PriceError::Missing { .. }) | EstimateError::Region { .. } => Exit::Usage,
        EstimateError::Price(_) | EstimateError::Unknown { .. } | EstimateError::NoDefinition { .. } => {
            Exit::Failure
        }
    }
}

/// A plan's name and file: `production.json` is `production`; `production` is the last plan of that environment.
fn located(given: &Path, work: &Path) -> anyhow::Result<(String, PathBuf)> {
    if given.exists() {
        let name = given.file_stem().unwrap_or(given.as_os_str()).to_string_lossy().into_owned();
        return Ok((name, given.to_owned()));
    }
    if given == OsStr::new("staging") || given == OsStr::new("production") {
        let last = work.join(given).join("plan.json");
        if last.exists() {
            return Ok((given.display().to_string(), last));
        }
        let why = format!(
            "no plan of {0} was made here yet: `seiketsu infra plan {0}` makes one; what an empty account would get is in infrastructure/plans/{0}.json",
            given.display()
        );
        return Err(Stop::because(Exit::Usage, why));
    }
    Err(Stop::because(Exit::Usage, format!("{}: no such plan", given.display())))
}

fn read_plan(path: &Path) -> anyhow::Result<Plan> {
    let bytes = read(path)?;
    Plan::parse(&bytes).map_err(|error| match error {
        PlanError::Malformed(_)
        | PlanError::TooLong(_)
        | PlanError::TooMany(_)
        | PlanError::Version(_)
        | PlanError::Errored => Stop::because(Exit::Usage, format!("{}: {error}", path.display())),
    })
}

fn price_table(tables: &InfraTables) -> anyhow::Result<PriceTable> {
    let text = match &tables.prices {
        Some(path) => text(path)?,
        None => prices::BUILT_IN.to_owned(),
    };
    PriceTable::parse(&text).map_err(|error| Stop::because(Exit::Usage, error.to_string()))
}

fn assumed(tables: &InfraTables, environment: &str) -> anyhow::Result<Usage> {
    let usage: Result<Usage, UsageError> = match &tables.usage {
        Some(path) => Usage::parse(&text(path)?),
        None => Usage::built_in(environment),
    };
    usage.map_err(|error| Stop::because(Exit::Usage, error.to_string()))
}

fn text(path: &Path) -> anyhow::Result<String> {
    String::from_utf8(read(path)?).with_context(|| path.display().to_string())
}

/// A file, unless it is far too long to be one of ours.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let unreadable =
        |error: std::io::Error| Stop::because(Exit::Usage, format!("{}: {error}", path.display()));
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length > seiketsu_operations::plan::MAX_BYTES as u64 {
        return Err(Stop::because(Exit::Usage, format!("{}: {length} bytes are too many", path.display())));
    }
    fs::read(path).map_err(unreadable)
}
