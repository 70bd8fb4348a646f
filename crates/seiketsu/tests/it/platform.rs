//! A platform of its own for each test: its database, its ports, its state directory.

use seiketsu_testkit::TestDb;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};
use tempfile::TempDir;

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_mins(1);

pub(crate) struct Platform {
    pub(crate) db: TestDb,
    state: TempDir,
    profile: &'static str,
    public: u16,
    admin: u16,
    server: Option<Child>,
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
        let db = TestDb::new().await;
        let state = tempfile::tempdir().unwrap();
        let mut platform = Self { db, state, profile, public: free_port(), admin: free_port(), server: None };
        platform.up();
        platform
    }

    /// Starts the server (again) and waits until it is ready.
    pub(crate) fn up(&mut self) {
        let mut server = self
            .command(&["up", "--profile", self.profile])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let stderr = server.stderr.take().unwrap();
        let (ready, told) = mpsc::channel();
        // Read to the end, so that the server never waits for a reader.
        std::thread::spawn(move || {
            let mut seen = String::new();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if line.contains("Ready after") {
                    let _ = ready.send(Ok(()));
                }
                seen.push_str(&line);
                seen.push('\n');
            }
            let _ = ready.send(Err(seen));
        });
        match told.recv_timeout(START) {
            Ok(Ok(())) => self.server = Some(server),
            Ok(Err(log)) => panic!("the server ended:\n{log}"),
            Err(_) => {
                let _ = server.kill();
                panic!("the server was not ready within {START:?}");
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_seiketsu"));
        command.args(arguments).env_clear();
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
            .env("LOG", "warn");
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

    pub(crate) fn public_port(&self) -> u16 {
        self.public
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

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
