//! The connections themselves: where a service fails as a whole, it fails in the bytes.
//!
//! A [`Line`] is one accepted connection. It belongs to a service while it has a request of it in hand (a WebSocket as
//! long as it lasts; an idle kept-alive connection belongs to nobody). When an outage begins, the lines of its service
//! are cut, silenced or filled with noise; a request that comes during an outage puts its line into the same state.
//! A silenced line stays silent after the outage: its peer has to notice that and open another.

use crate::{outage::OutageFault, request::Service};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State, connect_info::Connected},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
    serve::{IncomingStream, Listener},
};
use futures_util::{StreamExt, task::AtomicWaker};
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// For how long a silent line is held.
const LONGEST_SILENCE: Duration = Duration::from_mins(5);

/// How much of what comes over a silent line is thrown away at once.
const DISCARD_BYTES: usize = 4 * 1024;

/// All connections of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    state: Mutex<LinesState>,
}

#[derive(Debug, Default)]
struct LinesState {
    last_id: u64,
    lines: BTreeMap<u64, Weak<Shared>>,
}

impl Lines {
    /// What an outage that has just begun, or ended, does to the lines of its service.
    pub(crate) fn strike(&self, service: Service, fault: Option<OutageFault>) {
        for line in self.all() {
            line.strike(service, fault);
        }
    }

    /// Ends every line that would not end by itself.
    pub(crate) fn cut_silent(&self) {
        for line in self.all().into_iter().filter(|line| line.0.lock().mode == Mode::Silent) {
            line.cut();
        }
    }

    fn all(&self) -> Vec<Line> {
        self.lock().lines.values().filter_map(Weak::upgrade).map(Line).collect()
    }

    fn register(self: &Arc<Self>) -> Line {
        let mut state = self.lock();
        state.last_id += 1;
        let id = state.last_id;
        let line = Arc::new(Shared {
            id,
            lines: Arc::downgrade(self),
            state: Mutex::new(LineState { service: None, mode: Mode::Open }),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        });
        state.lines.insert(id, Arc::downgrade(&line));
        Line(line)
    }

    fn lock(&self) -> MutexGuard<'_, LinesState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One accepted connection, as handlers see it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Line(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    id: u64,
    lines: Weak<Lines>,
    state: Mutex<LineState>,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

#[derive(Debug)]
struct LineState {
    /// Whose request is in hand.
    service: Option<Service>,
    mode: Mode,
}

/// What the line does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    /// Broken.
    Cut,
    /// What comes is thrown away, what goes is not sent.
    Silent,
    /// Noise goes instead of what is written.
    Noise {
        /// Something of it has gone: there is no way back.
        begun: bool,
    },
}

impl Line {
    /// Breaks the connection: nothing more is read or written.
    pub(crate) fn cut(&self) {
        self.set(Mode::Cut);
    }

    /// Nothing more is sent, and what comes is thrown away; the connection stays.
    pub(crate) fn silence(&self) {
        self.set(Mode::Silent);
    }

    /// From here on noise is sent.
    pub(crate) fn garble(&self) {
        self.set(Mode::Noise { begun: false });
    }

    fn strike(&self, service: Service, fault: Option<OutageFault>) {
        let (owner, mode) = {
            let state = self.0.lock();
            (state.service, state.mode)
        };
        if owner != Some(service) {
            return;
        }
        match fault {
            Some(OutageFault::Refused) => self.cut(),
            Some(OutageFault::Hung | OutageFault::HalfOpen) => self.silence(),
            Some(OutageFault::Garbage) => self.garble(),
            Some(OutageFault::Slow | OutageFault::RateLimited) | None => {
                if mode == (Mode::Noise { begun: false }) {
                    self.set(Mode::Open);
                }
            }
        }
    }

    fn set(&self, mode: Mode) {
        {
            let mut state = self.0.lock();
            // What is broken or silent stays so, but for silence that is ended for good.
            match (state.mode, mode) {
                (Mode::Cut, _) | (Mode::Silent, Mode::Open | Mode::Noise { .. } | Mode::Silent) => return,
                (Mode::Open | Mode::Noise { .. }, _) | (Mode::Silent, Mode::Cut) => state.mode = mode,
            }
        }
        self.0.reader.wake();
        self.0.writer.wake();
    }

    fn mode(&self) -> Mode {
        self.0.lock().mode
    }

    fn take_in_hand(&self, service: Service) -> InHand {
        self.0.lock().service = Some(service);
        InHand(Some(self.clone()))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(lines) = self.lines.upgrade() {
            lines.lock().lines.remove(&self.id);
        }
    }
}

/// A request of a service is in hand, until this is dropped.
struct InHand(Option<Line>);

impl InHand {
    /// The line belongs to the service until it ends.
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if let Some(line) = &self.0 {
            line.0.lock().service = None;
        }
    }
}

