//! The HTTP and WebSocket surface of Seiketsu.
//!
//! Two listeners: the public one ([`Gateway::router`]: Twilio's webhooks and media sockets, the `/v1` API, the
//! console, health) and
//! the admin one ([`Gateway::admin_router`]: metrics, dependencies, log level, health), which belongs on loopback.
//! Requests are authenticated, parsed into the words of `domain`, answered from `storage`, and calls are handed to
//! `session`; what is said on a call is nobody's business here.
//!
//! It refuses to be: a place for conversation, SQL, vendors' clients or tenancy decisions. A tenant's rows are reached
//! through a [`TenantScope`](seiketsu_domain::TenantScope) that storage vouched for, never through an id from a request.
//!
//! Invariants:
//! - the parameter type of a handler is its permission: `Reader`, `Member` or `Operator` for `/v1`, `SignedForm` for
//!   Twilio's webhooks, the media token for media sockets; a handler without one is public on purpose;
//! - every error is an RFC 9457 problem with a stable `type` ([`problem`]); missing and foreign are the same 404;
//! - every body, message, wait, queue and number of sockets has a limit, and what goes beyond is counted by reason;
//! - the URL a signature covers is built from the configured public URL, never from headers;
//! - a socket belongs to a call only by a token that was signed here, is a minute old at most and was never used.
//!
//! To add one more endpoint: a file of its own with the handler, its answer type and its tests, a line in the `routes`
//! of its directory, and, if it can fail in a new way, a variant of `ApiError` (the compiler shows what else to say).

mod access;
pub mod admin;
pub mod api_key;
pub mod config;
mod console;
pub mod health;
mod observe;
pub mod problem;
pub mod realtime;
mod server;
mod switchboard;
pub mod twilio;
pub mod v1;

pub use admin::Admin;
pub use config::{GatewayConfig, MediaLimits, PublicUrl, PublicUrlError, RealtimeLimits};
pub use health::{Startup, Vitals};
pub use observe::{REQUEST_ID, REQUEST_SECONDS, describe_metrics};
pub use server::{MAX_CONNECTIONS, serve, serve_tls};
pub use switchboard::Switchboard;

pub use access::RatePerMinute;
use access::{Allowances, Attempts, PerTenant};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware,
};
use problem::ApiError;
use seiketsu_domain::IdSource;
use seiketsu_session::RecordingArchive;
use seiketsu_storage::Db;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use twilio::token::MediaTokens;
use v1::speech::CallerVoice;

/// The longest body of any request.
const MAX_BODY_BYTES: usize = 64 * 1_024;
/// Streams of live calls at once.
const MAX_FOLLOWERS: usize = 256;
/// Keys and cookies that are looked up at once: telephones need the same connections, and come first.
const MAX_AUTHENTICATING: usize = 2;
/// How long one waits for its turn.
const AUTHENTICATION_PATIENCE: Duration = Duration::from_secs(2);
/// Streams of live calls at once, of one tenant.
const MAX_FOLLOWERS_OF_TENANT: usize = 16;
/// Passwords compared at once; each takes 19 MiB meanwhile.
const MAX_HASHING: usize = 4;
/// Sentences spoken for callers at once.
const MAX_SPEAKING: usize = 8;

/// What the gateway is made of.
#[derive(Debug)]
pub struct Parts {
    /// Tenants, calls, keys.
    pub db: Db,
    /// Where calls are handed over.
    pub switchboard: Arc<dyn Switchboard>,
    /// Settings.
    pub config: GatewayConfig,
    /// Ids, chance and time.
    pub ids: IdSource,
    /// Whether the process has finished starting.
    pub startup: Startup,
    /// Where recordings are read, if calls are recorded here.
    pub archive: Option<Arc<dyn RecordingArchive>>,
    /// Speaks for callers without a microphone, if anything here can.
    pub caller_voice: Option<Arc<dyn CallerVoice>>,
}

/// The gateway; cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    tokens: MediaTokens,
    unproven: Arc<Semaphore>,
    realtime: Arc<Semaphore>,
    realtime_of: PerTenant,
    allowances: Allowances,
    authenticating: Semaphore,
    followers: Arc<Semaphore>,
    followers_of: PerTenant,
    hashing: Arc<Semaphore>,
    speaking: Semaphore,
    attempts: Attempts,
    sockets: TaskTracker,
}

