//! Terraform as a child process.
//!
//! It runs in a process group of its own: a terminal's Ctrl-C reaches only us, and exactly one SIGINT is passed on. Terraform
//! takes the first as "finish what is under way, save the state, give the lock back", and a second as "stop dead".

use crate::{blot::Blotter, interrupts::Interrupts, under_way};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::Deserialize;
use std::{
    ffi::{OsStr, OsString},
    fmt::Write,
    io,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{Child, Command},
};

/// A line of Terraform's output; longer ones are cut.
const MAX_LINE: u64 = 1 << 20;
/// What a command may write to be read as a whole: a plan as JSON is the longest.
const MAX_OUTPUT: u64 = crate::plan::MAX_BYTES as u64;
/// Lines of an ordinary command that are kept for an error's message.
const KEPT_LINES: usize = 40;

/// Who is told how it goes on.
pub trait Listener: Send + Sync {
    /// One line for people. It has no secrets in it.
    fn say(&self, line: &str);

    /// How many columns a line for people may have.
    fn columns(&self) -> u16 {
        100
    }
}

/// An error or a warning of Terraform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it is an error.
    pub error: bool,
    /// One line.
    pub summary: String,
    /// More lines, or none.
    pub detail: String,
    /// The resource it is about.
    pub address: Option<String>,
}

/// Who holds the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// What `force-unlock` wants to be told.
    pub id: String,
    /// `user@host`
    pub who: String,
    /// When it was taken.
    pub created: String,
}

/// Why a command of Terraform did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum TerraformError {
    /// It is not there.
    #[error("Terraform is not installed: https://developer.hashicorp.com/terraform/install (1.11 or later)")]
    Missing,
    /// It could not be started, or not be read.
    #[error("terraform {command}: {error}")]
    Io {
        /// Which command.
        command: String,
        /// What happened.
        error: io::Error,
    },
    /// It failed.
    #[error("terraform {command} failed: {said}")]
    Failed {
        /// Which command.
        command: String,
        /// What it said.
        said: String,
    },
    /// Another run holds the state.
    #[error("the state is locked by {} since {} (lock {})", .0.who, .0.created, .0.id)]
    Locked(Lock),
    /// The saved plan does not fit the state any more.
    #[error("the state has changed since the plan was made")]
    Stale,
    /// It was interrupted, and ended in order.
    #[error("interrupted")]
    Interrupted,
    /// It says something that cannot be understood.
    #[error("terraform {command} said what cannot be read: {error}")]
    Unreadable {
        /// Which command.
        command: String,
        /// What is wrong with it.
        error: serde_json::Error,
    },
}

/// What an `apply` came to.
#[derive(Debug, Default)]
pub struct Progress {
    /// Steps that ended well.
    pub done: u32,
    /// Steps that failed.
    pub failed: u32,
    /// What is being made is written down there.
    pub(crate) under_way: Option<under_way::Log>,
}

impl Progress {
    /// Writes down what is being made.
    pub(crate) fn noted(log: under_way::Log) -> Self {
        Self { under_way: Some(log), ..Self::default() }
    }
}

/// What the state says of something that was being made when a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was made, and what would have confirmed it was cut off: Terraform would have made it anew.
    Kept,
    /// It was made.
    Made,
    /// Nothing.
    Unknown,
}

impl Standing {
    /// What Terraform means by refusing to take the mark away. It breaks its lines anywhere.
    fn told(said: &str) -> Option<Self> {
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        if said.contains("Resource instance is not tainted") || said.contains("is not currently tainted") {
            Some(Self::Made)
        } else if said.contains("No such resource instance") {
            Some(Self::Unknown)
        } else {
            None
        }
    }
}

/// Terraform, in a directory.
pub struct Terraform<'a> {
    /// The program.
    pub program: &'a OsStr,
    /// Where it runs.
    pub directory: &'a Path,
    /// Where it keeps what `init` fetched, so that environments do not disturb each other.
    pub data: PathBuf,
    /// Where the provider is, for machines without a registry.
    pub plugins: Option<&'a Path>,
    /// Where providers from a registry are kept for all of these, if there is no such place.
    pub cache: &'a Path,
    /// Variables of the environment, beside the inherited ones.
    pub variables: &'a [(String, String)],
    /// What must not be shown.
    pub blotter: &'a Blotter,
    /// Who is told.
    pub listener: &'a dyn Listener,
}

enum Mode<'a> {
    /// Output is read as a whole.
    Whole,
    /// Output is lines for people, kept for errors and not shown.
    Quiet,
    /// Output is lines of JSON, shown as progress: so many steps are expected.
    Steps { of: u32, progress: &'a mut Progress },
}

