//! `GET /v1/calls/{id}`: one call with everything that was said and done in it, and where each millisecond went.
//! Errors: 401, 404, 503. That an operator looked is in the audit log.

use super::{
    calls::{CallView, view},
    problems::OneProblems,
    transfers::TransferView,
};
use crate::{Gateway, access::Reader, problem::ApiError};
use axum::{
    Json,
    extract::{Path, State},
};
use seiketsu_domain::{
    CallId, CallTime, LeadId, Pii, ToolOutcome, Usage, ViewingId,
    tool::ToolRun,
    transcript::Message,
    turn::{Stage, TurnOutcome, TurnRecord},
};
use seiketsu_storage::{
    callbacks, calls,
    ids::{CallbackId, MailId, VoiceMessageId},
    leads, outbox, transfers, turns, usage, viewings, voice_messages,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Viewings and leads of one call that are named; a call has one or two.
const MAX_RELATED: u32 = 100;

/// A call in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallDetail {
    /// The record.
    #[serde(flatten)]
    pub call: CallView,
    /// How long it lasted, in milliseconds; absent while it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What it consumed: of the committed turns while it is live, final afterwards.
    pub usage: Usage,
    /// Its turns in order; 0 is the greeting.
    pub turns: Vec<TurnView>,
    /// Viewings that were booked in it.
    pub viewings: Vec<ViewingId>,
    /// Leads that last appeared in it.
    pub leads: Vec<LeadId>,
    /// Attempts to put the caller through to a person, latest first.
    #[serde(default)]
    pub transfers: Vec<TransferView>,
    /// Messages that were left in it.
    #[serde(default)]
    pub voice_messages: Vec<VoiceMessageId>,
    /// Promises to call back that were made in it.
    #[serde(default)]
    pub callbacks: Vec<CallbackId>,
    /// Mail about it.
    #[serde(default)]
    pub mails: Vec<MailId>,
}

/// A turn. Times ending in `_us` are microseconds since the call began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnView {
    /// Counted within the call.
    pub number: u32,
    /// What the caller said; empty for the greeting.
    pub caller_text: Pii<String>,
    /// What the agent meant to say.
    pub generated_text: Pii<String>,
    /// What the caller heard of it.
    pub heard_text: Pii<String>,
    /// The acknowledgement that bridged the wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<String>,
    /// How it ended.
    pub outcome: TurnOutcome,
    /// When the caller began to speak.
    pub started_at_us: u64,
    /// When it was over.
    pub finished_at_us: u64,
    /// When each stage was reached.
    pub stages_us: BTreeMap<Stage, u64>,
    /// When the acknowledgement was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement_sent_us: Option<u64>,
    /// When it was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement_played_us: Option<u64>,
    /// When the model's own sentence before a tool was sent, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcement_sent_us: Option<u64>,
    /// When it was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcement_played_us: Option<u64>,
    /// From the end of speech to the first audio of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_audible_ms: Option<u64>,
    /// From the end of speech to the first audio that is neither an acknowledgement nor an announcement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_substantive_ms: Option<u64>,
    /// Tools that ran.
    pub tools: Vec<ToolRunView>,
    /// What the turn added to the conversation.
    pub messages: Vec<Message>,
    /// What it consumed.
    pub usage: Usage,
}

/// One execution of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolRunView {
    /// Counted within the call.
    pub number: u32,
    /// Name of the tool.
    pub name: String,
    /// Arguments as the model wrote them; perhaps not JSON.
    pub arguments: String,
    /// When it was asked for.
    pub asked_at_us: u64,
    /// When it ended; absent if the call ended first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at_us: Option<u64>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ToolOutcome>,
}

/// One call: what was said and done in it, and where each millisecond went.
#[utoipa::path(get, path = "/v1/calls/{id}", tag = "records", operation_id = "getCall",
    params(("id" = CallId, Path, description = "Which call.")),
    responses((status = 200, description = "The call.", body = CallDetail), OneProblems))]
pub(super) async fn show(
    State(gateway): State<Gateway>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<CallDetail>, ApiError> {
    // What cannot be an id is no call: the same answer.
    let id: CallId = id.parse().map_err(|_| ApiError::NotFound)?;
    let scope = reader.scope_of_call(&gateway, id).await?;
    let mut tenant = gateway.db().tenant(&scope).await?;
    let call = calls::get(&mut tenant, id).await?.ok_or(ApiError::NotFound)?;
    let record = usage::of_call(&mut tenant, id).await?;
    let usage = match &record {
        Some(record) => record.usage,
        None => turns::committed(&mut tenant, id).await?.usage,
    };
    let detail = CallDetail {
        call: view(scope.tenant_id(), call),
        duration_ms: record.map(|record| record.duration.as_millis() as u64),
        usage,
        turns: turns::turns(&mut tenant, id).await?.into_iter().map(turn_view).collect(),
        viewings: viewings::list(&mut tenant, Some(id), None, MAX_RELATED)
            .await?
            .into_iter()
            .map(|viewing| viewing.id)
            .collect(),
        leads: leads::list(&mut tenant, Some(id), None, MAX_RELATED)
            .await?
            .into_iter()
            .map(|lead| lead.id)
            .collect(),
        transfers: transfers::list(&mut tenant, Some(id), None, MAX_RELATED)
            .await?
            .into_iter()
            .map(super::transfers::view)
            .collect(),
        voice_messages: voice_messages::list(&mut tenant, Some(id), None, MAX_RELATED)
            .await?
            .into_iter()
            .map(|message| message.id)
            .collect(),
        callbacks: callbacks::list(&mut tenant, Some(id), None, MAX_RELATED)
            .await?
            .into_iter()
            .map(|callback| callback.id)
            .collect(),
        mails: outbox::list(&mut tenant, Some(id), None, None, MAX_RELATED)
            .await?
            .into_iter()
            .map(|mail| mail.id)
            .collect(),
    };
    tenant.commit().await?;
    Ok(Json(detail))
}

fn turn_view(turn: TurnRecord) -> TurnView {
    let micros = |at: Option<CallTime>| at.map(CallTime::as_micros);
    TurnView {
        number: turn.number,
        caller_text: turn.caller_text,
        generated_text: turn.generated_text,
        heard_text: turn.heard_text,
        acknowledgement: turn.acknowledgement,
        outcome: turn.outcome,
        started_at_us: turn.started_at.as_micros(),
        finished_at_us: turn.finished_at.as_micros(),
        first_audible_ms: turn.timeline.first_audible_ms(),
        first_substantive_ms: turn.timeline.first_substantive_ms(),
        acknowledgement_sent_us: micros(turn.timeline.acknowledgement_sent),
        acknowledgement_played_us: micros(turn.timeline.acknowledgement_played),
        announcement_sent_us: micros(turn.timeline.announcement_sent),
        announcement_played_us: micros(turn.timeline.announcement_played),
        stages_us: turn.timeline.stages.into_iter().map(|(stage, at)| (stage, at.as_micros())).collect(),
        tools: turn.tools.into_iter().map(tool_view).collect(),
        messages: turn.messages,
        usage: turn.usage,
    }
}

fn tool_view(run: ToolRun) -> ToolRunView {
    ToolRunView {
        number: run.number,
        name: run.name,
        arguments: run.arguments,
        asked_at_us: run.asked_at.as_micros(),
        finished_at_us: run.finished_at.map(CallTime::as_micros),
        outcome: run.outcome,
    }
}
