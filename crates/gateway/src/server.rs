//! Serving a router on a socket, until told to drain.

use axum::{Router, serve::Listener};
use std::{
    future::IntoFuture,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Connections held open at once per listener; the next one waits in the kernel's queue until a place is free.
pub const MAX_CONNECTIONS: usize = 16_384;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves until `drain` is cancelled: then no connection is accepted any more, and this returns when the requests under
/// way are answered. WebSockets are not waited for here; see [`crate::Gateway::sockets`].
pub async fn serve(listener: TcpListener, router: Router, drain: CancellationToken) -> io::Result<()> {
    serve_at_most(MAX_CONNECTIONS, listener, router, drain).await
}

async fn serve_at_most(
    connections: usize,
    inner: TcpListener,
    router: Router,
    drain: CancellationToken,
) -> io::Result<()> {
    let listener = Limited { inner, places: Arc::new(Semaphore::new(connections)) };
    axum::serve(listener, router).with_graceful_shutdown(drain.cancelled_owned()).await
}

/// As [`serve`], behind TLS. A handshake that takes too long costs nobody else anything.
pub async fn serve_tls(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    drain: CancellationToken,
) -> io::Result<()> {
    let mut inner = Limited { inner: listener, places: Arc::new(Semaphore::new(MAX_CONNECTIONS)) };
    let address = Listener::local_addr(&inner)?;
    let (ready, shaken) = mpsc::channel(1);
    let accept = async move {
        let acceptor = TlsAcceptor::from(tls);
        let handshakes = TaskTracker::new();
        loop {
            let (stream, peer) = inner.accept().await;
            let (handshake, ready) = (acceptor.accept(stream), ready.clone());
            handshakes.spawn(async move {
                match timeout(HANDSHAKE, handshake).await {
                    // Nobody takes it any more when the listener is gone.
                    Ok(Ok(stream)) => drop(ready.send((stream, peer)).await),
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            });
        }
    };
    let listener = Shaken { shaken, address };
    let serve = axum::serve(listener, router).with_graceful_shutdown(drain.clone().cancelled_owned());
    tokio::select! {
        served = serve.into_future() => served,
        () = async {
            drain.run_until_cancelled(accept).await;
            // Accepting is over; what is under way is served to its end.
            std::future::pending::<()>().await;
        } => Ok(()),
    }
}

/// Connections whose handshake is done.
struct Shaken {
    shaken: mpsc::Receiver<(TlsStream<Held>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for Shaken {
    type Io = TlsStream<Held>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsStream<Held>, SocketAddr) {
        match self.shaken.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A listener with so many places.
struct Limited {
    inner: TcpListener,
    places: Arc<Semaphore>,
}

impl Listener for Limited {
    type Io = Held;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Held, SocketAddr) {
        // The semaphore is never closed, so a place always comes; without one the connection is simply not counted.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, peer) = Listener::accept(&mut self.inner).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays without TCP_NODELAY");
        }
        (Held { stream, _place: place }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// A connection and its place.
struct Held {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn ask(stream: &mut TcpStream) {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut bytes = vec![0; 1_024];
        let length = stream.read(&mut bytes).await.unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_connection_beyond_the_limit_is_served_when_a_place_is_free_and_drain_ends_it_all() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = CancellationToken::new();
        let router = Router::new().route("/", get(async || "here"));
        let server = serve_at_most(1, listener, router, drain.clone());
        let clients = async {
            let mut first = TcpStream::connect(address).await.unwrap();
            ask(&mut first).await;
            assert!(answer(&mut first).await.ends_with("here"));
            let mut second = TcpStream::connect(address).await.unwrap();
            ask(&mut second).await;
            let early = timeout(Duration::from_millis(100), answer(&mut second)).await;
            assert!(early.is_err(), "answered although the only place is taken: {early:?}");
            drop(first);
            assert!(answer(&mut second).await.ends_with("here"));
            drain.cancel();
        };
        let (served, ()) = tokio::join!(server, clients);
        served.unwrap();
    }
}
