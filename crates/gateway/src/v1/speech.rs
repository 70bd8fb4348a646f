//! `POST /v1/speech`: words spoken for a caller who has no microphone, or whom no recogniser here would understand.
//!
//! The answer is raw PCM, 24 kHz, 16 bit little-endian, mono: what `input_audio_buffer.append` of the API door takes. In
//! the sandbox it carries its words the way all speech there does. For tenants' programs and for members who may call.
//! Errors: 400, 401, 403, 413, 503 nothing can speak right now, or as much is spoken as may be.

use super::problems::ChangeProblems;
use crate::{Gateway, access::Asker, problem::ApiError};
use async_trait::async_trait;
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use seiketsu_domain::Language;
use serde::Deserialize;
use std::fmt::Debug;
use utoipa::ToSchema;

/// The longest text, in characters.
const MAX_CHARACTERS: usize = 500;

/// Speaks for callers.
#[async_trait]
pub trait CallerVoice: Send + Sync + Debug {
    /// The words as PCM, 24 kHz, 16 bit little-endian, mono; an error says why not, for people.
    async fn speak(&self, text: &str, language: Language) -> Result<Bytes, String>;
}

/// Sound, as bytes.
#[expect(dead_code, reason = "never made: it describes")]
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Sound(Vec<u8>);

/// Words to be spoken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// At most 500 characters.
    #[schema(example = "i am looking for a three bedroom house to buy", min_length = 1, max_length = 500)]
    text: String,
    /// The language they are in; English if nothing is said.
    #[serde(default)]
    language: Language,
}

/// Words spoken for a caller: raw PCM, 24 kHz, 16 bit little-endian, mono.
#[utoipa::path(post, path = "/v1/speech", tag = "console", operation_id = "speak", request_body = Words,
    responses((status = 200, description = "The sound.", content_type = "audio/pcm", body = Sound), ChangeProblems))]
pub(super) async fn speak(
    State(gateway): State<Gateway>,
    asker: Asker,
    words: Result<Json<Words>, JsonRejection>,
) -> Result<Response, ApiError> {
    match asker {
        Asker::Program(_) => {}
        Asker::Member(member) if member.may_call() => {}
        Asker::Member(_) | Asker::Operator => return Err(ApiError::NotAllowed),
    }
    let Json(words) = words.map_err(|rejection| {
        ApiError::json(&rejection, "expected {\"text\": \"…\", \"language\": \"en\", \"es\" or \"zh\"}")
    })?;
    let text = words.text.trim();
    if text.is_empty() || text.chars().count() > MAX_CHARACTERS {
        return Err(ApiError::Body("`text` has to have 1 to 500 characters"));
    }
    let Some(voice) = gateway.caller_voice() else {
        return Err(ApiError::Speechless("this platform has no voice for callers".to_owned()));
    };
    let _place = gateway.speaking().try_acquire().map_err(|_| ApiError::Busy)?;
    let sound = voice.speak(text, words.language).await.map_err(ApiError::Speechless)?;
    Ok(([(CONTENT_TYPE, "audio/pcm;rate=24000"), (CACHE_CONTROL, "no-store")], sound).into_response())
}
