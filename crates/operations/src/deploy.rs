//! The steps of a deployment: check, plan, apply, destroy, output.
//!
//! Everything that stands is in Terraform's state; what is kept here (a saved plan, a journal) only makes it quicker and
//! tells what happened. Whoever loses it loses nothing.
//!
//! Credentials are looked at by Terraform itself: a data source that asks STS who this is. It takes the same way to
//! credentials as the deployment does (keys, profile, single sign-on, role, endpoint), which another program may not, and
//! needs no further tool.

use crate::{
    blot::Blotter,
    confirm::{self, Answer},
    interrupts::Interrupts,
    journal::{Entry, Journal, Stage},
    plan::{Action, Plan, PlanError},
    prices::PriceTable,
    summary::{Counts, summary},
    terraform::{Listener, Lock, Progress, Terraform, TerraformError},
    usage::Usage,
    variables::{self, Environment, Missing},
};
use seiketsu_domain::Clock;
use serde::Serialize;
use std::{
    ffi::OsString,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The Terraform that the root asks for.
const TERRAFORM: (u32, u32) = (1, 11);
/// The alias of the key that bootstrap seals the state with; that it exists means that bootstrap was run.
const STATE_KEY: &str = "alias/seiketsu-state";

/// Terraform in a directory, and what interrupts it: both borrow from the deployment.
macro_rules! parts {
    ($self:ident, $directory:expr, $data:expr, $variables:expr) => {
        (
            &mut $self.interrupts,
            Terraform {
                program: &$self.options.program,
                directory: $directory,
                data: $data,
                plugins: $self.plugins.as_deref(),
                cache: &$self.cache,
                variables: $variables,
                blotter: &$self.blotter,
                listener: $self.listener,
            },
        )
    };
}

/// Where Terraform keeps what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// In bootstrap's bucket, with its lock.
    S3,
    /// In the working directory: for a root whose overlay says so, in tests.
    Local,
}

/// What to deploy, and how.
#[derive(Debug)]
pub struct Options {
    /// `staging` or `production`.
    pub environment: String,
    /// A variant of the environment: `right-sized` takes environments/production-right-sized.tfvars.
    pub profile: Option<String>,
    /// The directory of the Terraform root.
    pub root: PathBuf,
    /// Where plans, journals and outputs are kept; made if missing, for the owner alone.
    pub work: PathBuf,
    /// Further files of variables.
    pub files: Vec<PathBuf>,
    /// Where the state is.
    pub backend: Backend,
    /// The environment's name, if somebody gave it instead of typing it.
    pub yes: Option<String>,
    /// A lock to take away first.
    pub unlock: Option<String>,
    /// `owner/name` on GitHub, for bootstrap.
    pub repository: Option<String>,
    /// The region of the state, and of the question who this is.
    pub region: String,
    /// The program `terraform`.
    pub program: OsString,
    /// The prices that plans are summed up with.
    pub prices: PriceTable,
    /// The assumed usage.
    pub usage: Usage,
}

impl Options {
    fn production(&self) -> bool {
        self.environment == "production"
    }
}

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
    #[error("not confirmed, and nothing was changed")]
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
    #[error("AWS does not know these credentials: {0}")]
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

fn listed(missing: &[Missing]) -> String {
    let mut text = "missing:".to_owned();
    for one in missing {
        let _ = write!(text, "\n  {one}");
    }
    text
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub what: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Whether nothing goes on without it.
    pub needed: bool,
    /// What it is, or what to do.
    pub detail: String,
}

/// Who the credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    account: String,
    arn: String,
}

/// A deployment of one environment.
pub struct Deployment<'a> {
    options: &'a Options,
    environment: &'a dyn Environment,
    listener: &'a dyn Listener,
    clock: &'a dyn Clock,
    interrupts: Interrupts,
    blotter: Blotter,
    files: Vec<PathBuf>,
    plugins: Option<PathBuf>,
    cache: PathBuf,
    root: PathBuf,
    work: PathBuf,
    journal: Journal,
    // Held until the end: one run at a time.
    _lock: fs::File,
}

