//! A platform of its own for each test: its database, its ports, its state directory.

use seiketsu_testkit::TestDb;
use serde_json::Value;
use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};
use tempfile::TempDir;

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_mins(1);
/// How often other ports are tried.
const FURTHER_PORTS: usize = 5;
/// The configuration file's name.
const CONFIG: &str = "seiketsu.toml";

pub(crate) struct Platform {
    pub(crate) db: TestDb,
    state: TempDir,
    profile: &'static str,
    /// Settings of this platform alone.
    environment: Vec<(&'static str, String)>,
    public: u16,
    admin: u16,
    tls: u16,
    server: Option<Child>,
    /// What servers said.
    log: Arc<Mutex<String>>,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl Platform {
    pub(crate) async fn start(profile: &'static str) -> Self {
        Self::on(TestDb::new().await, profile, Vec::new())
    }

    /// One with a configuration file.
    pub(crate) async fn configured(profile: &'static str, config: &'static str) -> Self {
        Self::with(TestDb::new().await, profile, Vec::new(), config)
    }

    /// One with settings of its own, which come before those that all have.
    pub(crate) fn on(db: TestDb, profile: &'static str, environment: Vec<(&'static str, String)>) -> Self {
        Self::with(db, profile, environment, "")
    }

    fn with(
        db: TestDb,
        profile: &'static str,
        environment: Vec<(&'static str, String)>,
        config: &'static str,
    ) -> Self {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(state.path().join(CONFIG), config).unwrap();
        let (public, admin, tls) = (free_port(), free_port(), free_port());
        let mut platform =
            Self { db, state, profile, environment, public, admin, tls, server: None, log: Arc::default() };
        // A port that was free a moment ago may be somebody else's by now: many platforms start at the same time.
        for _ in 0..FURTHER_PORTS {
            match platform.try_up() {
                Err(why) if why.contains("is in use") => {
                    platform.log.lock().unwrap().clear();
                    (platform.public, platform.admin, platform.tls) = (free_port(), free_port(), free_port());
                }
                Err(why) => panic!("{why}"),
                Ok(()) => return platform,
            }
        }
        platform.up();
        platform
    }

    /// Starts the server (again) and waits until it is ready.
    pub(crate) fn up(&mut self) {
        self.try_up().unwrap_or_else(|why| panic!("{why}"));
    }

    fn try_up(&mut self) -> Result<(), String> {
        let mut server = self
            .command(&["up", "--profile", self.profile])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let stderr = server.stderr.take().unwrap();
        let (ready, told) = mpsc::channel();
        // Read to the end, so that the server never waits for a reader.
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if line.contains("Ready after") {
                    let _ = ready.send(Ok(()));
                }
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
            let _ = ready.send(Err(()));
        });
        match told.recv_timeout(START) {
            Ok(Ok(())) => {
                self.server = Some(server);
                Ok(())
            }
            Ok(Err(())) => {
                let _ = server.wait();
                Err(format!("the server ended:\n{}", self.log()))
            }
            Err(_) => {
                let _ = server.kill();
                Err(format!("the server was not ready within {START:?}"))
            }
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Ctrl-C, and how the server ended.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let mut server = self.server.take().unwrap();
        assert!(Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap().success());
        server.wait().unwrap()
    }

    /// The command line against this platform.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--config").arg(self.state.path().join(CONFIG)).env_clear();
        for name in ["PATH", "HOME", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("DATABASE_URL", self.db.endpoint().expose_url())
            .env("STATE_DIR", self.state.path())
            .env("PUBLIC_URL", format!("http://127.0.0.1:{}", self.public))
            .env("ADMIN_LISTEN", format!("127.0.0.1:{}", self.admin))
            .env("TLS_LISTEN", format!("127.0.0.1:{}", self.tls))
            .env("LOG", std::env::var("LOG").as_deref().unwrap_or("warn"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end, without blocking the test's other work.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        Ran {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    /// What `up` tells the other commands.
    pub(crate) fn local(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.state().join("local.json")).unwrap()).unwrap()
    }

    /// What the servers said on stderr so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Whether the server that was started last is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.server.as_mut().is_some_and(|server| server.try_wait().unwrap().is_none())
    }

    pub(crate) fn public_port(&self) -> u16 {
        self.public
    }

    /// Where TLS is spoken once `dev-cert` has run and the server was started again.
    pub(crate) fn tls_port(&self) -> u16 {
        self.tls
    }

    pub(crate) fn admin_port(&self) -> u16 {
        self.admin
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The binary that belongs to these tests; nextest says where it is when they run elsewhere than they were built.
pub(crate) fn binary() -> OsString {
    std::env::var_os("NEXTEST_BIN_EXE_seiketsu").unwrap_or_else(|| env!("CARGO_BIN_EXE_seiketsu").into())
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
