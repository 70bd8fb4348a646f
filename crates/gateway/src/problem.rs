//! Errors over HTTP: RFC 9457 `application/problem+json`, with a `type` that stays the same for ever.
//!
//! `ApiError` is everything that can go wrong in an endpoint; its `problem` maps it by an exhaustive match. The
//! body says nothing about the inside, and nothing that differs between a missing thing and somebody else's thing: not
//! even the request id, which travels in a header of its own.

use crate::api_key::ApiKeyError;
use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use seiketsu_session::ArchiveFailure;
use seiketsu_storage::DbError;
use serde::{Deserialize, Serialize};

/// The body of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// Which kind of problem: a stable URI, meant for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status once more.
    pub status: u16,
    /// What is wrong this time and what would help, where there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Everything that can go wrong in an endpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No `Authorization: Bearer …`.
    #[error("no API key was sent")]
    NoKey,
    /// A key that cannot be one.
    #[error(transparent)]
    BadKey(#[from] ApiKeyError),
    /// A well-formed key that nobody issued, or that was revoked.
    #[error("the API key is not known")]
    UnknownKey,
    /// A cookie that is not good any more.
    #[error("you are not signed in any more")]
    SignedOut,
    /// No such account, or another password.
    #[error("the brokerage, the address or the password is not right")]
    WrongPassword,
    /// Too many wrong passwords.
    #[error("too many attempts; try again in {seconds} s")]
    TooManyAttempts {
        /// When it is worth trying again.
        seconds: u16,
    },
    /// Demo identities are offered on somebody's own machine only.
    #[error("there is no demo sign-in here")]
    NoDemo,
    /// Nothing here can speak for a caller right now.
    #[error("the words could not be spoken: {0}")]
    Speechless(String),
    /// The signature of a webhook is missing or wrong.
    #[error("the request is not signed by Twilio for this URL")]
    Signature,
    /// A page of another origin asks.
    #[error("changes and sockets need the `Origin` of this platform's own pages, its public URL")]
    Origin,
    /// A key that is good, but not for this.
    #[error("you may not do this")]
    NotAllowed,
    /// The thing does not exist, or is somebody else's.
    #[error("there is no such thing here")]
    NotFound,
    /// The path exists, the method does not.
    #[error("this path does not know this method")]
    Method,
    /// A query parameter is missing, unknown or malformed.
    #[error("{0}")]
    Query(String),
    /// A cursor that no list gave out.
    #[error("the cursor was not given out by this list")]
    Cursor,
    /// A body that could not be read as what it should be.
    #[error("{0}")]
    Body(&'static str),
    /// A body beyond the limit.
    #[error("the body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The client did not send its body in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// A path for WebSockets was asked for something else.
    #[error("this path speaks WebSocket only")]
    NotWebSocket,
    /// As many unproven sockets are open as may be.
    #[error("too many connections are waiting for their first message")]
    Busy,
    /// One tenant has open as many sessions as it may.
    #[error("as many sessions are open as one brokerage may have; close one, or try again in {seconds} s")]
    TooManySessions {
        /// When it is worth trying again.
        seconds: u16,
    },
    /// A key has used up what it may in a minute.
    #[error("this key has used up its responses or tokens; try again in {seconds} s")]
    UsedUp {
        /// When there is something again.
        seconds: u16,
    },
    /// A log filter that could not be read.
    #[error("not a log filter: {0}")]
    LogFilter(String),
    /// The database did not do what it was asked.
    #[error("the database failed")]
    Database(#[from] DbError),
    /// A recording cannot be listened to.
    #[error("a recording cannot be listened to")]
    Archive(#[from] ArchiveFailure),
    /// Something that must not happen did.
    #[error("{0}")]
    Internal(&'static str),
}

/// One row of the mapping.
struct Mapped {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: bool,
    retry_after_seconds: Option<u16>,
}

impl ApiError {
    fn mapped(&self) -> Mapped {
        let row =
            |status, kind, title| Mapped { status, kind, title, detail: false, retry_after_seconds: None };
        match self {
            Self::NoKey | Self::BadKey(ApiKeyError::Malformed | ApiKeyError::Checksum) | Self::UnknownKey => {
                Mapped {
                    detail: true,
                    ..row(StatusCode::UNAUTHORIZED, "unauthorized", "A valid API key is needed")
                }
            }
            Self::SignedOut => Mapped {
                detail: true,
                ..row(StatusCode::UNAUTHORIZED, "signed-out", "You are not signed in")
            },
            Self::WrongPassword => Mapped {
                detail: true,
                ..row(StatusCode::UNAUTHORIZED, "wrong-password", "Signing in did not work")
            },
            Self::TooManyAttempts { seconds } => Mapped {
                detail: true,
                retry_after_seconds: Some(*seconds),
                ..row(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts")
            },
            Self::NoDemo => row(StatusCode::FORBIDDEN, "no-demo", "There is no demo sign-in here"),
            Self::Speechless(_) => Mapped {
                detail: true,
                retry_after_seconds: Some(2),
                ..row(StatusCode::SERVICE_UNAVAILABLE, "speechless", "The words could not be spoken")
            },
            Self::Signature => {
                row(StatusCode::FORBIDDEN, "bad-signature", "The request is not signed as it must be")
            }
            Self::Origin => {
                Mapped { detail: true, ..row(StatusCode::FORBIDDEN, "wrong-origin", "Not from there") }
            }
            Self::NotAllowed => row(StatusCode::FORBIDDEN, "not-allowed", "You may not do this"),
            Self::NotFound => row(StatusCode::NOT_FOUND, "not-found", "There is no such thing here"),
            Self::Method => row(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This path does not know this method",
            ),
            Self::Query(_) | Self::Cursor => {
                Mapped { detail: true, ..row(StatusCode::BAD_REQUEST, "bad-query", "The query is not valid") }
            }
            Self::Body(_) | Self::LogFilter(_) => {
                Mapped { detail: true, ..row(StatusCode::BAD_REQUEST, "bad-body", "The body is not valid") }
            }
            Self::TooLarge { .. } => Mapped {
                detail: true,
                ..row(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
            },
            Self::TooSlow => {
                row(StatusCode::REQUEST_TIMEOUT, "too-slow", "The request did not arrive in time")
            }
            Self::NotWebSocket => {
                row(StatusCode::UPGRADE_REQUIRED, "websocket-only", "This path speaks WebSocket only")
            }
            Self::Busy => Mapped {
                retry_after_seconds: Some(1),
                ..row(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many connections at the moment")
            },
            Self::TooManySessions { seconds } => Mapped {
                detail: true,
                retry_after_seconds: Some(*seconds),
                ..row(StatusCode::TOO_MANY_REQUESTS, "too-many-sessions", "Too many sessions")
            },
            Self::UsedUp { seconds } => Mapped {
                detail: true,
                retry_after_seconds: Some(*seconds),
                ..row(StatusCode::TOO_MANY_REQUESTS, "used-up", "Too many requests")
            },
            Self::Database(error) if error.is_away() => Self::away(),
            Self::Archive(ArchiveFailure::Away(_)) => Self::away(),
            Self::Database(_) | Self::Archive(ArchiveFailure::Damaged(_)) | Self::Internal(_) => {
                row(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side")
            }
        }
    }

    /// Whether it says that whoever asks is nobody here.
    pub(crate) fn is_about_who(&self) -> bool {
        self.mapped().status == StatusCode::UNAUTHORIZED
    }

    /// A body that is not the JSON it should be.
    pub(crate) fn json(rejection: &JsonRejection, expected: &'static str) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::TooLarge { limit_bytes: crate::MAX_BODY_BYTES };
        }
        let is_called_json = rejection.status() != StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::Body(if is_called_json { expected } else { "the body needs `content-type: application/json`" })
    }

    const fn away() -> Mapped {
        Mapped {
            status: StatusCode::SERVICE_UNAVAILABLE,
            kind: "unavailable",
            title: "A part that is needed for this is away",
            detail: false,
            retry_after_seconds: Some(2),
        }
    }

    /// The body, and with it the status.
    pub(crate) fn problem(&self) -> Problem {
        let Mapped { status, kind, title, detail, .. } = self.mapped();
        Problem {
            kind: format!("urn:seiketsu:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.then(|| self.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Mapped { status, retry_after_seconds, .. } = self.mapped();
        match &self {
            Self::Internal(_) => tracing::error!(error = %self, "a request failed"),
            Self::Database(error) => {
                tracing::warn!(error = error as &dyn std::error::Error, "the database failed");
            }
            Self::Archive(failure) => tracing::warn!(%failure, "a recording cannot be listened to"),
            Self::Speechless(_) => tracing::warn!(error = %self, "a request failed"),
            Self::Signature
            | Self::UnknownKey
            | Self::Origin
            | Self::NotAllowed
            | Self::WrongPassword
            | Self::TooManyAttempts { .. }
            | Self::NoDemo
            | Self::TooManySessions { .. }
            | Self::UsedUp { .. }
            | Self::Busy => {
                tracing::info!(error = %self, "a request was refused");
            }
            Self::NoKey
            | Self::BadKey(_)
            | Self::SignedOut
            | Self::NotFound
            | Self::Method
            | Self::Query(_)
            | Self::Cursor
            | Self::Body(_)
            | Self::TooLarge { .. }
            | Self::TooSlow
            | Self::NotWebSocket
            | Self::LogFilter(_) => tracing::debug!(error = %self, "a request was refused"),
        }
        let mut response = (status, Json(self.problem())).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        let text = rejection.body_text();
        Self::Query(text.trim_start_matches("Failed to deserialize query string: ").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The golden matrix: what programs outside rely on.
    #[test]
    fn every_error_has_a_stable_type_and_status() {
        let rows = [
            ApiError::NoKey,
            ApiError::BadKey(ApiKeyError::Checksum),
            ApiError::UnknownKey,
            ApiError::SignedOut,
            ApiError::WrongPassword,
            ApiError::TooManyAttempts { seconds: 60 },
            ApiError::NoDemo,
            ApiError::Speechless("away".into()),
            ApiError::Signature,
            ApiError::NotFound,
            ApiError::Method,
            ApiError::Query("limit: too large".into()),
            ApiError::Cursor,
            ApiError::Body("not a form"),
            ApiError::LogFilter("x".into()),
            ApiError::TooLarge { limit_bytes: 9 },
            ApiError::TooSlow,
            ApiError::NotWebSocket,
            ApiError::Busy,
            ApiError::TooManySessions { seconds: 5 },
            ApiError::UsedUp { seconds: 7 },
            ApiError::Internal("secret"),
            ApiError::Archive(ArchiveFailure::Away("the bucket is shut".into())),
            ApiError::Archive(ArchiveFailure::Damaged("chunk 3".into())),
        ]
        .map(|error| {
            let Problem { kind, status, detail, .. } = error.problem();
            format!(
                "{status} {} {}",
                kind.trim_start_matches("urn:seiketsu:problem:"),
                detail.unwrap_or_default()
            )
        });
        insta::assert_snapshot!(rows.join("\n"), @r"
        401 unauthorized no API key was sent
        401 unauthorized the API key has a typing error: its checksum does not match
        401 unauthorized the API key is not known
        401 signed-out you are not signed in any more
        401 wrong-password the brokerage, the address or the password is not right
        429 too-many-attempts too many attempts; try again in 60 s
        403 no-demo 
        503 speechless the words could not be spoken: away
        403 bad-signature 
        404 not-found 
        405 method-not-allowed 
        400 bad-query limit: too large
        400 bad-query the cursor was not given out by this list
        400 bad-body not a form
        400 bad-body not a log filter: x
        413 body-too-large the body is larger than 9 bytes
        408 too-slow 
        426 websocket-only 
        503 busy 
        429 too-many-sessions as many sessions are open as one brokerage may have; close one, or try again in 5 s
        429 used-up this key has used up its responses or tokens; try again in 7 s
        500 internal 
        503 unavailable 
        500 internal 
        ");
    }

    #[tokio::test]
    async fn an_error_is_a_problem_document_with_the_headers_its_status_asks_for() {
        let response = ApiError::NoKey.into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem, ApiError::NoKey.problem());
        assert_eq!(ApiError::Busy.into_response().headers()[RETRY_AFTER], "1");
    }
}