impl<'a> Deployment<'a> {
    /// Looks whether everything that is named exists, and takes the working directory.
    pub fn open(
        options: &'a Options,
        environment: &'a dyn Environment,
        listener: &'a dyn Listener,
        clock: &'a dyn Clock,
    ) -> Result<Self, DeployError> {
        if let Some(yes) = options.yes.as_deref().filter(|yes| *yes != options.environment) {
            return Err(DeployError::Usage(format!(
                "--yes {yes}: expected the environment's name, {}",
                options.environment
            )));
        }
        let root = options.root.canonicalize().ok().filter(|root| root.join("main.tf").exists()).ok_or_else(
            || {
                DeployError::Usage(format!(
                    "{} is no Terraform root: run this in the repository, or say where it is with --root",
                    options.root.display()
                ))
            },
        )?;
        let profile = options.profile.as_ref().map_or_else(String::new, |profile| format!("-{profile}"));
        let own = root.join("environments").join(format!("{}{profile}.tfvars", options.environment));
        let mut files = vec![own];
        for file in &options.files {
            files.push(std::path::absolute(file)?);
        }
        if let Some(absent) = files.iter().find(|file| !file.exists()) {
            return Err(DeployError::Usage(format!("{} does not exist", absent.display())));
        }
        let work = options.work.join(&options.environment);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&work).map_err(|error| of(&work, error))?;
        let work = work.canonicalize()?;
        let cache = work.with_file_name("providers");
        fs::create_dir_all(&cache).map_err(|error| of(&cache, error))?;
        let lock = fs::File::create(work.join("lock")).map_err(|error| of(&work.join("lock"), error))?;
        if lock.try_lock().is_err() {
            return Err(DeployError::Busy(options.environment.clone()));
        }
        Ok(Self {
            options,
            environment,
            listener,
            clock,
            interrupts: Interrupts::listen()?,
            blotter: variables::secrets(environment),
            files,
            plugins: plugins(environment),
            cache,
            journal: Journal::within(&work),
            root,
            work,
            _lock: lock,
        })
    }

    /// Looks at tools, variables, credentials and state. Changes nothing.
    pub async fn check(&mut self) -> Result<Vec<Finding>, DeployError> {
        let mut findings = Vec::new();
        let mut add = |what: &str, ok: bool, needed: bool, detail: String| {
            findings.push(Finding { what: what.to_owned(), ok, needed, detail });
        };
        let version = match self.run_version().await {
            Ok(version) => {
                let new = is_new_enough(&version);
                let wish = if new { "" } else { "; 1.11 or later is needed" };
                add("terraform", new, true, format!("{version}{wish}"));
                new
            }
            Err(TerraformError::Interrupted) => return Err(interrupted()),
            Err(error) => {
                add("terraform", false, true, error.to_string());
                false
            }
        };
        let from = self
            .plugins
            .as_ref()
            .map_or_else(|| "from a registry".to_owned(), |place| format!("from {}", place.display()));
        add("hashicorp/aws", true, true, from);
        let missing = variables::missing(self.environment, &self.root, &self.files);
        let no_credentials = missing.iter().any(|missing| missing.name.starts_with("AWS_"));
        for one in &missing {
            add(&one.name, false, one.needed, one.how.clone());
        }
        if missing.is_empty() {
            add("variables", true, true, "all of the Quick Start, and of Terraform".to_owned());
        }
        if version && !no_credentials {
            match self.identity().await {
                Ok(identity) => {
                    add("credentials", true, true, format!("account {}, {}", identity.account, identity.arn));
                    if self.options.backend == Backend::S3 {
                        match self.state_key().await {
                            Ok(Some(_)) => add(
                                "state",
                                true,
                                false,
                                format!("bucket seiketsu-state-{}", identity.account),
                            ),
                            Ok(None) => {
                                add(
                                    "state",
                                    false,
                                    false,
                                    "no bucket yet; `apply` makes it first".to_owned(),
                                );
                            }
                            Err(DeployError::Terraform(TerraformError::Interrupted)) => {
                                return Err(interrupted());
                            }
                            Err(error) => add("state", false, true, error.to_string()),
                        }
                    }
                }
                Err(DeployError::Credentials(TerraformError::Interrupted)) => return Err(interrupted()),
                Err(error) => add("credentials", false, true, error.to_string()),
            }
        } else {
            add("credentials", false, true, "not asked: see above".to_owned());
        }
        if let Some(entry) = self.journal.last() {
            add("last run", true, false, entry.told());
        }
        Ok(findings)
    }

    /// Makes a plan, says what it does and costs, and keeps it for `apply`.
    pub async fn plan(&mut self) -> Result<Plan, DeployError> {
        let ready = self.ready("plan").await?;
        let plan = self.make_plan(&ready, false, "plan").await?;
        if plan.changes_anything() {
            self.listener.say(&format!(
                "saved; `seiketsu infra apply {}` takes it, as long as nothing else changes",
                self.options.environment
            ));
        }
        Ok(plan)
    }

    /// Makes what a plan says, after asking in production, and goes on where an earlier run stopped.
    pub async fn apply(&mut self) -> Result<Option<serde_json::Value>, DeployError> {
        self.change(false).await
    }

    /// Destroys everything of the environment, after asking; bootstrap stays.
    pub async fn destroy(&mut self) -> Result<(), DeployError> {
        self.change(true).await.map(drop)
    }

    /// The outputs, sensitive ones blotted out, also written to `outputs.json`.
    pub async fn output(&mut self) -> Result<serde_json::Value, DeployError> {
        let ready = self.ready("output").await?;
        self.outputs(&ready).await
    }

    async fn change(&mut self, destroy: bool) -> Result<Option<serde_json::Value>, DeployError> {
        let command = if destroy { "destroy" } else { "apply" };
        let ready = self.ready(command).await?;
        let mut plan = self.taken_up(&ready, destroy, command).await?;
        loop {
            if !plan.changes_anything() {
                self.forget_plan();
                self.note(Stage::Applied, destroy, 0, 0)?;
                break;
            }
            self.confirm(destroy).await?;
            let counts = Counts::of(&plan);
            match self.make_it_so(&ready, destroy, counts.steps()).await {
                Ok(()) => break,
                Err(DeployError::Terraform(TerraformError::Stale)) => {
                    self.listener.say("the state has changed since that plan was made; planning again");
                    plan = self.make_plan(&ready, destroy, command).await?;
                }
                Err(error) => return Err(self.explain(error, command)),
            }
        }
        if destroy {
            self.listener.say("everything of the environment is destroyed; the state bucket stays");
            return Ok(None);
        }
        self.outputs(&ready).await.map(Some)
    }

    /// Everything that comes before the first plan: variables, credentials, state.
    async fn ready(&mut self, command: &'static str) -> Result<Ready, DeployError> {
        let missing: Vec<Missing> = variables::missing(self.environment, &self.root, &self.files)
            .into_iter()
            // Who looks needs nothing but credentials; who destroys needs no keys of the platform.
            .filter(|missing| match command {
                "output" => missing.name.starts_with("AWS_"),
                "destroy" => !variables::KEYS.iter().any(|key| key.name == missing.name),
                _ => true,
            })
            .collect();
        for one in missing.iter().filter(|missing| !missing.needed) {
            self.listener.say(&format!("not set, and not needed: {one}"));
        }
        let needed: Vec<Missing> = missing.into_iter().filter(|missing| missing.needed).collect();
        if !needed.is_empty() {
            return Err(DeployError::Missing(needed));
        }
        let version = self.run_version().await?;
        if !is_new_enough(&version) {
            return Err(DeployError::Usage(format!(
                "Terraform {version} is too old; 1.11 or later is needed"
            )));
        }
        let identity = self.identity().await?;
        self.listener.say(&format!("account {}, {}", identity.account, identity.arn));
        let variables = self.variables(&identity);
        let backend = match self.options.backend {
            Backend::Local => vec![format!("path={}", self.work.join("terraform.tfstate").display())],
            Backend::S3 => {
                let mut key = self.state_key().await?;
                if command == "apply" && (key.is_none() || self.unfinished().exists()) {
                    self.bootstrap(&identity).await?;
                    key = self.state_key().await?;
                }
                let key = key.ok_or_else(|| DeployError::NotBootstrapped(identity.account.clone()))?;
                vec![
                    format!("bucket=seiketsu-state-{}", identity.account),
                    format!("key={}/terraform.tfstate", self.options.environment),
                    format!("region={}", self.options.region),
                    format!("kms_key_id={key}"),
                ]
            }
        };
        let ready = Ready { variables };
        self.listener.say("terraform init");
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &ready.variables);
        terraform.init(&backend, interrupts).await.map_err(into_interrupted)?;
        if let Some(id) = &self.options.unlock {
            terraform.unlock(id, interrupts).await?;
            self.listener.say(&format!("the lock {id} is taken away"));
        }
        self.recover(&ready).await?;
        Ok(ready)
    }

    /// A state that Terraform could not save lies in the root; it is put where it belongs.
    async fn recover(&mut self, ready: &Ready) -> Result<(), DeployError> {
        let errored = self.root.join("errored.tfstate");
        if !errored.exists() {
            return Ok(());
        }
        self.listener.say("the last run could not save its state; it is saved now");
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &ready.variables);
        terraform.push_state(&errored, interrupts).await.map_err(into_interrupted)?;
        let kept = self.work.join("errored.tfstate");
        fs::rename(&errored, &kept)
            .or_else(|_| fs::copy(&errored, &kept).and_then(|_| fs::remove_file(&errored)))
            .map_err(|error| of(&errored, error))
    }

    /// The saved plan, if it was made from what stands here now; else a new one.
    async fn taken_up(
        &mut self,
        ready: &Ready,
        destroy: bool,
        command: &'static str,
    ) -> Result<Plan, DeployError> {
        if let Some(entry) = self.journal.last() {
            if entry.stage != Stage::Applied {
                self.listener.say(&entry.told());
            }
            let fits = entry.stage == Stage::Planned
                && entry.destroy == destroy
                && entry.fingerprint == self.fingerprint()
                && self.plan_file().exists();
            if fits {
                match self.read_plan(ready).await {
                    Ok(plan) => {
                        self.listener.say("taking that plan up");
                        self.listener.say(&summary(&plan, &self.options.prices, &self.options.usage));
                        return Ok(plan);
                    }
                    Err(DeployError::Terraform(TerraformError::Interrupted)) => return Err(interrupted()),
                    Err(_) => self.listener.say("that plan cannot be read any more"),
                }
            }
        }
        self.make_plan(ready, destroy, command).await
    }

    async fn make_plan(
        &mut self,
        ready: &Ready,
        destroy: bool,
        command: &'static str,
    ) -> Result<Plan, DeployError> {
        self.listener.say("terraform plan (some minutes)");
        self.forget_plan();
        let file = self.plan_file();
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &ready.variables);
        let planned = terraform.plan(&file, destroy, &self.files, interrupts).await;
        planned.map_err(|error| self.explain(into_interrupted(error), command))?;
        let plan = self.read_plan(ready).await?;
        self.listener.say(&summary(&plan, &self.options.prices, &self.options.usage));
        if !destroy {
            let lost: Vec<&str> = plan
                .changes
                .iter()
                .filter(|change| {
                    change.action == Action::Destroy && change.kind == "aws_secretsmanager_secret_version"
                })
                .filter_map(|change| change.address.split('"').nth(1))
                .collect();
            if !lost.is_empty() {
                self.forget_plan();
                return Err(DeployError::SecretsLost(lost.join(", ")));
            }
        }
        write_private(&self.work.join("plan.json"), plan.trimmed().to_string().as_bytes())?;
        if plan.changes_anything() {
            self.note(Stage::Planned, destroy, Counts::of(&plan).steps(), 0)?;
        }
        Ok(plan)
    }

    async fn read_plan(&mut self, ready: &Ready) -> Result<Plan, DeployError> {
        let file = self.plan_file();
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &ready.variables);
        let json = terraform.show(&file, interrupts).await.map_err(into_interrupted)?;
        Ok(Plan::parse(&json)?)
    }

    /// In production, and before anything is destroyed, the environment's name has to be typed.
    async fn confirm(&mut self, destroy: bool) -> Result<(), DeployError> {
        let name = self.options.environment.as_str();
        if !destroy && !self.options.production() {
            return Ok(());
        }
        if self.options.yes.as_deref() == Some(name) {
            self.listener.say(&format!("confirmed on the command line: {name}"));
            return Ok(());
        }
        let what = if destroy { "destroy all of this" } else { "do this" };
        self.listener.say(&format!("Type {name} to {what}:"));
        match confirm::ask(name, &mut self.interrupts).await? {
            Answer::Yes => Ok(()),
            Answer::No => Err(DeployError::NotConfirmed),
            Answer::Interrupted => Err(interrupted()),
        }
    }

    async fn make_it_so(&mut self, ready: &Ready, destroy: bool, steps: u32) -> Result<(), DeployError> {
        self.note(Stage::Applying, destroy, steps, 0)?;
        self.listener
            .say(&format!("terraform {} ({steps} steps)", if destroy { "destroy" } else { "apply" }));
        let file = self.plan_file();
        let mut progress = Progress::default();
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &ready.variables);
        let applied = terraform.apply(&file, steps, &mut progress, interrupts).await;
        let done = progress.done;
        match applied {
            Ok(()) => {
                self.note(Stage::Applied, destroy, steps, done)?;
                self.forget_plan();
                self.listener.say(&format!("{done} steps done"));
                Ok(())
            }
            // Nothing was done: the plan, or the lock, was not to be had.
            Err(error @ (TerraformError::Stale | TerraformError::Locked(_))) => {
                self.note(Stage::Planned, destroy, steps, 0)?;
                Err(error.into())
            }
            Err(TerraformError::Interrupted) => {
                self.note(Stage::Interrupted, destroy, steps, done)?;
                self.forget_plan();
                Err(DeployError::Interrupted { done, steps })
            }
            Err(error) => {
                self.note(Stage::Failed, destroy, steps, done)?;
                self.forget_plan();
                Err(DeployError::Incomplete { done, steps, error })
            }
        }
    }

    async fn outputs(&mut self, ready: &Ready) -> Result<serde_json::Value, DeployError> {
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &ready.variables);
        let all = terraform.output(interrupts).await.map_err(into_interrupted)?;
        let shown = shown(&all);
        let path = self.work.join("outputs.json");
        write_private(&path, serde_json::to_string_pretty(&shown).unwrap_or_default().as_bytes())?;
        self.listener.say(&format!("outputs are in {}", path.display()));
        Ok(shown)
    }

    /// The bucket of the state, and the roles of the workflows: once per account.
    async fn bootstrap(&mut self, identity: &Identity) -> Result<(), DeployError> {
        let unfinished = self.unfinished();
        self.listener.say(if unfinished.exists() {
            "the bootstrap of this account was not finished: it comes first"
        } else {
            "this account has no state bucket yet: bootstrap first"
        });
        let mut variables = vec![
            ("TF_VAR_account_id".to_owned(), identity.account.clone()),
            ("TF_VAR_region".to_owned(), self.options.region.clone()),
        ];
        match (&self.options.repository, self.environment.get("TF_VAR_repository")) {
            (Some(repository), _) => variables.push(("TF_VAR_repository".to_owned(), repository.clone())),
            (None, Some(_)) => {}
            (None, None) => {
                return Err(DeployError::Missing(vec![Missing {
                    name: "--repository".to_owned(),
                    how: "owner/name on GitHub, whose workflows may deploy; bootstrap makes their roles"
                        .to_owned(),
                    needed: true,
                }]));
            }
        }
        let directory = self.root.join("bootstrap");
        let data = self.work.join("bootstrap");
        let file = self.work.join("bootstrap.tfplan");
        let (interrupts, terraform) = parts!(self, &directory, data.clone(), &variables);
        terraform.init(&[], interrupts).await.map_err(into_interrupted)?;
        terraform.plan(&file, false, &[], interrupts).await.map_err(into_interrupted)?;
        let plan = Plan::parse(&terraform.show(&file, interrupts).await.map_err(into_interrupted)?)?;
        self.listener.say(&summary(&plan, &self.options.prices, &self.options.usage));
        self.confirm(false).await?;
        let steps = Counts::of(&plan).steps();
        fs::write(&unfinished, "").map_err(|error| of(&unfinished, error))?;
        let mut progress = Progress::default();
        let (interrupts, terraform) = parts!(self, &directory, data, &variables);
        let applied = terraform.apply(&file, steps, &mut progress, interrupts).await;
        let _ = fs::remove_file(&file);
        let done = progress.done;
        applied.map_err(|error| {
            if matches!(error, TerraformError::Interrupted) {
                DeployError::Interrupted { done, steps }
            } else {
                DeployError::Incomplete { done, steps, error }
            }
        })?;
        let _ = fs::remove_file(&unfinished);
        Ok(())
    }

    /// Exists from when bootstrap begins to change something until all of it is done.
    fn unfinished(&self) -> PathBuf {
        self.work.join("bootstrap-unfinished")
    }

    /// Who the credentials are.
    async fn identity(&mut self) -> Result<Identity, DeployError> {
        let answer = self
            .ask_aws(
                "identity",
                "data \"aws_caller_identity\" \"this\" {}\noutput \"answer\" {\n  value = [data.aws_caller_identity.this.account_id, data.aws_caller_identity.this.arn]\n}\n",
            )
            .await
            .map_err(|error| {
                if let DeployError::Terraform(error) = error {
                    if matches!(error, TerraformError::Interrupted) {
                        interrupted()
                    } else {
                        DeployError::Credentials(error)
                    }
                } else {
                    error
                }
            })?;
        let text =
            |at: usize| answer.get(at).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        Ok(Identity { account: text(0), arn: text(1) })
    }

    /// The key that bootstrap sealed the state with, if it was run.
    async fn state_key(&mut self) -> Result<Option<String>, DeployError> {
        let question = format!(
            "data \"aws_kms_alias\" \"this\" {{\n  name = \"{STATE_KEY}\"\n}}\noutput \"answer\" {{\n  value = data.aws_kms_alias.this.target_key_arn\n}}\n"
        );
        match self.ask_aws("state-key", &question).await {
            Ok(answer) => Ok(answer.as_str().map(str::to_owned)),
            Err(DeployError::Terraform(TerraformError::Failed { said, .. }))
                if ["couldn't find", "empty result", "NotFound"].iter().any(|none| said.contains(none)) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Has Terraform read a data source, in a directory of its own.
    async fn ask_aws(&mut self, name: &str, question: &str) -> Result<serde_json::Value, DeployError> {
        let directory = self.work.join("questions").join(name);
        fs::create_dir_all(&directory).map_err(|error| of(&directory, error))?;
        let file = directory.join("main.tf");
        let text = format!(
            "terraform {{\n  required_providers {{\n    aws = {{ source = \"hashicorp/aws\", version = \">= 5.100, < 7.0\" }}\n  }}\n}}\n\
             provider \"aws\" {{\n  region = \"{}\"\n}}\n{question}",
            self.options.region
        );
        fs::write(&file, text).map_err(|error| of(&file, error))?;
        let data = directory.join(".terraform");
        let (interrupts, terraform) = parts!(self, &directory, data.clone(), &[]);
        if !data.join("providers").exists() {
            terraform.init(&[], interrupts).await?;
        }
        let outputs = terraform.look_up(interrupts).await?;
        Ok(outputs.pointer("/answer/value").cloned().unwrap_or_default())
    }

    async fn run_version(&mut self) -> Result<String, TerraformError> {
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &[]);
        terraform.version(interrupts).await
    }

    /// What Terraform is told beside the files: who this is, and the secrets, which it takes as ephemeral values.
    fn variables(&self, identity: &Identity) -> Vec<(String, String)> {
        let given = |name: &str| variables::is_given(self.environment, &self.root, &self.files, name);
        let mut variables = Vec::new();
        let mut add = |name: &str, value: String| variables.push((format!("TF_VAR_{name}"), value));
        if !given("account_id") {
            add("account_id", identity.account.clone());
        }
        if !given("secret_values") && !given("secrets_written_here") {
            let keys = variables::keys(self.environment);
            let names: Vec<&str> = keys.keys().copied().collect();
            add("secrets_written_here", serde_json::json!(names).to_string());
            add("secret_values", serde_json::json!(keys).to_string());
            if !given("deployer_role_arns") {
                add("deployer_role_arns", serde_json::json!([role(&identity.arn)]).to_string());
            }
        }
        variables
    }

    fn plan_file(&self) -> PathBuf {
        self.work.join("plan.tfplan")
    }

    /// A saved plan may hold secrets, and is of no use once it was tried.
    fn forget_plan(&self) {
        let _ = fs::remove_file(self.plan_file());
    }

    fn note(&self, stage: Stage, destroy: bool, steps: u32, done: u32) -> Result<(), DeployError> {
        let entry =
            Entry { stage, at: self.clock.now(), destroy, fingerprint: self.fingerprint(), steps, done };
        self.journal.write(&entry).map_err(|error| of(&self.work, error))
    }

    /// A hash of what a plan is made from: the root's files and the files of variables.
    fn fingerprint(&self) -> u64 {
        let mut files = self.files.clone();
        sources(&self.root, &mut files);
        files.sort();
        let mut hasher = DefaultHasher::new();
        for file in files {
            file.hash(&mut hasher);
            fs::read(&file).unwrap_or_default().hash(&mut hasher);
        }
        hasher.finish()
    }

    fn explain(&self, error: DeployError, command: &'static str) -> DeployError {
        let DeployError::Terraform(TerraformError::Locked(lock)) = error else { return error };
        if let Some(entry) = self.journal.last().filter(|entry| entry.stage == Stage::Applying) {
            self.listener.say(&entry.told());
        }
        DeployError::Locked { lock, command, environment: self.options.environment.clone() }
    }
}

