//! The HTTP and WebSocket surface of Seiketsu.
//!
//! Two listeners: the public one ([`Gateway::router`]: Twilio's webhooks and media sockets, the `/v1` API, health) and
//! the admin one ([`Gateway::admin_router`]: metrics, dependencies, log level, health), which belongs on loopback.
//! Requests are authenticated, parsed into the words of `domain`, answered from `storage`, and calls are handed to
//! `session`; what is said on a call is nobody's business here.
//!
//! It refuses to be: a place for conversation, SQL, vendors' clients or tenancy decisions. A tenant's rows are reached
//! through a [`TenantScope`](seiketsu_domain::TenantScope) that storage vouched for, never through an id from a request.
//!
//! Invariants:
//! - the parameter type of a handler is its permission: `Operator` for `/v1`, `SignedForm` for Twilio's
//!   webhooks, the media token for media sockets; a handler without one is public on purpose;
//! - every error is an RFC 9457 problem with a stable `type` ([`problem`]); missing and foreign are the same 404;
//! - every body, message, wait, queue and number of sockets has a limit, and what goes beyond is counted by reason;
//! - the URL a signature covers is built from the configured public URL, never from headers;
//! - a socket belongs to a call only by a token that was signed here, is a minute old at most and was never used.
//!
//! To add one more endpoint: a file of its own with the handler, its answer type and its tests, a line in the `routes`
//! of its directory, and, if it can fail in a new way, a variant of `ApiError` (the compiler shows what else to say).

pub mod admin;
pub mod api_key;
pub mod config;
pub mod health;
mod observe;
mod operator;
pub mod problem;
pub mod realtime;
mod server;
mod switchboard;
pub mod twilio;
pub mod v1;

pub use admin::Admin;
pub use config::{GatewayConfig, MediaLimits, PublicUrl, PublicUrlError};
pub use health::Startup;
pub use observe::{REQUEST_ID, REQUEST_SECONDS, describe_metrics};
pub use server::{MAX_CONNECTIONS, serve};
pub use switchboard::Switchboard;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use problem::ApiError;
use seiketsu_domain::IdSource;
use seiketsu_session::RecordingArchive;
use seiketsu_storage::Db;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use twilio::token::MediaTokens;

/// The longest body of any request.
const MAX_BODY_BYTES: usize = 64 * 1_024;

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
    sockets: TaskTracker,
}

impl Gateway {
    /// Puts the parts together; opens nothing.
    pub fn new(parts: Parts) -> Self {
        let tokens = MediaTokens::new(parts.config.jwt_secret.clone());
        let unproven = Arc::new(Semaphore::new(parts.config.media.max_unproven_sockets));
        let realtime = Arc::new(Semaphore::new(parts.config.realtime_sessions));
        Self(Arc::new(Inner { parts, tokens, unproven, realtime, sockets: TaskTracker::new() }))
    }

    /// The public listener.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(health::routes())
            .merge(twilio::routes())
            .merge(v1::routes())
            .merge(realtime::routes())
            .fallback(async || ApiError::NotFound)
            .method_not_allowed_fallback(async || ApiError::Method)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(CatchPanicLayer::custom(observe::panicked))
            .layer(middleware::from_fn_with_state(self.clone(), observe::observe))
            .with_state(self.clone())
    }

    /// The admin listener.
    pub fn admin_router(&self, admin: Admin) -> Router {
        admin::router(self.clone(), admin)
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
    pub(crate) fn startup(&self) -> &Startup {
        &self.0.parts.startup
    }
    pub(crate) fn tokens(&self) -> &MediaTokens {
        &self.0.tokens
    }
    pub(crate) fn realtime(&self) -> &Arc<Semaphore> {
        &self.0.realtime
    }
    pub(crate) fn unproven(&self) -> &Arc<Semaphore> {
        &self.0.unproven
    }
}