impl Terraform<'_> {
    /// Its version, `1.11.4`.
    pub async fn version(&self, interrupts: &mut Interrupts) -> Result<String, TerraformError> {
        #[derive(Deserialize)]
        struct Version {
            terraform_version: String,
        }
        let version: Version = self.json(&["version", "-json"], interrupts).await?;
        Ok(version.terraform_version)
    }

    /// Fetches providers and opens the state. `backend` is what `-backend-config` is given.
    pub async fn init(&self, backend: &[String], interrupts: &mut Interrupts) -> Result<(), TerraformError> {
        let mut arguments: Vec<OsString> =
            ["init", "-input=false", "-no-color", "-reconfigure"].map(Into::into).into();
        if let Some(plugins) = self.plugins {
            let mut argument = OsString::from("-plugin-dir=");
            argument.push(plugins);
            arguments.push(argument);
        }
        arguments.extend(backend.iter().map(|setting| format!("-backend-config={setting}").into()));
        self.run(&arguments, Mode::Quiet, interrupts).await.map(drop)
    }

    /// Makes a plan and saves it.
    pub async fn plan(
        &self,
        to: &Path,
        destroy: bool,
        files: &[PathBuf],
        interrupts: &mut Interrupts,
    ) -> Result<(), TerraformError> {
        let mut arguments: Vec<OsString> = ["plan", "-json", "-input=false"].map(Into::into).into();
        if destroy {
            arguments.push("-destroy".into());
        }
        for (option, path) in
            files.iter().map(|file| ("-var-file=", file.as_path())).chain(std::iter::once(("-out=", to)))
        {
            let mut argument = OsString::from(option);
            argument.push(path);
            arguments.push(argument);
        }
        self.run(&arguments, Mode::Steps { of: 0, progress: &mut Progress::default() }, interrupts)
            .await
            .map(drop)
    }

    /// A saved plan as JSON. It may hold secrets in plain text: read it, never show it.
    pub async fn show(&self, plan: &Path, interrupts: &mut Interrupts) -> Result<Vec<u8>, TerraformError> {
        let arguments = ["show".into(), "-json".into(), "-no-color".into(), plan.as_os_str().to_owned()];
        self.run(&arguments, Mode::Whole, interrupts).await
    }

    /// Does what a saved plan says. `progress` is true also when it fails.
    pub async fn apply(
        &self,
        plan: &Path,
        steps: u32,
        progress: &mut Progress,
        interrupts: &mut Interrupts,
    ) -> Result<(), TerraformError> {
        let arguments = [
            "apply".into(),
            "-json".into(),
            "-input=false".into(),
            "-parallelism=20".into(),
            plan.as_os_str().to_owned(),
        ];
        self.run(&arguments, Mode::Steps { of: steps, progress }, interrupts).await.map(drop)
    }

    /// The outputs as JSON. Sensitive ones are in it.
    pub async fn output(&self, interrupts: &mut Interrupts) -> Result<serde_json::Value, TerraformError> {
        self.json(&["output", "-json", "-no-color"], interrupts).await
    }

    /// Takes a lock away that nobody holds any more.
    pub async fn unlock(&self, id: &str, interrupts: &mut Interrupts) -> Result<(), TerraformError> {
        let arguments = ["force-unlock".into(), "-force".into(), id.into()];
        self.run(&arguments, Mode::Quiet, interrupts).await.map(drop)
    }

    /// Takes the mark "to be made anew" from something that an interrupted run was making.
    pub(crate) async fn keep(
        &self,
        address: &str,
        interrupts: &mut Interrupts,
    ) -> Result<Standing, TerraformError> {
        let arguments = ["untaint".into(), "-no-color".into(), address.into()];
        match self.run(&arguments, Mode::Quiet, interrupts).await {
            Ok(_) => Ok(Standing::Kept),
            Err(TerraformError::Failed { command, said }) => {
                Standing::told(&said).ok_or(TerraformError::Failed { command, said })
            }
            Err(error) => Err(error),
        }
    }

    /// Puts a state that could not be saved where it belongs. Terraform refuses if that has moved on.
    pub async fn push_state(&self, file: &Path, interrupts: &mut Interrupts) -> Result<(), TerraformError> {
        let arguments = ["state".into(), "push".into(), file.as_os_str().to_owned()];
        self.run(&arguments, Mode::Quiet, interrupts).await.map(drop)
    }

    /// Applies what is in the directory without a saved plan: for data sources only.
    pub async fn look_up(&self, interrupts: &mut Interrupts) -> Result<serde_json::Value, TerraformError> {
        let arguments = ["apply", "-auto-approve", "-input=false", "-no-color"].map(OsString::from);
        self.run(&arguments, Mode::Quiet, interrupts).await?;
        self.output(interrupts).await
    }

    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        arguments: &[&str],
        interrupts: &mut Interrupts,
    ) -> Result<T, TerraformError> {
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        let output = self.run(&arguments, Mode::Whole, interrupts).await?;
        serde_json::from_slice(&output)
            .map_err(|error| TerraformError::Unreadable { command: name(&arguments), error })
    }

    async fn run(
        &self,
        arguments: &[OsString],
        mode: Mode<'_>,
        interrupts: &mut Interrupts,
    ) -> Result<Vec<u8>, TerraformError> {
        let command = name(arguments);
        let failed = |error: io::Error| TerraformError::Io { command: command.clone(), error };
        let mut child = self.spawn(arguments).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound { TerraformError::Missing } else { failed(error) }
        })?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(failed(io::Error::other("no pipes")));
        };
        let mut listening = Listening {
            terraform: self,
            mode,
            kept: Vec::new(),
            diagnostics: Vec::new(),
            whole: Vec::new(),
            interrupts: 0,
        };
        let interrupted = listening.follow(&child, stdout, stderr, interrupts).await.map_err(failed)?;
        let status = child.wait().await.map_err(failed)?;
        if status.success() {
            return Ok(listening.whole);
        }
        Err(listening.error(command, interrupted))
    }

    fn spawn(&self, arguments: &[OsString]) -> io::Result<Child> {
        let mut command = Command::new(self.program);
        command
            .args(arguments)
            .current_dir(self.directory)
            .env("TF_DATA_DIR", &self.data)
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            // Its log goes into places that nobody blots.
            .env_remove("TF_LOG")
            .env_remove("TF_CLI_ARGS")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        // A configuration that is named and does not exist would be warned of at every command.
        if std::env::var_os("TF_CLI_CONFIG_FILE").is_some_and(|file| !Path::new(&file).exists()) {
            command.env("TF_CLI_CONFIG_FILE", "/dev/null");
        }
        // The provider has most of a gigabyte: once is enough. What that may break are lock files, which are not kept here.
        if self.plugins.is_none() && std::env::var_os("TF_PLUGIN_CACHE_DIR").is_none() {
            command.env("TF_PLUGIN_CACHE_DIR", self.cache);
            command.env("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE", "true");
        }
        command.spawn()
    }
}