struct Ready {
    variables: Vec<(String, String)>,
}

const fn interrupted() -> DeployError {
    DeployError::Interrupted { done: 0, steps: 0 }
}

fn into_interrupted(error: TerraformError) -> DeployError {
    if matches!(error, TerraformError::Interrupted) { interrupted() } else { error.into() }
}

fn of(path: &Path, error: io::Error) -> DeployError {
    DeployError::File { path: path.display().to_string(), error }
}

fn write_private(path: &Path, content: &[u8]) -> Result<(), DeployError> {
    use io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).and_then(|mut file| file.write_all(content)).map_err(|error| of(path, error))
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= TERRAFORM
}

/// Where the provider was put for machines without a registry: `TF_PLUGIN_DIR`, or one of the usual places.
fn plugins(environment: &dyn Environment) -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = environment.get("TF_PLUGIN_DIR").map(Into::into).into_iter().collect();
    places.extend(environment.get("HOME").map(|home| Path::new(&home).join(".terraform.d/plugins")));
    places.extend(["/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"].map(Into::into));
    places.extend(fs::read_dir("/opt").into_iter().flatten().flatten().map(|entry| entry.path()));
    let place =
        places.into_iter().find(|place| place.join("registry.terraform.io/hashicorp/aws").is_dir())?;
    std::path::absolute(place).ok()
}

