//! Starting and stopping all vendors at once.

use crate::{
    Delays, Espeak, Profile, ProgrammedFault,
    conduct::{Behaviour, Conduct},
    control, deepgram, elevenlabs, openai,
};
use axum::{Router, serve::ListenerExt};
use seiketsu_domain::{Clock, SystemClock};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::net::TcpListener;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use url::Url;

/// How a sandbox starts.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Where it listens; port 0 takes any free one.
    pub bind: SocketAddr,
    /// Latency profile.
    pub profile: Profile,
    /// Every delay and every fault of a profile follows from it.
    pub seed: u64,
    /// Delays on top of the profile's.
    pub delays: Delays,
    /// Faults to come, on top of the profile's.
    pub faults: Vec<ProgrammedFault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Further vendors to serve on the same listener; telephony is not the sandbox's own.
    pub also: Router,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            profile: Profile::default(),
            seed: 1,
            delays: Delays::default(),
            faults: Vec::new(),
            clock: Arc::new(SystemClock::new()),
            also: Router::new(),
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address is taken or not ours.
    #[error("the sandbox cannot listen on {address}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The sandbox.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts to serve; everything it does runs on the tracker and ends when [`Running`] is stopped or dropped.
    pub async fn start(options: SandboxOptions, tracker: &TaskTracker) -> Result<Running, SandboxError> {
        let SandboxOptions { bind, profile, seed, delays, faults, clock, also } = options;
        let failed = |source| SandboxError::Bind { address: bind, source };
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shutdown = CancellationToken::new();
        let shared = Arc::new(Shared {
            conduct: Conduct::new(seed, Behaviour { profile, delays, faults }, clock),
            espeak: Espeak::new(),
            shutdown: shutdown.clone(),
            tracker: tracker.clone(),
        });
        let router = Router::new()
            .merge(control::router())
            .merge(deepgram::router())
            .merge(openai::router())
            .merge(elevenlabs::router())
            .with_state(Arc::clone(&shared))
            .merge(also);
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "no TCP_NODELAY on a sandbox connection");
            }
        });
        let stopping = shutdown.clone();
        tracker.spawn(async move {
            let served =
                axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        });
        tracing::info!(%address, %profile, seed, "sandbox vendors are up");
        Ok(Running { address, shared, stop: shutdown.drop_guard() })
    }
}

/// A running sandbox. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: DropGuard,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to use as `OPENAI_BASE_URL`; ends in `/v1`, as the vendor's own does.
    pub fn openai_base(&self) -> Url {
        self.url("v1")
    }

    /// What to use as `DEEPGRAM_BASE_URL`.
    pub fn deepgram_base(&self) -> Url {
        self.url("")
    }

    /// What to use as `ELEVENLABS_BASE_URL`.
    pub fn elevenlabs_base(&self) -> Url {
        self.url("")
    }

    /// Where `GET` shows and `POST` changes how the vendors behave.
    pub fn control(&self) -> Url {
        self.url("sandbox/control")
    }

    /// Where `GET` lists the delays that were added on purpose.
    pub fn injected(&self) -> Url {
        self.url("sandbox/injected")
    }

    /// How the vendors behave, for a process that runs the sandbox itself.
    pub fn conduct(&self) -> &Conduct {
        &self.shared.conduct
    }

    /// The sandbox's voice; whoever wants speech that its recogniser understands uses the same.
    pub fn espeak(&self) -> &Espeak {
        &self.shared.espeak
    }

    /// Ends every connection; the tracker is done soon after.
    pub fn stop(self) {
        drop(self.stop);
    }

    fn url(&self, path: &str) -> Url {
        #[expect(clippy::expect_used, reason = "an address and a fixed path always make a URL")]
        Url::parse(&format!("http://{}/{path}", self.address)).expect("an http URL of a socket address")
    }
}

/// What every vendor's server holds.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) conduct: Conduct,
    pub(crate) espeak: Espeak,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tracker: TaskTracker,
}
