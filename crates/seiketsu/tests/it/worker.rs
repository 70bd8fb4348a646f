//! `seiketsu worker`, as AWS runs it beside `serve`: its own process, on the same database, without vendors' keys.

use crate::platform::{binary, free_port};
use seiketsu_domain::Pii;
use seiketsu_storage::outbox::{self, MailState, NewMail};
use seiketsu_testkit::World;
use std::{
    fs::File,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The worker looks for mail every two seconds.
const PATIENCE: Duration = Duration::from_secs(30);

struct Worker {
    process: Child,
    state: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Worker {
    fn start(world: &World) -> Self {
        let state = tempfile::tempdir().unwrap();
        let environment = vec![
            ("DATABASE_URL", world.database.endpoint().expose_url()),
            ("STATE_DIR", state.path().display().to_string()),
            ("ADMIN_LISTEN", format!("127.0.0.1:{}", free_port())),
            ("LOG", "warn".to_owned()),
        ];
        let said = File::create(state.path().join("said")).unwrap();
        let process = Self::command(&environment, &["worker"]).stderr(said).spawn().unwrap();
        Self { process, state, environment }
    }

    fn command(environment: &[(&'static str, String)], arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// What it said so far.
    fn said(&self) -> String {
        std::fs::read_to_string(self.state.path().join("said")).unwrap()
    }

    /// The exit code of `seiketsu health ready`.
    async fn health(&self) -> Option<i32> {
        let mut asked = Self::command(&self.environment, &["health", "ready"]);
        tokio::task::spawn_blocking(move || asked.status()).await.unwrap().unwrap().code()
    }
}

impl Drop for Worker {
    #[expect(
        clippy::print_stderr,
        clippy::disallowed_macros,
        reason = "what it said tells why the test failed"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the worker said:\n{}", self.said());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let poll = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_sends_what_is_due_says_how_it_is_and_ends_when_told() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    let mail = NewMail {
        id: world.ids.next(),
        call_id: call,
        sender: None,
        recipient: Pii::new("anna@example.com".to_owned()),
        subject: Pii::new("A viewing".to_owned()),
        body: Pii::new("Tomorrow at ten.".to_owned()),
        at: world.now(),
    };
    outbox::enqueue(&mut tx, &mail).await.unwrap();
    tx.commit().await.unwrap();

    let mut worker = Worker::start(&world);
    until("it is ready", async || {
        // A port that was free a moment ago may be somebody else's by now.
        if worker.process.try_wait().unwrap().is_some() {
            worker = Worker::start(&world);
        }
        worker.health().await == Some(0)
    })
    .await;
    until("the mail is sent", async || {
        let mut tx = world.tenant(&world.anna).await;
        let mails = outbox::list(&mut tx, Some(call), None, None, 10).await.unwrap();
        tx.commit().await.unwrap();
        mails.iter().map(|mail| mail.state).eq([MailState::Sent])
    })
    .await;
    let letter = worker.state.path().join(format!("mail/{}.eml", mail.id));
    assert!(std::fs::read_to_string(&letter).unwrap().contains("Tomorrow at ten."), "{}", letter.display());

    let pid = worker.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = tokio::task::block_in_place(|| worker.process.wait()).unwrap();
    assert!(ended.success(), "SIGTERM is an orderly end: {ended}");
    assert_eq!(worker.health().await, Some(4), "nothing answers any more");
}