/// Puts a service's requests, and its sockets, under its outages.
pub(crate) async fn serve_as(
    State((service, shared)): State<(Service, Arc<crate::sandbox::Shared>)>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let in_hand = line.take_in_hand(service);
    match shared.conduct.suffered(service) {
        Some(OutageFault::Refused) => {
            line.cut();
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Some(OutageFault::Garbage) => {
            line.garble();
            return (StatusCode::OK, NOISE_LENGTH).into_response();
        }
        Some(OutageFault::Hung) => {
            line.silence();
            tokio::select! {
                () = shared.shutdown.cancelled() => {}
                () = tokio::time::sleep(LONGEST_SILENCE) => {}
            }
            line.cut();
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Some(OutageFault::Slow | OutageFault::RateLimited | OutageFault::HalfOpen) | None => {}
    }
    let response = next.run(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        in_hand.keep();
        return response;
    }
    let (parts, body) = response.into_parts();
    // The closure holds what says that the request is in hand; it goes with the last of the answer.
    let body = body.into_data_stream().inspect(move |_| {
        let _held = &in_hand;
    });
    Response::from_parts(parts, Body::from_stream(body))
}

/// Something to be replaced by as much noise.
const NOISE_LENGTH: &str = "as many bytes of noise as there are letters in here";

/// Accepts connections and makes lines of them.
pub(crate) struct LineListener {
    inner: TcpListener,
    lines: Arc<Lines>,
    held: Held,
}

/// Where silent lines are held after whoever served them has gone.
#[derive(Debug, Clone)]
struct Held {
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl LineListener {
    pub(crate) fn new(
        inner: TcpListener,
        lines: Arc<Lines>,
        tracker: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        Self { inner, lines, held: Held { tracker, shutdown } }
    }
}

impl Listener for LineListener {
    type Io = LineStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (LineStream, SocketAddr) {
        // axum's own listener logs and waits where accepting fails.
        let (stream, address) = Listener::accept(&mut self.inner).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY on a sandbox connection");
        }
        let stream = LineStream {
            stream: Some(stream),
            line: self.lines.register(),
            noise: 0,
            held: self.held.clone(),
        };
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl Connected<IncomingStream<'_, LineListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, LineListener>) -> Self {
        stream.io().line.clone()
    }
}

/// A connection that does what its [`Line`] says.
pub(crate) struct LineStream {
    /// There until it is dropped.
    stream: Option<TcpStream>,
    line: Line,
    /// What the next byte of noise follows from.
    noise: u8,
    held: Held,
}

impl LineStream {
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(broken)
    }

    /// Bytes that no HTTP answer begins with and no chunk of one, and that are no WebSocket frame: as the first two of
    /// one they name an opcode that does not exist, and a length that leaves nothing to wait for.
    fn noise(&mut self, length: usize) -> Vec<u8> {
        let next = |_| {
            self.noise = self.noise.wrapping_mul(5).wrapping_add(3);
            b"{|}"[usize::from(self.noise >> 4) % 3]
        };
        (0..length).map(next).collect()
    }

    fn poll_write_noise(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        self.line.0.lock().mode = Mode::Noise { begun: true };
        let noise = self.noise(length);
        self.stream()?.poll_write(cx, &noise)
    }
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

impl AsyncRead for LineStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.line.0.reader.register(cx.waker());
        match this.line.mode() {
            Mode::Cut => Poll::Ready(Err(broken())),
            Mode::Open | Mode::Noise { .. } => this.stream()?.poll_read(cx, buf),
            Mode::Silent => loop {
                let mut scratch = [0; DISCARD_BYTES];
                let mut discarded = ReadBuf::new(&mut scratch);
                ready!(this.stream()?.poll_read(cx, &mut discarded))?;
                if discarded.filled().is_empty() {
                    return Poll::Ready(Ok(())); // the peer has given up
                }
            },
        }
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.line.0.writer.register(cx.waker());
        match this.line.mode() {
            Mode::Cut => Poll::Ready(Err(broken())),
            Mode::Open => this.stream()?.poll_write(cx, buf),
            Mode::Silent => Poll::Ready(Ok(buf.len())),
            Mode::Noise { .. } => this.poll_write_noise(cx, buf.len()),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.line.0.writer.register(cx.waker());
        let length = bufs.iter().map(|buf| buf.len()).sum();
        match this.line.mode() {
            Mode::Cut => Poll::Ready(Err(broken())),
            Mode::Open => this.stream()?.poll_write_vectored(cx, bufs),
            Mode::Silent => Poll::Ready(Ok(length)),
            Mode::Noise { .. } => this.poll_write_noise(cx, length),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.line.mode() {
            Mode::Cut => Poll::Ready(Err(broken())),
            Mode::Silent => Poll::Ready(Ok(())),
            Mode::Open | Mode::Noise { .. } => this.stream()?.poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.line.mode() {
            Mode::Silent => Poll::Ready(Ok(())),
            Mode::Cut | Mode::Open | Mode::Noise { .. } => this.stream()?.poll_shutdown(cx),
        }
    }
}

impl Drop for LineStream {
    /// A silent line is not closed because its server has no more use for it: its peer must not learn anything.
    fn drop(&mut self) {
        if self.line.mode() != Mode::Silent {
            return;
        }
        let Some(mut stream) = self.stream.take() else { return };
        let shutdown = self.held.shutdown.clone();
        self.held.tracker.spawn(async move {
            let mut scratch = [0; DISCARD_BYTES];
            let gone = async { while matches!(stream.read(&mut scratch).await, Ok(1..)) {} };
            tokio::select! {
                () = shutdown.cancelled() => {}
                _ = tokio::time::timeout(LONGEST_SILENCE, gone) => {}
            }
        });
    }
}
