//! `GET /v1/recordings?tenant=…[&cursor=…][&limit=…]`: a brokerage's recorded calls, newest first, each with its parts.
//! `tenant` is a slug or an id. Errors: 400, 401, 404 no such tenant, 503.
//!
//! `GET /v1/calls/{id}/recordings/{part}`: the sound of one part as a stereo WAV file, the caller on the left and what
//! they heard on the right. Decrypted as it is sent, a few seconds at a time; a recording that turns out to be damaged in
//! the middle breaks the connection before its announced length. There are no ranges: it comes whole. Errors: 401, 404 no
//! such part or deleted, 500 damaged, 503 out of reach. That an operator listened is in the audit log.
//!
//! The sound comes from the gateway's [`RecordingArchive`](seiketsu_session::RecordingArchive); without one there are
//! no recordings to listen to.

use super::{Page, cursor};
use crate::{Gateway, operator::Operator, problem::ApiError};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use jiff::Timestamp;
use seiketsu_domain::{AudioFormat, CallId};
use seiketsu_session::{ArchiveFailure, OpenRecording};
use seiketsu_storage::{
    Reason,
    platform::call_owner,
    recordings::{self, DeletionReason, RecordingRow, RecordingState},
};
use serde::{Deserialize, Serialize};

/// A call that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedCall {
    /// Which call.
    pub call_id: CallId,
    /// Its parts in order: one, and one more each time it was cut and came back.
    pub parts: Vec<RecordingView>,
}

/// A part of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingView {
    /// Which part.
    pub part: u32,
    /// How far it is.
    pub state: RecordingState,
    /// The form of each of its two channels.
    pub format: AudioFormat,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it is; absent while it is being recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What it takes up where it is kept; absent while it is being recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_bytes: Option<u64>,
    /// When it is to be deleted.
    pub retention_until: Timestamp,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Why it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_reason: Option<DeletionReason>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordingsQuery {
    tenant: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) fn routes() -> Router<Gateway> {
    Router::new().route("/v1/recordings", get(list)).route("/v1/calls/{id}/recordings/{part}", get(sound))
}

async fn list(
    State(gateway): State<Gateway>,
    _operator: Operator,
    query: Result<Query<RecordingsQuery>, QueryRejection>,
) -> Result<Json<Page<RecordedCall>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = super::tenant(&gateway, &query.tenant).await?.scope;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let mut items = Vec::new();
    for call_id in recordings::calls(&mut tenant, before, limit + 1).await? {
        let parts = recordings::of_call(&mut tenant, call_id).await?;
        items.push(RecordedCall { call_id, parts: parts.iter().map(view).collect() });
    }
    tenant.commit().await?;
    Ok(Json(Page::cut(items, limit, |call: &RecordedCall| call.call_id)))
}

async fn sound(
    State(gateway): State<Gateway>,
    _operator: Operator,
    Path((id, part)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    // What cannot be an id or a part is none: the same answer.
    let call: CallId = id.parse().map_err(|_| ApiError::NotFound)?;
    let part: u32 = part.parse().map_err(|_| ApiError::NotFound)?;
    let Some(archive) = gateway.archive() else { return Err(ApiError::NotFound) };
    let mut system = gateway.db().system(Reason::OperatorRead).await?;
    let scope = call_owner(&mut system, call).await?.ok_or(ApiError::NotFound)?;
    system.commit().await?;
    let opened = archive.open(scope, call, part).await?.ok_or(ApiError::NotFound)?;
    let OpenRecording { media_type, length_bytes, complete: _, reader } = opened;
    let bytes = futures_util::stream::try_unfold(reader, move |mut reader| async move {
        let next = reader.next().await.inspect_err(|failure| {
            tracing::warn!(%call, part, %failure, "a recording broke off while it was listened to");
        })?;
        Ok::<_, ArchiveFailure>(next.map(|bytes| (bytes, reader)))
    });
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_LENGTH, length_bytes.to_string()),
        (ACCEPT_RANGES, "none".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{call}-{part}.wav\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(bytes)).into_response())
}

fn view(row: &RecordingRow) -> RecordingView {
    RecordingView {
        part: row.part,
        state: row.state,
        format: row.format,
        started_at: row.started_at,
        duration_ms: row.extent.map(|extent| extent.duration_ms),
        stored_bytes: row.extent.map(|extent| extent.bytes),
        retention_until: row.retention_until,
        deleted_at: row.deleted.map(|(at, _)| at),
        deletion_reason: row.deleted.map(|(_, reason)| reason),
    }
}
