//! The steps of a deployment: check, plan, apply, destroy, output.
//!
//! Everything that stands is in Terraform's state; what is kept here (a saved plan, a journal) only makes it quicker and
//! tells what happened. Whoever loses it loses nothing, unless a run was interrupted: what that one was making is known
//! here only ([`under_way`]).
//!
//! Credentials are looked at by Terraform itself: a data source that asks STS who this is. It takes the same way to
//! credentials as the deployment does (keys, profile, single sign-on, role, endpoint), which another program may not, and
//! needs no further tool.

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

mod account;
mod check;
mod error;
mod files;

pub use check::Finding;
pub use error::DeployError;

use crate::{
    blot::Blotter,
    confirm::{self, Answer},
    interrupts::Interrupts,
    journal::{Entry, Journal, Stage},
    plan::{Action, Plan},
    prices::PriceTable,
    summary::{Counts, summary},
    terraform::{Listener, Progress, Standing, Terraform, TerraformError},
    under_way::{self, Left, Log},
    usage::Usage,
    variables::{self, Environment, Missing},
};
use account::{Identity, role};
use check::is_new_enough;
use error::{interrupted, into_interrupted, of};
use files::{fingerprint, plugins, write_private};
use seiketsu_domain::Clock;
use std::{ffi::OsString, fs, os::unix::fs::DirBuilderExt, path::PathBuf};

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
        // What only this environment is told: its domain, its zone, its image.
        let given = root.join(format!("terraform.{}.tfvars", options.environment));
        let mut files = vec![own];
        files.extend(given.exists().then_some(given));
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
            match self.make_it_so(&ready, destroy, &plan).await {
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
                && entry.fingerprint == fingerprint(&self.root, &self.files)
                && self.plan_file().exists();
            if fits {
                match self.read_plan(ready).await {
                    Ok(plan) => {
                        self.listener.say("taking that plan up");
                        self.tell(&plan);
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
        if !destroy {
            let taken_up = self.take_up_what_was_under_way(&self.site(), &ready.variables).await;
            taken_up.map_err(|error| self.explain(error, command))?;
        }
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &ready.variables);
        let planned = terraform.plan(&file, destroy, &self.files, interrupts).await;
        planned.map_err(|error| self.explain(into_interrupted(error), command))?;
        let plan = self.read_plan(ready).await?;
        self.tell(&plan);
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

    /// Looks at what an interrupted run was making: what Terraform knows, and would make anew only because it did not hear the
    /// end of it, is kept. The rest is named, and looked at again by the next run until it was made.
    async fn take_up_what_was_under_way(
        &mut self,
        site: &Site,
        variables: &[(String, String)],
    ) -> Result<(), DeployError> {
        let mut unknown = Vec::new();
        for Left { address, id } in under_way::left(&site.under_way) {
            let (interrupts, terraform) = parts!(self, &site.directory, site.data.clone(), variables);
            match terraform.keep(&address, interrupts).await {
                Ok(Standing::Made) => continue,
                Ok(Standing::Kept) => {
                    self.listener.say(&format!(
                        "  {address} had been made when the last run was interrupted; it is kept"
                    ));
                    continue;
                }
                Ok(Standing::Unknown) => {
                    let how = id.as_ref().map_or_else(String::new, |id| {
                        format!(
                            "; should making it fail because it exists: terraform import '{address}' '{id}'"
                        )
                    });
                    self.listener.say(&format!(
                        "  {address} may have been made when the last run was interrupted, and Terraform does not know it{how}"
                    ));
                }
                // Whoever may only look at the state cannot change a mark in it.
                Err(TerraformError::Failed { said, .. }) => {
                    self.listener
                        .say(&format!("  {address} was being made when the last run was interrupted:{said}"));
                }
                Err(error) => return Err(into_interrupted(error)),
            }
            unknown.push(Left { address, id });
        }
        under_way::keep_only(&site.under_way, &unknown).map_err(|error| of(&site.under_way, error))
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

    async fn make_it_so(&mut self, ready: &Ready, destroy: bool, plan: &Plan) -> Result<(), DeployError> {
        let steps = Counts::of(plan).steps();
        self.note(Stage::Applying, destroy, steps, 0)?;
        self.listener
            .say(&format!("terraform {} ({steps} steps)", if destroy { "destroy" } else { "apply" }));
        let file = self.plan_file();
        let mut progress = self.site().progress(plan)?;
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &ready.variables);
        let applied = terraform.apply(&file, steps, &mut progress, interrupts).await;
        let done = progress.done;
        match applied {
            Ok(()) => {
                self.note(Stage::Applied, destroy, steps, done)?;
                self.site().tidy()?;
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

    /// Says what a plan comes to.
    fn tell(&self, plan: &Plan) {
        let width = self.listener.columns();
        self.listener.say(&summary(plan, &self.options.prices, &self.options.usage, width));
    }

    fn site(&self) -> Site {
        Site {
            directory: self.root.clone(),
            data: self.work.join("terraform"),
            plan: self.plan_file(),
            under_way: self.work.join("under-way.jsonl"),
        }
    }

    fn plan_file(&self) -> PathBuf {
        self.work.join("plan.tfplan")
    }

    /// A saved plan may hold secrets, and is of no use once it was tried.
    fn forget_plan(&self) {
        let _ = fs::remove_file(self.plan_file());
    }

    fn note(&self, stage: Stage, destroy: bool, steps: u32, done: u32) -> Result<(), DeployError> {
        let entry = Entry {
            stage,
            at: self.clock.now(),
            destroy,
            fingerprint: fingerprint(&self.root, &self.files),
            steps,
            done,
        };
        self.journal.write(&entry).map_err(|error| of(&self.work, error))
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

/// A root, and what is kept of it.
struct Site {
    directory: PathBuf,
    data: PathBuf,
    plan: PathBuf,
    under_way: PathBuf,
}

impl Site {
    /// Before a plan is applied: what is made is written down from now on.
    fn progress(&self, plan: &Plan) -> Result<Progress, DeployError> {
        let ids = plan.changes.iter().filter_map(|change| Some((change.address.clone(), change.id.clone()?)));
        let log = Log::begin(&self.under_way, ids.collect()).map_err(|error| of(&self.under_way, error))?;
        Ok(Progress::noted(log))
    }

    /// After it: what is still not known stays written down, which mostly is nothing.
    fn tidy(&self) -> Result<(), DeployError> {
        let left = under_way::left(&self.under_way);
        under_way::keep_only(&self.under_way, &left).map_err(|error| of(&self.under_way, error))
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
    fn sensitive_outputs_are_blotted_out() {
        let outputs = serde_json::json!({
            "url": {"sensitive": false, "type": "string", "value": "https://a"},
            "password": {"sensitive": true, "type": "string", "value": "hunter2"},
            "odd": {"value": "who knows"},
        });
        let shown = shown(&outputs);
        assert_eq!(shown, serde_json::json!({"url": "https://a", "password": "(secret)", "odd": "(secret)"}));
    }
}
