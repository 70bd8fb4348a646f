//! One run of the server.

use super::{Binaries, ClusterError, PORT, SUPERUSER, ServerUser, io_error, leftovers};
use crate::Endpoint;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::Connection;
use std::{
    env,
    fs::{self, OpenOptions},
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};
use tokio::sync::{oneshot, watch};

/// How long a server may take to answer; recovery after a crash replays its log first.
const LONGEST_START: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(10);

/// Everything a start needs.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) binaries: Binaries,
    pub(super) user: ServerUser,
    pub(super) data: PathBuf,
    pub(super) sockets: PathBuf,
    pub(super) log: PathBuf,
    pub(super) durable: bool,
    pub(super) max_connections: u32,
}

/// A server that is ours to stop.
pub(super) struct Server {
    handle: Handle,
}

#[derive(Debug, Clone)]
pub(super) struct Handle {
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
}

/// Makes the data directory: beside its place first, so that an interrupted attempt is never taken for data.
pub(super) async fn initialise(settings: &Settings) -> Result<(), ClusterError> {
    let unfinished = leftovers::unfinished_data(&settings.data);
    let mut command = as_server_user(&settings.binaries.program("initdb"), settings);
    command.args([
        "--auth=trust",
        "--locale=C",
        "--encoding=UTF8",
        "--no-instructions",
        "--username",
        SUPERUSER,
        "-D",
    ]);
    command.arg(&unfinished);
    if !settings.durable {
        command.arg("--no-sync");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    let output = command.output().await.map_err(io_error("run", &settings.binaries.program("initdb")))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(ClusterError::Initdb {
            status: output.status,
            output: tail(&String::from_utf8_lossy(&said)),
        });
    }
    fs::rename(&unfinished, &settings.data).map_err(io_error("move into place", &unfinished))
}

impl Server {
    /// Starts the server and waits until it answers.
    pub(super) async fn start(settings: &Settings) -> Result<Self, ClusterError> {
        let server =
            Self { handle: spawn(server_command(settings)?, &settings.binaries.program("postgres")).await? };
        let endpoint = Endpoint::at_socket(&settings.sockets, PORT, SUPERUSER, "postgres");
        let mut exit = server.exit();
        let answers = async {
            loop {
                if let Ok(connection) = endpoint.connect().await {
                    let _ = connection.close().await;
                    return;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            () = answers => Ok(server),
            _ = exit.wait_for(Option::is_some) => {
                let log = fs::read_to_string(&settings.log).unwrap_or_default();
                Err(ClusterError::DidNotStart { log: tail(&log) })
            }
            () = tokio::time::sleep(LONGEST_START) => Err(ClusterError::DoesNotAnswer { waited: LONGEST_START }),
        }
    }

    pub(super) fn pid(&self) -> Pid {
        self.handle.pid
    }
    pub(super) fn exit(&self) -> watch::Receiver<Option<ExitStatus>> {
        self.handle.exit.clone()
    }
    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Handle {
    /// Fast shutdown, then immediate, then kill.
    pub(super) async fn stop(mut self) {
        for (signal, patience) in [
            (Signal::SIGINT, Duration::from_secs(10)),
            (Signal::SIGQUIT, Duration::from_secs(5)),
            (Signal::SIGKILL, Duration::from_secs(5)),
        ] {
            if self.exit.borrow().is_some() {
                return;
            }
            let _ = kill(self.pid, signal);
            let _ = tokio::time::timeout(patience, self.exit.wait_for(Option::is_some)).await;
        }
    }
}

impl Drop for Server {
    /// For handles dropped without `stop`: the same, without an executor to wait on.
    fn drop(&mut self) {
        for (signal, polls) in [(Signal::SIGINT, 300), (Signal::SIGQUIT, 200), (Signal::SIGKILL, 200)] {
            if self.handle.exit.borrow().is_some() {
                return;
            }
            let _ = kill(self.handle.pid, signal);
            for _ in 0..polls {
                if self.handle.exit.borrow().is_some() {
                    return;
                }
                thread::sleep(POLL);
            }
        }
    }
}

fn server_command(settings: &Settings) -> Result<Command, ClusterError> {
    let log = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&settings.log)
        .map_err(io_error("open", &settings.log))?;
    let postgres = settings.binaries.program("postgres");
    // The kernel stops the server when the thread that spawned it dies, and that one lives as long as we do.
    let mut command = match find_program("setpriv") {
        Some(setpriv) => {
            let mut command = as_server_user(&setpriv, settings);
            command.args(["--pdeathsig", "INT", "--"]).arg(postgres);
            command
        }
        None => as_server_user(&postgres, settings),
    };
    command.arg("-D").arg(&settings.data).arg("-k").arg(&settings.sockets);
    let mut set = |name: &str, value: &str| {
        command.arg("-c").arg(format!("{name}={value}"));
    };
    set("port", &PORT.to_string());
    set("listen_addresses", "");
    set("unix_socket_permissions", "0700");
    set("max_connections", &settings.max_connections.to_string());
    set("timezone", "UTC");
    set("log_timezone", "UTC");
    set("log_checkpoints", "off");
    // A caller's words must not reach the log by way of a failed statement.
    set("log_min_error_statement", "panic");
    set("log_error_verbosity", "terse");
    // Compiling a query takes longer than any of ours.
    set("jit", "off");
    // Nothing replicates from here.
    set("wal_level", "minimal");
    set("max_wal_senders", "0");
    if !settings.durable {
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            set(name, "off");
        }
    }
    // A group of its own: Ctrl-C at the terminal is for us, and we still write while we drain.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Ok(command)
}

/// Spawns on a thread that then waits for the end.
async fn spawn(mut command: Command, program: &Path) -> Result<Handle, ClusterError> {
    let (started, start) = oneshot::channel();
    let (ended, exit) = watch::channel(None);
    let keeper = move || match command.spawn() {
        Ok(mut child) => {
            let _ = started.send(Ok(Pid::from_raw(child.id().cast_signed())));
            // An error means that it was waited for elsewhere, so it has ended.
            let _ = ended.send(Some(child.wait().unwrap_or_default()));
        }
        Err(error) => {
            let _ = started.send(Err(error));
        }
    };
    thread::Builder::new()
        .name("postgres-keeper".to_owned())
        .spawn(keeper)
        .map_err(io_error("keep", program))?;
    let pid = match start.await {
        Ok(outcome) => outcome.map_err(io_error("run", program))?,
        Err(_) => return Err(ClusterError::DidNotStart { log: "its keeper thread ended".to_owned() }),
    };
    Ok(Handle { pid, exit })
}

fn as_server_user(program: &Path, settings: &Settings) -> Command {
    let mut command = Command::new(program);
    // Nothing of the caller's environment or working directory is for the server, which may not even be let in there.
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir("/");
    if let Some(timezones) = env::var_os("TZDIR") {
        command.env("TZDIR", timezones);
    }
    if settings.user.switch {
        command.uid(settings.user.uid).gid(settings.user.gid);
    }
    command
}

fn find_program(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin"].iter().map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}
