//! `POST /v1/realtime/client_secrets`: a secret with which a browser may talk with one agent for some minutes.
//!
//! The body is that of OpenAI's endpoint: `{"session": {"type": "realtime", "model": AGENT}, "expires_after":
//! {"anchor": "created_at", "seconds": 10..=7200}}`; other settings of a session are the client's to send. Errors: 400,
//! 401, 403 (with anything but a key), 404 no such agent, 503.

use super::{
    authority::Authority,
    secret::{ClientSecret, LIFETIME, LIFETIMES_SECONDS},
};
use crate::{Gateway, problem::ApiError, v1::problems::ChangeProblems};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use jiff::SignedDuration;
use seiketsu_domain::AgentId;
use serde::{Deserialize, Serialize};

/// What is asked for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ClientSecretWanted)]
pub(crate) struct Wanted {
    session: WantedSession,
    expires_after: Option<ExpiresAfter>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
struct WantedSession {
    /// The agent's name or id.
    #[schema(example = "Ava")]
    model: String,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
struct ExpiresAfter {
    /// 10 to 7,200.
    #[schema(minimum = 10, maximum = 7200)]
    seconds: i64,
}

/// A client secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ClientSecret)]
pub(crate) struct Made {
    value: String,
    /// In seconds since 1970.
    expires_at: i64,
    session: MadeSession,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MadeSession {
    #[serde(rename = "type")]
    kind: &'static str,
    object: &'static str,
    model: AgentId,
}

/// A secret with which a browser may talk with one agent over `/v1/realtime` for some minutes.
#[utoipa::path(post, path = "/v1/realtime/client_secrets", tag = "realtime", operation_id = "createClientSecret",
    request_body = Wanted,
    responses((status = 200, description = "The secret.", body = Made), ChangeProblems))]
pub(crate) async fn create(
    State(gateway): State<Gateway>,
    authority: Authority,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Json<Made>, ApiError> {
    let key = authority.key().ok_or(ApiError::NotAllowed)?;
    let Json(wanted) = wanted.map_err(|rejection| {
        ApiError::json(&rejection, "expected {\"session\": {\"type\": \"realtime\", \"model\": AGENT}}")
    })?;
    let lifetime = match wanted.expires_after {
        None => LIFETIME,
        Some(ExpiresAfter { seconds }) if LIFETIMES_SECONDS.contains(&seconds) => {
            SignedDuration::from_secs(seconds)
        }
        Some(_) => return Err(ApiError::Body("`expires_after.seconds` can be 10 to 7200")),
    };
    let agent = authority.agent(&gateway, &wanted.session.model).await?;
    let expires_at = gateway.ids().clock().now() + lifetime;
    let secret = ClientSecret { agent: agent.id, key, expires_at };
    Ok(Json(Made {
        value: secret.sign(&gateway.config().jwt_secret),
        expires_at: expires_at.as_second(),
        session: MadeSession { kind: "realtime", object: "realtime.session", model: agent.id },
    }))
}
