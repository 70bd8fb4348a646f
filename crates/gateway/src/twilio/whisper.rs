//! `POST /twilio/whisper?call=CA…` and `POST /twilio/accept?call=CA…`: the end of the person to whom a caller is put
//! through.
//!
//! The person has picked up and hears, before the caller hears them, who calls and what about; a key connects the two.
//! Nobody is put through to an answering machine, a child or a pocket: without a key the call is hung up there, and the
//! caller comes back to the agent. Both requests come with the CallSid of the person's own call, so the caller's is in
//! the URL, which only Twilio and we have seen and the signature covers.
//!
//! Errors as `/twilio/voice`, and 400 for a query that is not ours.

use super::{
    ACCEPT,
    bound::{Bound, live_call},
    signed::{SignedForm, is_plausible_sid},
    twiml::Twiml,
};
use crate::{Gateway, problem::ApiError};
use axum::extract::{Query, State, rejection::QueryRejection};
use seiketsu_domain::Language;
use seiketsu_storage::{
    DbError, agents,
    transfers::{self, Transfer, TransferState},
};
use serde::Deserialize;

/// The longest summary that is read out, in characters: about a minute.
const MAX_SUMMARY_CHARS: usize = 800;

#[derive(Debug, Deserialize)]
pub(super) struct CallQuery {
    /// The caller's call.
    call: String,
}

impl CallQuery {
    fn call_sid(&self) -> Result<&str, ApiError> {
        if is_plausible_sid(&self.call) {
            Ok(&self.call)
        } else {
            Err(ApiError::Body("call is not a CallSid"))
        }
    }
}

/// What the person hears on picking up.
pub(super) async fn whisper(
    State(gateway): State<Gateway>,
    query: Result<Query<CallQuery>, QueryRejection>,
    _form: SignedForm,
) -> Result<Twiml, ApiError> {
    let Query(query) = query?;
    let call_sid = query.call_sid()?;
    match summary(&gateway, call_sid).await {
        Ok(Some((transfer, language))) => Ok(Twiml::Whisper {
            text: in_words(&transfer, language),
            language,
            accept: gateway.config().public_url.at(&format!("{ACCEPT}?call={call_sid}")),
        }),
        Ok(None) => Ok(Twiml::Hangup),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a person was rung in vain: the database failed"
            );
            Ok(Twiml::Hangup)
        }
    }
}

/// The person has pressed a key: an empty document connects the two.
///
/// If the database is away they are connected all the same, for both are waiting. The transfer then stays unanswered on
/// record, and a caller who stays on the line after their talk hears the agent again.
pub(super) async fn accept(
    State(gateway): State<Gateway>,
    query: Result<Query<CallQuery>, QueryRejection>,
    _form: SignedForm,
) -> Result<Twiml, ApiError> {
    let Query(query) = query?;
    match accepted(&gateway, query.call_sid()?).await {
        Ok(true) => Ok(Twiml::Nothing),
        Ok(false) => Ok(Twiml::Hangup),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a transfer was taken, but is not on record"
            );
            Ok(Twiml::Nothing)
        }
    }
}

async fn summary(gateway: &Gateway, call_sid: &str) -> Result<Option<(Transfer, Language)>, DbError> {
    let Some(Bound { call, mut tenant, .. }) = live_call(gateway, call_sid).await? else { return Ok(None) };
    let transfer = transfers::latest(&mut tenant, call.id).await?;
    let agent = agents::get(&mut tenant, call.agent_id).await?;
    tenant.commit().await?;
    let dialling = transfer.filter(|transfer| transfer.state == TransferState::Dialling);
    Ok(dialling.map(|transfer| (transfer, agent.map_or_else(Language::default, |agent| agent.language))))
}

async fn accepted(gateway: &Gateway, call_sid: &str) -> Result<bool, DbError> {
    let Some(Bound { call, mut tenant, .. }) = live_call(gateway, call_sid).await? else { return Ok(false) };
    let transfer = transfers::answered(&mut tenant, call.id, gateway.ids().clock().now()).await?;
    tenant.commit().await?;
    tracing::info!(call = %call.id, in_time = transfer.is_some(), "a person takes a caller who is put through");
    Ok(transfer.is_some())
}

/// Who is wanted, what about, and what to do.
fn in_words(transfer: &Transfer, language: Language) -> String {
    let summary = transfer.summary.expose().trim();
    let summary = match summary.char_indices().nth(MAX_SUMMARY_CHARS) {
        Some((end, _)) => format!("{}…", &summary[..end]),
        None => summary.to_owned(),
    };
    let name = &transfer.to_name;
    match language {
        Language::En => format!("A caller for {name}. {summary} Press any key to take the call."),
        Language::Es => {
            format!("Una llamada para {name}. {summary} Pulse cualquier tecla para atender la llamada.")
        }
        Language::Zh => format!("有来电找{name}。{summary} 请按任意键接听。"),
    }
}