/// The words of a command that are no options.
fn name(arguments: &[OsString]) -> String {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .take_while(|word| !word.starts_with('-') && !word.contains('/'))
        .collect();
    words.join(" ")
}

struct Listening<'a> {
    terraform: &'a Terraform<'a>,
    mode: Mode<'a>,
    kept: Vec<String>,
    diagnostics: Vec<Diagnostic>,
    whole: Vec<u8>,
    interrupts: u32,
}

impl Listening<'_> {
    /// Reads both streams to their ends. Whether there was an interrupt.
    async fn follow(
        &mut self,
        child: &Child,
        stdout: impl AsyncRead + Unpin,
        stderr: impl AsyncRead + Unpin,
        interrupts: &mut Interrupts,
    ) -> io::Result<bool> {
        let whole = matches!(self.mode, Mode::Whole);
        let (mut out, mut err) = (BufReader::new(stdout), BufReader::new(stderr));
        let (mut out_open, mut err_open) = (true, true);
        let (mut line, mut complaint) = (Vec::new(), Vec::new());
        while out_open || err_open {
            tokio::select! {
                read = next(&mut out, &mut line), if out_open => {
                    out_open = read?;
                    if whole {
                        if self.whole.len() as u64 + line.len() as u64 > MAX_OUTPUT {
                            return Err(io::Error::other(format!("its output has more than {MAX_OUTPUT} bytes")));
                        }
                        self.whole.append(&mut line);
                    } else {
                        self.line(&String::from_utf8_lossy(&line));
                        line.clear();
                    }
                }
                read = next(&mut err, &mut complaint), if err_open => {
                    err_open = read?;
                    self.keep(&String::from_utf8_lossy(&complaint));
                    complaint.clear();
                }
                () = interrupts.next() => {
                    self.interrupts += 1;
                    self.interrupt(child);
                }
            }
        }
        Ok(self.interrupts > 0)
    }

    fn interrupt(&self, child: &Child) {
        let say = |line: &str| self.terraform.listener.say(line);
        // A child that is gone has no id, and needs no signal.
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        let send = || pid.is_some_and(|pid| kill(pid, Signal::SIGINT).is_ok());
        match self.interrupts {
            1 => {
                send();
                say(
                    "interrupted: Terraform finishes what is under way, keeps it in its state and gives the lock back",
                );
            }
            2 => say(
                "Terraform is still finishing. Once more stops it dead: what it is making now would be in no state, and the lock would stay",
            ),
            _ => {
                send();
                say("stopping Terraform dead");
            }
        }
    }

    fn line(&mut self, line: &str) {
        let line = line.trim_end();
        if line.is_empty() {
            return;
        }
        let Mode::Steps { of, progress } = &mut self.mode else {
            self.keep(line);
            return;
        };
        let Ok(event) = serde_json::from_str::<Event>(line) else {
            self.keep(line);
            return;
        };
        let blotter = self.terraform.blotter;
        // Data that is read is no step.
        if event.hook.as_ref().is_some_and(|hook| hook.action == "read") {
            return;
        }
        let resource = event.hook.as_ref().and_then(|hook| hook.resource.addr.clone());
        let action = event.hook.as_ref().map_or("", |hook| hook.action.as_str());
        if let (Some(log), Some(address), "create") = (&mut progress.under_way, &resource, action) {
            match event.kind.as_str() {
                "apply_start" => log.began(address),
                "apply_complete" => log.ended(address),
                // An interrupt cancels requests that AWS may have taken.
                "apply_errored" if self.interrupts == 0 => log.ended(address),
                _ => {}
            }
        }
        let said = match event.kind.as_str() {
            "apply_complete" => {
                progress.done += 1;
                let seconds = event.hook.as_ref().and_then(|hook| hook.elapsed_seconds).unwrap_or(0);
                let done = match action {
                    "create" => "made",
                    "update" => "changed",
                    "delete" => "destroyed",
                    other => other,
                };
                Some(format!(
                    "  [{:>4}/{of}] {done:<9} {} ({seconds} s)",
                    progress.done + progress.failed,
                    resource.unwrap_or_default()
                ))
            }
            "apply_errored" => {
                progress.failed += 1;
                let at = progress.done + progress.failed;
                // What an interrupt has ended is no failure of its own.
                let how = if self.interrupts > 0 { "stopped" } else { "FAILED" };
                Some(format!("  [{at:>4}/{of}] {how:<9} {}", resource.unwrap_or_default()))
            }
            // Something that takes a minute is still at it.
            "apply_progress" => event
                .hook
                .as_ref()
                .and_then(|hook| hook.elapsed_seconds)
                .filter(|seconds| seconds % 60 == 0)
                .map(|seconds| {
                    format!("              still at {} ({seconds} s)", resource.unwrap_or_default())
                }),
            "diagnostic" => {
                if let Some(diagnostic) = event.diagnostic {
                    self.diagnostics.push(Diagnostic {
                        error: diagnostic.severity == "error",
                        summary: blotter.blot(&diagnostic.summary),
                        detail: blotter.blot(&diagnostic.detail),
                        address: diagnostic.address,
                    });
                }
                None
            }
            // Refreshes, planned changes (the summary has them), versions, outputs (which may be secret).
            _ => None,
        };
        if let Some(said) = said {
            self.terraform.listener.say(&blotter.blot(&said));
        }
    }

    fn keep(&mut self, line: &str) {
        let line = self.terraform.blotter.blot(line.trim_end());
        if !line.is_empty() {
            if self.kept.len() == KEPT_LINES {
                self.kept.remove(0);
            }
            self.kept.push(line);
        }
    }

    fn error(self, command: String, interrupted: bool) -> TerraformError {
        let mut said = String::new();
        for diagnostic in self.diagnostics.iter().filter(|diagnostic| diagnostic.error) {
            let address =
                diagnostic.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
            let _ = write!(said, "\n  {address}{}", diagnostic.summary);
            for line in diagnostic.detail.lines().filter(|line| !line.trim().is_empty()) {
                let _ = write!(said, "\n      {line}");
            }
        }
        for line in &self.kept {
            let _ = write!(said, "\n  {line}");
        }
        if let Some(lock) = lock(&said) {
            return TerraformError::Locked(lock);
        }
        if said.contains("Saved plan is stale") {
            return TerraformError::Stale;
        }
        if interrupted {
            return TerraformError::Interrupted;
        }
        TerraformError::Failed { command, said }
    }
}

