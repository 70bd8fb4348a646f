//! `/v1`: the API, for the platform's own people, for tenants' programs and for members at the console.
//!
//! Every handler takes a permission of [`crate::access`]: `Reader` for what belongs to a tenant, `Operator` for what is
//! the platform's. Ids are TypeIDs, lists are pages with cursors, units are in the names, errors are problems. The answer
//! types are public so that clients in Rust read what was written; `openapi` describes all of it at `/openapi.json`,
//! from the same declarations that route it.

pub mod agents;
pub mod call;
pub mod callbacks;
pub mod calls;
mod cursor;
pub mod events;
pub mod keys;
pub mod leads;
pub mod listings;
pub mod mails;
pub mod members;
mod openapi;
pub(crate) mod problems;
pub mod recordings;
pub mod session;
pub mod speech;
pub mod tenants;
pub mod transfers;
pub mod viewings;
pub mod voice_messages;

pub use cursor::Page;

use crate::{Gateway, problem::ApiError};
use axum::Router;
use http::{HeaderValue, header::CACHE_CONTROL};
use seiketsu_storage::{
    Reason,
    platform::{TenantRow, tenant_by_id, tenant_by_slug},
};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Everything under `/v1` but the socket of the API door, and `/openapi.json`, which describes it.
pub(crate) fn routes() -> Router<Gateway> {
    let (router, document) = described().split_for_parts();
    // What is somebody's own is nobody else's to keep.
    let private = SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    router.layer(private).merge(openapi::routes(&openapi::with_references(document)))
}

/// The description of the API as JSON, as it is served.
pub fn openapi_document() -> String {
    openapi::json(&openapi::with_references(described().into_openapi()))
}

fn described() -> OpenApiRouter<Gateway> {
    OpenApiRouter::with_openapi(openapi::preface())
        .routes(routes!(session::show, session::create, session::end))
        .routes(routes!(speech::speak))
        .routes(routes!(agents::list))
        .routes(routes!(calls::list))
        .routes(routes!(events::follow))
        .routes(routes!(call::show))
        .routes(routes!(recordings::list))
        .routes(routes!(recordings::sound))
        .routes(routes!(listings::list))
        .routes(routes!(listings::show))
        .routes(routes!(leads::list))
        .routes(routes!(viewings::list))
        .routes(routes!(voice_messages::list))
        .routes(routes!(callbacks::list))
        .routes(routes!(transfers::list))
        .routes(routes!(mails::list))
        .routes(routes!(tenants::list))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(members::list))
        .routes(routes!(members::set_password))
        .routes(routes!(crate::realtime::client_secrets::create))
}

/// The tenant that an operator means, by slug or id.
pub(crate) async fn tenant(gateway: &Gateway, slug_or_id: &str) -> Result<TenantRow, ApiError> {
    let mut system = gateway.db().system(Reason::OperatorRead).await?;
    let found = match slug_or_id.parse() {
        Ok(id) => tenant_by_id(&mut system, id).await?,
        Err(_) => tenant_by_slug(&mut system, slug_or_id).await?,
    };
    system.commit().await?;
    found.ok_or(ApiError::NotFound)
}
