//! `/v1`: the API for the platform's own people and their command line.
//!
//! Read only but for [`keys`]. Every handler takes an `Operator`. Ids are TypeIDs, lists are pages
//! with cursors, units are in the names, errors are problems. The answer types are public so that clients in Rust read
//! what was written.

pub mod agents;
pub mod call;
pub mod callbacks;
pub mod calls;
mod cursor;
pub mod keys;
pub mod leads;
pub mod mails;
pub mod recordings;
pub mod tenants;
pub mod transfers;
pub mod viewings;
pub mod voice_messages;

pub use cursor::Page;

use crate::{Gateway, problem::ApiError};
use axum::{
    Router,
    routing::{delete, get},
};
use seiketsu_storage::{
    Reason,
    platform::{TenantRow, tenant_by_id, tenant_by_slug},
};

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/v1/tenants", get(tenants::list))
        .route("/v1/tenants/{tenant}/agents", get(agents::list))
        .route("/v1/tenants/{tenant}/keys", get(keys::list).post(keys::create))
        .route("/v1/tenants/{tenant}/keys/{prefix}", delete(keys::revoke))
        .route("/v1/calls", get(calls::list))
        .route("/v1/calls/{id}", get(call::show))
        .route("/v1/viewings", get(viewings::list))
        .route("/v1/leads", get(leads::list))
        .route("/v1/voice-messages", get(voice_messages::list))
        .route("/v1/callbacks", get(callbacks::list))
        .route("/v1/transfers", get(transfers::list))
        .route("/v1/mails", get(mails::list))
        .merge(recordings::routes())
}

/// The tenant that an operator means, by slug or id.
async fn tenant(gateway: &Gateway, slug_or_id: &str) -> Result<TenantRow, ApiError> {
    let mut system = gateway.db().system(Reason::OperatorRead).await?;
    let found = match slug_or_id.parse() {
        Ok(id) => tenant_by_id(&mut system, id).await?,
        Err(_) => tenant_by_slug(&mut system, slug_or_id).await?,
    };
    system.commit().await?;
    found.ok_or(ApiError::NotFound)
}