/// Reads up to and with the end of a line; whether there may be more.
async fn next(from: &mut (impl AsyncBufReadExt + Unpin), line: &mut Vec<u8>) -> io::Result<bool> {
    let read = from.take(MAX_LINE).read_until(b'\n', line).await?;
    Ok(read > 0)
}

/// Who holds the lock, from what Terraform says when it does not get it.
fn lock(said: &str) -> Option<Lock> {
    if !said.contains("acquiring the state lock") {
        return None;
    }
    let field = |name: &str| {
        said.lines().find_map(|line| {
            let line = line.trim_start_matches(['│', ' ', '\u{2502}']);
            Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned())
        })
    };
    Some(Lock {
        id: field("ID")?,
        who: field("Who").unwrap_or_else(|| "somebody".to_owned()),
        created: field("Created").unwrap_or_else(|| "an unknown time".to_owned()),
    })
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    hook: Option<Hook>,
    diagnostic: Option<RawDiagnostic>,
}

#[derive(Deserialize)]
struct Hook {
    #[serde(default)]
    resource: HookResource,
    #[serde(default)]
    action: String,
    elapsed_seconds: Option<u64>,
}

#[derive(Deserialize, Default)]
struct HookResource {
    addr: Option<String>,
}

#[derive(Deserialize)]
struct RawDiagnostic {
    severity: String,
    summary: String,
    #[serde(default)]
    detail: String,
    address: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_the_lock_is_named() {
        let said = "\n  Error acquiring the state lock\n      Error message: operation error S3: PutObject\n      Lock Info:\n\
                    \x20       ID:        9db590f1-b6fe-c5f2-2678-8804f089deba\n        Path:      bucket/staging\n\
                    \x20       Who:       ada@laptop\n        Version:   1.11.4\n        Created:   2026-11-30 04:00:00 UTC";
        let lock = lock(said).unwrap();
        assert_eq!(
            (lock.id.as_str(), lock.who.as_str()),
            ("9db590f1-b6fe-c5f2-2678-8804f089deba", "ada@laptop")
        );
        assert!(lock.created.starts_with("2026-11-30"));
        assert_eq!(super::lock("Error: no such bucket"), None);
    }

