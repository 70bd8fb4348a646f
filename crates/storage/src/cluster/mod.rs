//! The private PostgreSQL cluster of a machine without a database: made from the installed binaries, reached over a Unix
//! socket in a directory that only its owner can enter, stopped with us.
//!
//! ```no_run
//! # use seiketsu_storage::cluster::{Cluster, ClusterOptions};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = Cluster::start(ClusterOptions::for_project(std::path::Path::new("."))).await?;
//! seiketsu_storage::setup::bootstrap(&cluster.admin(), "seiketsu").await?;
//! cluster.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//! - one process holds a cluster at a time, by a lock that the kernel releases when the process dies;
//! - whatever an earlier holder left behind (a postmaster, its backends, a stale pid file, half an initdb) is cleared
//!   under that lock, and only after it has been shown to be PostgreSQL on this very data directory;
//! - data is durable unless the options say [`ClusterOptions::disposable`];
//! - as root the server runs as `postgres` or `nobody`, because PostgreSQL refuses to run as root;
//! - no process outlives [`Cluster::stop`], the drop of the last handle, or (where `setpriv` is installed) our own death.

mod binaries;
mod command;
mod home;
mod leftovers;
mod server;

use crate::Endpoint;
use home::Home;
use nix::unistd::Pid;
use server::{Server, Settings};
use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

pub use binaries::Binaries;
pub use command::run_command;

/// The port that names the socket; nothing listens on the network.
const PORT: u16 = 5432;
/// The cluster's superuser.
const SUPERUSER: &str = "postgres";

/// What a start is busy with, for whoever waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The server of a process that died is being stopped.
    StoppingLeftover {
        /// Its process.
        pid: i32,
    },
    /// A new data directory is being made: some seconds, once.
    Initialising {
        /// Where.
        data: PathBuf,
    },
    /// The server is starting.
    Starting,
    /// It answers.
    Ready,
}

type Progress = Arc<dyn Fn(&Step) + Send + Sync>;

/// Which cluster to start, and how.
#[derive(Clone)]
pub struct ClusterOptions {
    place: Place,
    durable: bool,
    max_connections: u32,
    binaries: Option<PathBuf>,
    progress: Option<Progress>,
}

#[derive(Debug, Clone)]
enum Place {
    /// Where such things are kept, under a name made from the project's path.
    Project(PathBuf),
    /// In this directory.
    Directory(PathBuf),
    /// In a new directory that is deleted in the end.
    Temporary,
}

impl ClusterOptions {
    /// The durable cluster of a checkout or installation, kept outside it: the server could not enter a root-only
    /// directory, and the path of a socket is limited to 107 bytes.
    pub fn for_project(project: &Path) -> Self {
        Self::new(Place::Project(project.to_owned()))
    }

    /// A durable cluster in a directory of the caller's choice, made if missing.
    pub fn in_directory(home: &Path) -> Self {
        Self::new(Place::Directory(home.to_owned()))
    }

    /// A cluster for tests: in a temporary directory, without fsync, deleted in the end.
    pub fn disposable() -> Self {
        Self { durable: false, max_connections: 400, ..Self::new(Place::Temporary) }
    }

    /// Where PostgreSQL's binaries are, instead of looking for them.
    #[must_use]
    pub fn binaries(mut self, directory: &Path) -> Self {
        self.binaries = Some(directory.to_owned());
        self
    }

    /// Whom to tell what the start is busy with.
    #[must_use]
    pub fn progress(mut self, tell: impl Fn(&Step) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(tell));
        self
    }

    fn new(place: Place) -> Self {
        Self { place, durable: true, max_connections: 100, binaries: None, progress: None }
    }

    fn tell(&self, step: &Step) {
        tracing::debug!(?step, "private cluster");
        if let Some(tell) = &self.progress {
            tell(step);
        }
    }
}

impl fmt::Debug for ClusterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterOptions")
            .field("place", &self.place)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}