/// Files that a plan is made from.
fn sources(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["tests", "bootstrap", "environments"].contains(&name.as_str()) {
                sources(&path, files);
            }
        } else if path
            .extension()
            .is_some_and(|kind| ["tf", "tfvars", "tftpl", "json", "js"].iter().any(|known| kind == *known))
        {
            files.push(path);
        }
    }
}

/// The role behind an assumed one, which is what policies see: `assumed-role/deployer/session` is `role/deployer`. A role
/// with a path cannot be told from its session; then `deployer_role_arns` has to be given.
fn role(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let role = parts
        .get(5)
        .and_then(|rest| rest.strip_prefix("assumed-role/"))
        .and_then(|rest| rest.split('/').next());
    match (role, parts.get(4)) {
        (Some(role), Some(account)) => format!("arn:aws:iam::{account}:role/{role}"),
        _ => arn.to_owned(),
    }
}

/// Outputs as people and programs may see them: values by name, sensitive ones blotted out.
fn shown(outputs: &serde_json::Value) -> serde_json::Value {
    let mut shown = serde_json::Map::new();
    for (name, output) in outputs.as_object().into_iter().flatten() {
        let sensitive = output.get("sensitive").and_then(serde_json::Value::as_bool).unwrap_or(true);
        let value =
            if sensitive { Blotter::BLOT.into() } else { output.get("value").cloned().unwrap_or_default() };
        shown.insert(name.clone(), value);
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_behind_a_session_is_named() {
        assert_eq!(
            role("arn:aws:sts::1234:assumed-role/seiketsu-staging-apply/me"),
            "arn:aws:iam::1234:role/seiketsu-staging-apply"
        );
        assert_eq!(role("arn:aws:iam::1234:user/ada"), "arn:aws:iam::1234:user/ada");
        assert_eq!(role("nonsense"), "nonsense");
    }

    #[test]
    fn sensitive_outputs_are_blotted_out() {
        let outputs = serde_json::json!({
            "url": {"sensitive": false, "type": "string", "value": "https://a"},
            "password": {"sensitive": true, "type": "string", "value": "hunter2"},
            "odd": {"value": "who knows"},
        });
        let shown = shown(&outputs);
        assert_eq!(shown, serde_json::json!({"url": "https://a", "password": "(secret)", "odd": "(secret)"}));
    }

    #[test]
    fn versions_are_compared_by_numbers() {
        assert!(is_new_enough("1.11.4") && is_new_enough("1.11.0-rc1") && is_new_enough("2.0.0"));
        assert!(!is_new_enough("1.9.8") && !is_new_enough("") && !is_new_enough("0.15"));
    }
}