impl FromRef<Gateway> for Vitals {
    fn from_ref(gateway: &Gateway) -> Self {
        let Parts { startup, db, switchboard, .. } = &gateway.0.parts;
        Self { startup: startup.clone(), db: db.clone(), switchboard: Some(Arc::clone(switchboard)) }
    }
}

impl Gateway {
    /// Puts the parts together; opens nothing.
    pub fn new(parts: Parts) -> Self {
        let tokens = MediaTokens::new(parts.config.jwt_secret.clone());
        let unproven = Arc::new(Semaphore::new(parts.config.media.max_unproven_sockets));
        let limits = parts.config.realtime;
        let realtime = Arc::new(Semaphore::new(limits.sessions));
        Self(Arc::new(Inner {
            parts,
            tokens,
            unproven,
            realtime,
            realtime_of: PerTenant::new(limits.sessions_of_tenant),
            allowances: Allowances::new(limits.rate),
            authenticating: Semaphore::new(MAX_AUTHENTICATING),
            followers: Arc::new(Semaphore::new(MAX_FOLLOWERS)),
            followers_of: PerTenant::new(MAX_FOLLOWERS_OF_TENANT),
            hashing: Arc::new(Semaphore::new(MAX_HASHING)),
            speaking: Semaphore::new(MAX_SPEAKING),
            attempts: Attempts::default(),
            sockets: TaskTracker::new(),
        }))
    }

    /// The public listener.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(health::routes())
            .merge(twilio::routes())
            .merge(v1::routes())
            .merge(realtime::routes())
            .fallback(console::serve)
            .method_not_allowed_fallback(async || ApiError::Method)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(CatchPanicLayer::custom(observe::panicked))
            .layer(middleware::from_fn_with_state(self.ids().clone(), observe::observe))
            .with_state(self.clone())
    }

    /// The admin listener.
    pub fn admin_router(&self, admin: Admin) -> Router {
        admin.router(Vitals::from_ref(self), self.ids().clone())
    }

    pub(crate) fn archive(&self) -> Option<&Arc<dyn RecordingArchive>> {
        self.0.parts.archive.as_ref()
    }

    /// The media sockets under way: close the tracker and wait for it to drain them.
    pub fn sockets(&self) -> &TaskTracker {
        &self.0.sockets
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.parts.db
    }
    pub(crate) fn switchboard(&self) -> &dyn Switchboard {
        self.0.parts.switchboard.as_ref()
    }
    pub(crate) fn config(&self) -> &GatewayConfig {
        &self.0.parts.config
    }
    pub(crate) fn ids(&self) -> &IdSource {
        &self.0.parts.ids
    }
    pub(crate) fn tokens(&self) -> &MediaTokens {
        &self.0.tokens
    }
    pub(crate) fn realtime(&self) -> &Arc<Semaphore> {
        &self.0.realtime
    }
    pub(crate) fn realtime_of(&self) -> &PerTenant {
        &self.0.realtime_of
    }
    pub(crate) fn allowances(&self) -> &Allowances {
        &self.0.allowances
    }
    /// A place to look a key or a cookie up.
    pub(crate) async fn authenticating(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        let place = timeout(AUTHENTICATION_PATIENCE, self.0.authenticating.acquire()).await;
        place.ok().and_then(Result::ok).ok_or(ApiError::Busy)
    }
    pub(crate) fn followers_of(&self) -> &PerTenant {
        &self.0.followers_of
    }
    pub(crate) fn followers(&self) -> &Arc<Semaphore> {
        &self.0.followers
    }
    pub(crate) fn hashing(&self) -> &Arc<Semaphore> {
        &self.0.hashing
    }
    pub(crate) fn speaking(&self) -> &Semaphore {
        &self.0.speaking
    }
    pub(crate) fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }
    pub(crate) fn caller_voice(&self) -> Option<&dyn CallerVoice> {
        self.0.parts.caller_voice.as_deref()
    }
    pub(crate) fn unproven(&self) -> &Arc<Semaphore> {
        &self.0.unproven
    }
}
