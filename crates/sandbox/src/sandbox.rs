//! Starting and stopping all vendors at once.

use crate::{
    Delays, Espeak, Profile, ProgrammedFault,
    conduct::{Behaviour, Conduct},
    control, deepgram, elevenlabs,
    line::{self, Line, LineListener},
    openai,
    request::Service,
};
use axum::{Router, middleware};
use secrecy::SecretString;
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

/// The only keys that the vendors accept. A vendor without one accepts any but the empty one and `invalid`.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Deepgram's.
    pub deepgram: Option<SecretString>,
    /// OpenAI's.
    pub openai: Option<SecretString>,
    /// ElevenLabs'.
    pub elevenlabs: Option<SecretString>,
}

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
    /// Keys, where wrong ones are to be refused.
    pub keys: Keys,
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
            keys: Keys::default(),
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
        let SandboxOptions { bind, profile, seed, delays, faults, keys, clock, also } = options;
        let failed = |source| SandboxError::Bind { address: bind, source };
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shutdown = CancellationToken::new();
        let behaviour = Behaviour { profile, delays, faults, outages: Vec::new() };
        let shared = Arc::new(Shared {
            conduct: Conduct::new(seed, behaviour, clock),
            espeak: Espeak::new(),
            keys,
            shutdown: shutdown.clone(),
            tracker: tracker.clone(),
        });
        let serving = |service: Service, router: Router<Arc<Shared>>| {
            router.route_layer(middleware::from_fn_with_state((service, Arc::clone(&shared)), line::serve_as))
        };
        let router = Router::new()
            .merge(control::router())
            .merge(serving(Service::Deepgram, deepgram::router()))
            .merge(serving(Service::Scribe, elevenlabs::scribe::router()))
            .merge(serving(Service::Transcription, openai::transcription::router()))
            .merge(serving(Service::Model, openai::router()))
            .merge(serving(Service::ElevenLabs, elevenlabs::router()))
            .merge(serving(Service::Speech, openai::speech::router()))
            .with_state(Arc::clone(&shared))
            .merge(also);
        let lines = Arc::clone(shared.conduct.lines());
        let listener = LineListener::new(listener, Arc::clone(&lines), tracker.clone(), shutdown.clone());
        let stopping = shutdown.clone();
        tracker.spawn(async move {
            stopping.cancelled().await;
            lines.cut_silent();
        });
        let stopping = shutdown.clone();
        tracker.spawn(async move {
            let served = axum::serve(listener, router.into_make_service_with_connect_info::<Line>())
                .with_graceful_shutdown(stopping.cancelled_owned())
                .await;
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
    pub(crate) keys: Keys,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tracker: TaskTracker,
}
