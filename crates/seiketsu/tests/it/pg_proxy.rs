//! Something between the server and PostgreSQL that fails as databases, and the networks before them, do.
//!
//! It listens on a Unix socket of its own, as the private cluster of `up` does. Bytes of the server go through as they
//! are, those of PostgreSQL message by message, so that a failure can hit the middle of one.

use rand::{Rng, SeedableRng, rngs::StdRng};
use seiketsu_domain::{Clock, SystemClock};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixListener, UnixStream},
    sync::watch,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

/// How many times as long a round trip takes while the database is slow, and how long at least.
const SLOW_FACTOR: u32 = 100;
const SLOW_FLOOR: Duration = Duration::from_secs(1);
/// What comes in place of each message of a database that sends garbage.
const NOISE_BYTES: usize = 64;
/// Longer messages than this do not occur here.
const MAX_MESSAGE: usize = 64 << 20;

/// What the database does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody listens; open connections are closed.
    Refused,
    /// Nothing moves in either direction. When it is over, everything that was held goes on.
    Hung,
    /// Each round trip takes a hundred times as long as those before, and a second at least.
    Slow,
    /// Noise comes in place of each message.
    Garbage,
    /// Open connections are terminated (57P01), new ones are refused: too many clients (53300) and starting up (57P03)
    /// in turn.
    TurnedAway,
    /// The answer to the next statement stops in the middle of a message; the connection stays, and is dead for ever.
    /// New connections get as far as being ready.
    HalfOpen,
}

/// A running proxy; it ends with this.
#[derive(Debug)]
pub(crate) struct PgProxy {
    directory: TempDir,
    upstream: Url,
    fault: watch::Sender<Option<Fault>>,
    round_trips: Arc<RoundTrips>,
    stop: CancellationToken,
}

impl PgProxy {
    /// A proxy before the database of this URL.
    pub(crate) fn start(upstream: &str) -> Self {
        let upstream = Url::parse(upstream).unwrap();
        let (fault, faults) = watch::channel(None);
        let proxy = Self {
            directory: tempfile::tempdir().unwrap(),
            upstream,
            fault,
            round_trips: Arc::default(),
            stop: CancellationToken::new(),
        };
        let shared = Shared {
            upstream: Upstream::of(&proxy.upstream),
            faults,
            round_trips: Arc::clone(&proxy.round_trips),
            clock: Arc::new(SystemClock::new()),
            tasks: TaskTracker::new(),
            turned_away: Arc::default(),
        };
        let socket = proxy.directory.path().join(socket_name(&proxy.upstream));
        let (tasks, stop) = (shared.tasks.clone(), proxy.stop.clone());
        tasks.spawn(async move { stop.run_until_cancelled(shared.listen(socket)).await });
        proxy
    }

    /// The URL of the same database through the proxy.
    pub(crate) fn url(&self) -> String {
        let mut url = self.upstream.clone();
        let port = port(&url);
        url.set_host(Some("localhost")).unwrap();
        url.set_port(Some(port)).unwrap();
        let directory = self.directory.path().to_str().unwrap();
        url.query_pairs_mut().clear().append_pair("host", directory).append_pair("sslmode", "disable");
        url.to_string()
    }

    /// The database fails in this way from now on; or no more.
    pub(crate) fn fail(&self, fault: Option<Fault>) {
        self.fault.send_replace(fault);
    }

    /// How long PostgreSQL took to begin an answer, on average, while nothing was the matter.
    pub(crate) fn round_trip(&self) -> Duration {
        self.round_trips.mean()
    }
}

impl Drop for PgProxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The round trips of an unharmed database.
#[derive(Debug, Default)]
struct RoundTrips {
    total_us: AtomicU64,
    count: AtomicU64,
}

impl RoundTrips {
    fn add(&self, took: Duration) {
        self.total_us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn mean(&self) -> Duration {
        let count = self.count.load(Ordering::Relaxed).max(1);
        Duration::from_micros(self.total_us.load(Ordering::Relaxed) / count)
    }

    /// What a slow database adds to each.
    fn slow(&self) -> Duration {
        (self.mean() * SLOW_FACTOR).max(SLOW_FLOOR)
    }
}

#[derive(Debug, Clone)]
enum Upstream {
    Socket(PathBuf),
    Tcp(String, u16),
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

impl Upstream {
    fn of(url: &Url) -> Self {
        match url.query_pairs().find(|(name, _)| name == "host") {
            Some((_, directory)) => Self::Socket(Path::new(&*directory).join(socket_name(url))),
            None => Self::Tcp(url.host_str().unwrap_or("localhost").to_owned(), port(url)),
        }
    }

    async fn connect(&self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Socket(path) => {
                let (reader, writer) = UnixStream::connect(path).await?.into_split();
                Ok((Box::new(reader), Box::new(writer)))
            }
            Self::Tcp(host, port) => {
                let (reader, writer) = TcpStream::connect((host.as_str(), *port)).await?.into_split();
                Ok((Box::new(reader), Box::new(writer)))
            }
        }
    }
}

fn port(url: &Url) -> u16 {
    url.port().unwrap_or(5432)
}

fn socket_name(url: &Url) -> String {
    format!(".s.PGSQL.{}", port(url))
}

#[derive(Debug, Clone)]
struct Shared {
    upstream: Upstream,
    faults: watch::Receiver<Option<Fault>>,
    round_trips: Arc<RoundTrips>,
    clock: Arc<SystemClock>,
    tasks: TaskTracker,
    turned_away: Arc<AtomicU64>,
}

impl Shared {
    fn fault(&self) -> Option<Fault> {
        *self.faults.borrow()
    }