    #[test]
    fn what_a_mark_says_is_understood_wherever_the_line_breaks() {
        let made = "\n  Error: Resource instance is not tainted\n\n  Resource instance module.database.aws_db_instance.primary is not\n  currently tainted, and so it cannot be untainted.";
        assert_eq!(Standing::told(made), Some(Standing::Made));
        assert_eq!(Standing::told("Resource instance a.b is not\n  currently tainted"), Some(Standing::Made));
        assert_eq!(Standing::told("\n  Error: No such resource\n  instance"), Some(Standing::Unknown));
        assert_eq!(Standing::told("Error: AccessDenied"), None);
    }

    /// Says nothing, and is never interrupted.
    struct Silent;

    impl Listener for Silent {
        fn say(&self, _: &str) {}
    }

    #[tokio::test]
    #[expect(clippy::disallowed_macros, reason = "that a test was skipped has to be seen")]
    async fn terraform_itself_says_what_stands_in_its_state() {
        let root = tempfile::tempdir().unwrap();
        // Long enough that Terraform breaks its line within the address or right behind it. Built in: no provider is needed.
        let address = "terraform_data.a_name_of_thirty_characters";
        std::fs::write(
            root.path().join("main.tf"),
            "resource \"terraform_data\" \"a_name_of_thirty_characters\" {}\n",
        )
        .unwrap();
        let run = |arguments: &[&str]| {
            std::process::Command::new("terraform").args(arguments).current_dir(root.path()).output()
        };
        let Ok(init) = run(&["init", "-input=false"]) else {
            eprintln!("SKIPPED: terraform is not installed; what it says of marks was not compared");
            return;
        };
        assert!(init.status.success(), "{init:?}");
        assert!(run(&["apply", "-auto-approve", "-input=false"]).unwrap().status.success());
        assert!(run(&["taint", address]).unwrap().status.success());
        let (mut interrupts, blotter) = (Interrupts::listen().unwrap(), Blotter::default());
        let terraform = Terraform {
            program: OsStr::new("terraform"),
            directory: root.path(),
            data: root.path().join(".terraform"),
            plugins: None,
            cache: root.path(),
            variables: &[],
            blotter: &blotter,
            listener: &Silent,
        };
        assert_eq!(terraform.keep(address, &mut interrupts).await.unwrap(), Standing::Kept);
        assert_eq!(terraform.keep(address, &mut interrupts).await.unwrap(), Standing::Made);
        let other = terraform.keep("module.database.aws_db_instance.primary", &mut interrupts).await;
        assert_eq!(other.unwrap(), Standing::Unknown);
    }

    #[test]
    fn commands_are_named_without_their_options() {
        assert_eq!(name(&["state".into(), "push".into(), "/a/b".into()]), "state push");
        assert_eq!(name(&["plan".into(), "-json".into()]), "plan");
    }
}