/// Why there is no private cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No PostgreSQL server is installed.
    #[error(
        "no PostgreSQL server found (looked in {looked_in}): `apt-get install postgresql`, or set DATABASE_URL, or name \
         the directory of its binaries in SEIKETSU_POSTGRES_BIN"
    )]
    NotInstalled {
        /// Where it was looked for.
        looked_in: String,
    },
    /// The data was written by another major version, which is not installed.
    #[error("the data in {} was written by PostgreSQL {wanted}, which is not installed: `apt-get install postgresql-{wanted}`", data.display())]
    OtherVersion {
        /// The data directory.
        data: PathBuf,
        /// The version that wrote it.
        wanted: u32,
    },
    /// We are root and there is no account to run the server as.
    #[error("PostgreSQL refuses to run as root and there is neither a user `postgres` nor `nobody`")]
    NoServerUser,
    /// Another process of ours runs this cluster.
    #[error("the cluster in {} is in use by process {holder}: stop it first", home.display())]
    InUse {
        /// Its directory.
        home: PathBuf,
        /// The process that holds the lock, as it wrote it down.
        holder: String,
    },
    /// The directory is open to others, or not ours.
    #[error("{} is not a private directory: expected mode 0700 and owner {owner}", path.display())]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// The user it must belong to.
        owner: u32,
    },
    /// The server's user cannot reach the directory.
    #[error("user `{user}`, as which PostgreSQL runs, cannot enter {}", path.display())]
    Unreachable {
        /// The directory it cannot enter.
        path: PathBuf,
        /// The user.
        user: String,
    },
    /// Something that is not PostgreSQL on this data directory has the process id in its pid file, and it stays.
    #[error("a process of the earlier server ({pid}) does not stop")]
    LeftoverStays {
        /// The process.
        pid: i32,
    },
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed ({status}): {output}")]
    Initdb {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        output: String,
    },
    /// The server ended before it answered.
    #[error("the server did not start: {log}")]
    DidNotStart {
        /// The end of its log.
        log: String,
    },
    /// The server runs but does not answer.
    #[error("the server did not answer within {} s", waited.as_secs())]
    DoesNotAnswer {
        /// How long it was waited for.
        waited: Duration,
    },
}

/// A running private cluster.
pub struct Cluster {
    options: ClusterOptions,
    settings: Settings,
    server: Mutex<Server>,
    // Last: the lock is released, and a temporary directory deleted, after the server is gone.
    home: Home,
}

impl Cluster {
    /// Starts the cluster, making it first if there is none, and waits until it answers.
    pub async fn start(options: ClusterOptions) -> Result<Self, ClusterError> {
        let home = Home::open(&options.place)?;
        let binaries = binaries::find(options.binaries.as_deref(), home.data_version()?, &home.data())?;
        leftovers::clear(&home, |step| options.tell(step)).await?;
        let settings = Settings {
            binaries,
            user: home.user().clone(),
            data: home.data(),
            sockets: home.sockets().to_owned(),
            log: home.log(),
            durable: options.durable,
            max_connections: options.max_connections,
        };
        if home.data_version()?.is_none() {
            options.tell(&Step::Initialising { data: home.data() });
            server::initialise(&settings).await?;
        }
        options.tell(&Step::Starting);
        let server = Server::start(&settings).await?;
        options.tell(&Step::Ready);
        Ok(Self { options, settings, server: Mutex::new(server), home })
    }

    /// The superuser's login, in database `postgres`. For [`crate::setup::bootstrap`] and migrations.
    pub fn admin(&self) -> Endpoint {
        self.endpoint("postgres")
    }

    /// A database of this cluster. The pools log in as their own roles.
    pub fn endpoint(&self, database: &str) -> Endpoint {
        Endpoint::at_socket(&self.settings.sockets, PORT, SUPERUSER, database)
    }

    /// The directory of the cluster: data, socket, log and lock.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The directory of the socket.
    pub fn socket_directory(&self) -> &Path {
        &self.settings.sockets
    }

    /// The server's major version.
    pub fn version(&self) -> u32 {
        self.settings.binaries.version
    }

    /// The postmaster's process.
    pub fn pid(&self) -> i32 {
        self.server().pid().as_raw()
    }

    /// Waits until the server ends by itself: killed, crashed, or stopped by somebody else.
    pub async fn wait_for_exit(&self) {
        let mut exit = self.server().exit();
        let _ = exit.wait_for(Option::is_some).await;
    }

    /// Starts the server again after it ended by itself.
    pub async fn restart(&self) -> Result<(), ClusterError> {
        leftovers::clear(&self.home, |step| self.options.tell(step)).await?;
        let server = Server::start(&self.settings).await?;
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
        Ok(())
    }

    /// Starts the server again whenever it ends by itself, until `drain` is cancelled.
    pub async fn keep_running(&self, drain: CancellationToken) {
        const LONGEST_PAUSE: Duration = Duration::from_secs(5);
        let watch = async {
            let mut pause = Duration::from_millis(100);
            loop {
                self.wait_for_exit().await;
                tracing::error!(log = %self.settings.log.display(), "the private PostgreSQL server ended; starting it again");
                while let Err(error) = self.restart().await {
                    tracing::error!(error = &error as &dyn std::error::Error, "the server did not come back");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                pause = Duration::from_millis(100);
            }
        };
        drain.run_until_cancelled(watch).await;
    }

    /// Stops the server: sessions are ended and everything is written; harsher if that takes longer than ten seconds.
    pub async fn stop(self) {
        let server = self.server().handle();
        server.stop().await;
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("home", &self.home.path())
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

/// The account the server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ServerUser {
    name: String,
    uid: u32,
    gid: u32,
    /// Whether it is not ourselves, so that we have to switch.
    switch: bool,
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ClusterError {
    let path = path.to_owned();
    move |source| ClusterError::Io { action, path, source }
}

fn is_alive(pid: Pid) -> bool {
    nix::sys::signal::kill(pid, None).is_ok()
}
