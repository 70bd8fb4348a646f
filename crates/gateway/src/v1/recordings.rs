//! `GET /v1/recordings`: a brokerage's recorded calls, newest first, each with its parts.
//! Errors: 400, 401, 404 no such tenant, 503.
//!
//! `GET /v1/calls/{id}/recordings/{part}`: the sound of one part as a stereo WAV file, the caller on the left and what
//! they heard on the right. Decrypted as it is sent, a few seconds at a time; a recording that turns out to be damaged in
//! the middle breaks the connection before its announced length. There are no ranges: it comes whole. Errors: 401, 404 no
//! such part or deleted, 500 damaged, 503 out of reach. That an operator listened is in the audit log.
//!
//! The sound comes from the gateway's [`RecordingArchive`](seiketsu_session::RecordingArchive); without one there are
//! no recordings to listen to.

use super::{
    Page, cursor,
    problems::{ListProblems, OneProblems},
    speech::Sound,
};
use crate::{Gateway, access::Reader, problem::ApiError};
use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use jiff::Timestamp;
use seiketsu_domain::{AudioFormat, CallId};
use seiketsu_session::{ArchiveFailure, OpenRecording};
use seiketsu_storage::recordings::{self, DeletionReason, RecordingRow, RecordingState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A call that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedCall {
    /// Which call.
    pub call_id: CallId,
    /// Its parts in order: one, and one more each time it was cut and came back.
    pub parts: Vec<RecordingView>,
}

/// A part of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingView {
    /// Which part.
    pub part: u32,
    /// How far it is.
    pub state: RecordingState,
    /// The form of each of its two channels.
    pub format: AudioFormat,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// How long it is; absent while it is being recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What it takes up where it is kept; absent while it is being recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_bytes: Option<u64>,
    /// When it is to be deleted.
    #[schema(value_type = String, format = DateTime)]
    pub retention_until: Timestamp,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Timestamp>,
    /// Why it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_reason: Option<DeletionReason>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordingsQuery {
    /// Whose, by slug or id. Operators have to say; everybody else sees their own.
    #[param(example = "lone-star-homes")]
    tenant: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on the page; 50 if nothing is said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Recorded calls, newest first, each with its parts.
#[utoipa::path(get, path = "/v1/recordings", tag = "records", operation_id = "listRecordings", params(RecordingsQuery),
    responses((status = 200, description = "A page.", body = Page<RecordedCall>), ListProblems))]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    reader: Reader,
    query: Result<Query<RecordingsQuery>, QueryRejection>,
) -> Result<Json<Page<RecordedCall>>, ApiError> {
    let Query(query) = query?;
    let limit = cursor::limit(query.limit)?;
    let before = cursor::decode(query.cursor.as_deref())?;
    let scope = reader.scope(&gateway, query.tenant.as_deref()).await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let mut items = Vec::new();
    for call_id in recordings::calls(&mut tenant, before, limit + 1).await? {
        let parts = recordings::of_call(&mut tenant, call_id).await?;
        items.push(RecordedCall { call_id, parts: parts.iter().map(view).collect() });
    }
    tenant.commit().await?;
    Ok(Json(Page::cut(items, limit, |call: &RecordedCall| call.call_id)))
}

/// The sound of one part: a stereo WAV file, the caller on the left and what they heard on the right.
#[utoipa::path(get, path = "/v1/calls/{id}/recordings/{part}", tag = "records", operation_id = "getRecording",
    params(("id" = CallId, Path, description = "Which call."), ("part" = u32, Path, description = "Which part.")),
    responses((status = 200, description = "The sound.", content_type = "audio/wav", body = Sound), OneProblems))]
pub(super) async fn sound(
    State(gateway): State<Gateway>,
    reader: Reader,
    Path((id, part)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    // What cannot be an id or a part is none: the same answer.
    let call: CallId = id.parse().map_err(|_| ApiError::NotFound)?;
    let part: u32 = part.parse().map_err(|_| ApiError::NotFound)?;
    let Some(archive) = gateway.archive() else { return Err(ApiError::NotFound) };
    let scope = reader.scope_of_call(&gateway, call).await?;
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