    async fn until(&self, wanted: impl FnMut(&Option<Fault>) -> bool) {
        let mut faults = self.faults.clone();
        if faults.wait_for(wanted).await.is_err() {
            // The proxy goes; so does whoever waits here.
            std::future::pending::<()>().await;
        }
    }

    async fn listen(self, socket: PathBuf) {
        loop {
            self.until(|fault| *fault != Some(Fault::Refused)).await;
            let _ = std::fs::remove_file(&socket);
            let listener = UnixListener::bind(&socket).unwrap();
            let accept = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let shared = self.clone();
                    self.tasks.spawn(async move {
                        let refused = shared.clone();
                        tokio::select! {
                            // Whatever ends a connection, the server sees it closed.
                            _ = shared.serve(stream) => {}
                            () = refused.until(|fault| *fault == Some(Fault::Refused)) => {}
                        }
                    });
                }
            };
            tokio::select! {
                () = accept => return,
                () = self.until(|fault| *fault == Some(Fault::Refused)) => {}
            }
        }
    }

    async fn serve(self, stream: UnixStream) -> io::Result<()> {
        let (mut from_server, mut to_server) = stream.into_split();
        self.until(|fault| *fault != Some(Fault::Hung)).await;
        if self.fault() == Some(Fault::TurnedAway) {
            let mut startup = [0; 1_024];
            let _ = from_server.read(&mut startup).await?;
            let refusal = match self.turned_away.fetch_add(1, Ordering::Relaxed) % 2 {
                0 => fatal("53300", "sorry, too many clients already"),
                _ => fatal("57P03", "the database system is starting up"),
            };
            return to_server.write_all(&refusal).await;
        }
        let (from_database, to_database) = self.upstream.connect().await?;
        let state = Arc::new(Connection::default());
        let up = self.clone().up(Arc::clone(&state), Box::new(from_server), to_database);
        let down = self.down(state, from_database, Box::new(to_server));
        // Either side's end is the end.
        tokio::select! {
            ended = up => ended,
            ended = down => ended,
        }
    }

    /// What the server sends, piece by piece.
    async fn up(self, state: Arc<Connection>, mut from: Reader, mut to: Writer) -> io::Result<()> {
        let mut piece = vec![0; 64 << 10];
        loop {
            let length = from.read(&mut piece).await?;
            if length == 0 {
                return Ok(());
            }
            self.until(|fault| *fault != Some(Fault::Hung)).await;
            if state.dead.load(Ordering::Relaxed) {
                continue;
            }
            if self.fault() == Some(Fault::Slow) {
                tokio::time::sleep(self.round_trips.slow()).await;
            }
            state.asked_at_us.store(self.clock.monotonic().as_micros() as u64, Ordering::Relaxed);
            to.write_all(&piece[..length]).await?;
        }
    }

    /// What the database sends, message by message.
    async fn down(self, state: Arc<Connection>, mut from: Reader, mut to: Writer) -> io::Result<()> {
        let mut noise = StdRng::seed_from_u64(1);
        let mut ready = false;
        loop {
            let message = tokio::select! {
                message = read_message(&mut from) => message?,
                () = self.until(|fault| *fault == Some(Fault::TurnedAway)) => {
                    let goodbye = fatal("57P01", "terminating connection due to administrator command");
                    return to.write_all(&goodbye).await;
                }
            };
            self.until(|fault| *fault != Some(Fault::Hung)).await;
            let asked_at_us = state.asked_at_us.swap(0, Ordering::Relaxed);
            match self.fault() {
                Some(Fault::Garbage) => {
                    let mut bytes = [0; NOISE_BYTES];
                    noise.fill_bytes(&mut bytes);
                    to.write_all(&bytes).await?;
                    continue;
                }
                Some(Fault::HalfOpen) if ready => {
                    to.write_all(&message[..message.len() / 2]).await?;
                    state.dead.store(true, Ordering::Relaxed);
                    // The database does not know either: its side stays as it is until the server closes its own.
                    std::future::pending::<()>().await;
                }
                None if asked_at_us > 0 => {
                    let now_us = self.clock.monotonic().as_micros() as u64;
                    self.round_trips.add(Duration::from_micros(now_us.saturating_sub(asked_at_us)));
                }
                Some(Fault::Refused | Fault::Hung | Fault::Slow | Fault::TurnedAway | Fault::HalfOpen)
                | None => {}
            }
            ready = ready || message[0] == b'Z';
            to.write_all(&message).await?;
        }
    }
}

/// What both directions of a connection know.
#[derive(Debug, Default)]
struct Connection {
    dead: AtomicBool,
    /// When the last question went out that has no answer yet; 0 if there is none.
    asked_at_us: AtomicU64,
}

/// One message of PostgreSQL: a type, the length of what follows with its own four bytes, the rest.
async fn read_message(from: &mut Reader) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 5];
    from.read_exact(&mut message).await?;
    let length = u32::from_be_bytes([message[1], message[2], message[3], message[4]]) as usize;
    if !(4..=MAX_MESSAGE).contains(&length) {
        return Err(io::Error::other("this is not PostgreSQL's protocol"));
    }
    message.resize(length + 1, 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}

/// An `ErrorResponse` that ends the connection.
fn fatal(code: &str, words: &str) -> Vec<u8> {
    let fields = [('S', "FATAL"), ('V', "FATAL"), ('C', code), ('M', words)];
    let mut body: Vec<u8> =
        fields.iter().flat_map(|(field, value)| format!("{field}{value}\0").into_bytes()).collect();
    body.push(0);
    let mut message = vec![b'E'];
    message.extend((body.len() as u32 + 4).to_be_bytes());
    message.extend(body);
    message
}
