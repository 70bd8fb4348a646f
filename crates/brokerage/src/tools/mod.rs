//! What an agent can do, one file per tool.
//!
//! Each file holds a tool's description for the model, the reading of its arguments, what it does, and its tests. The
//! tenant, the call, the caller's number and the time zone come from the [`Bench`], which the session's desk made; no
//! tool reads any of them from the model's arguments.
//!
//! To add one more: a file with `spec` and `run`, a variant of [`Tool`], and the compiler names the rest.

mod book_viewing;
mod cancel_viewing;
mod check_availability;
mod end_call;
mod get_listing;
mod own_viewing;
mod request_callback;
mod reschedule_viewing;
mod save_lead;
pub(crate) mod search_listings;
mod send_summary;
mod take_message;
mod transfer_to_human;

use crate::{
    arguments::{Fields, Refusal, required},
    hours::ViewingHours,
    notebook::Notebook,
};
use async_trait::async_trait;
use seiketsu_domain::{
    CallId, Clock, IdSource, Language, ListingId, PhoneNumber, Pii, TenantScope, ToolOutcome, ToolSpec,
};
use seiketsu_session::ToolHost;
use seiketsu_storage::{Db, DbError};
use serde_json::Value;
use std::sync::Arc;

/// A collision between transactions is tried again so many times; the tools can all be repeated.
const ATTEMPTS: u32 = 4;

/// The tools there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// Finds listings by place, price, size and kind.
    SearchListings,
    /// Tells everything about one listing.
    GetListing,
    /// Tells when a listing can be viewed on a day.
    CheckAvailability,
    /// Books a viewing.
    BookViewing,
    /// Moves a viewing of the caller to another time.
    RescheduleViewing,
    /// Cancels a viewing of the caller.
    CancelViewing,
    /// Keeps what is known about the caller.
    SaveLead,
    /// Keeps a message for somebody.
    TakeMessage,
    /// Promises a call back.
    RequestCallback,
    /// Mails the caller what was found and booked.
    SendSummary,
    /// Puts the caller through to a person.
    TransferToHuman,
    /// Ends the call once the goodbye has been heard.
    EndCall,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::SearchListings,
        Self::GetListing,
        Self::CheckAvailability,
        Self::BookViewing,
        Self::RescheduleViewing,
        Self::CancelViewing,
        Self::SaveLead,
        Self::TakeMessage,
        Self::RequestCallback,
        Self::SendSummary,
        Self::TransferToHuman,
        Self::EndCall,
    ];

    /// The name by which models ask for it and agents are given it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SearchListings => "search_listings",
            Self::GetListing => "get_listing",
            Self::CheckAvailability => "check_availability",
            Self::BookViewing => "book_viewing",
            Self::RescheduleViewing => "reschedule_viewing",
            Self::CancelViewing => "cancel_viewing",
            Self::SaveLead => "save_lead",
            Self::TakeMessage => "take_message",
            Self::RequestCallback => "request_callback",
            Self::SendSummary => "send_summary",
            Self::TransferToHuman => "transfer_to_human",
            Self::EndCall => "end_call",
        }
    }

    /// The tool of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// As the model is told of it.
    pub fn spec(self) -> ToolSpec {
        let (description, properties, required) = match self {
            Self::SearchListings => search_listings::spec(),
            Self::GetListing => get_listing::spec(),
            Self::CheckAvailability => check_availability::spec(),
            Self::BookViewing => book_viewing::spec(),
            Self::RescheduleViewing => reschedule_viewing::spec(),
            Self::CancelViewing => cancel_viewing::spec(),
            Self::SaveLead => save_lead::spec(),
            Self::TakeMessage => take_message::spec(),
            Self::RequestCallback => request_callback::spec(),
            Self::SendSummary => send_summary::spec(),
            Self::TransferToHuman => transfer_to_human::spec(),
            Self::EndCall => end_call::spec(),
        };
        ToolSpec {
            name: self.name().to_owned(),
            description: description.to_owned(),
            parameters: serde_json::json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            }),
        }
    }

    async fn run(self, bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
        match self {
            Self::SearchListings => search_listings::run(bench, fields).await,
            Self::GetListing => get_listing::run(bench, fields).await,
            Self::CheckAvailability => check_availability::run(bench, fields).await,
            Self::BookViewing => book_viewing::run(bench, fields).await,
            Self::RescheduleViewing => reschedule_viewing::run(bench, fields).await,
            Self::CancelViewing => cancel_viewing::run(bench, fields).await,
            Self::SaveLead => save_lead::run(bench, fields).await,
            Self::TakeMessage => take_message::run(bench, fields).await,
            Self::RequestCallback => request_callback::run(bench, fields).await,
            Self::SendSummary => send_summary::run(bench, fields).await,
            Self::TransferToHuman => transfer_to_human::run(bench, fields).await,
            Self::EndCall => Ok(end_call::run(fields)),
        }
    }
}

/// Description, properties and required properties of a tool.
type Spec = (&'static str, Value, &'static [&'static str]);

/// Why a tool run brought nothing.
#[derive(Debug)]
enum Trouble {
    /// The model has to ask differently.
    Refused(Refusal),
    /// Storage could not do its part.
    Database(DbError),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DbError> for Trouble {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

/// Runs tools for one agent on one call.
#[derive(Debug)]
pub(crate) struct Bench {
    /// The database.
    pub(crate) db: Db,
    /// Whose data.
    pub(crate) scope: TenantScope,
    /// On which call.
    pub(crate) call_id: CallId,
    /// Who calls, where known.
    pub(crate) caller: Option<Pii<PhoneNumber>>,
    /// What the agent calls itself.
    pub(crate) agent_name: String,
    /// The brokerage as callers know it.
    pub(crate) brokerage_name: String,
    /// The language of the conversation.
    pub(crate) language: Language,
    /// What the call has come to so far.
    pub(crate) notebook: Notebook,
    /// When listings can be viewed.
    pub(crate) hours: ViewingHours,
    /// Makes ids.
    pub(crate) ids: IdSource,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// What this agent may use.
    pub(crate) allowed: Vec<Tool>,
}

#[async_trait]
impl ToolHost for Bench {
    fn specs(&self) -> Vec<ToolSpec> {
        self.allowed.iter().map(|tool| tool.spec()).collect()
    }

    fn transfer_target(&self) -> Option<PhoneNumber> {
        self.notebook.transfer()
    }

    async fn run(&self, name: &str, arguments: &str) -> ToolOutcome {
        // A tool that exists and is not this agent's gets the answer of one that does not exist.
        let Some(tool) = Tool::by_name(name).filter(|tool| self.allowed.contains(tool)) else {
            let known: Vec<_> = self.allowed.iter().map(|tool| tool.name()).collect();
            let hint = format!("use one of {}", known.join(", "));
            return Refusal::new("there is no such tool", hint).into_outcome();
        };
        let fields = match Fields::parse(arguments) {
            Ok(fields) => fields,
            Err(refusal) => return refusal.into_outcome(),
        };
        let mut attempt = 1;
        loop {
            match tool.run(self, &fields).await {
                Ok(value) => return ToolOutcome::Done(value),
                Err(Trouble::Refused(refusal)) => return refusal.into_outcome(),
                Err(Trouble::Database(DbError::Contended(_))) if attempt < ATTEMPTS => attempt += 1,
                Err(Trouble::Database(error)) => {
                    if error.is_away() {
                        tracing::warn!(call = %self.call_id, tool = tool.name(), %error, "a tool could not be run");
                    } else {
                        tracing::error!(call = %self.call_id, tool = tool.name(), %error, "a tool failed");
                    }
                    return ToolOutcome::Failed(error.to_string());
                }
            }
        }
    }
}

/// The listing a request names.
fn listing_of(fields: &Fields) -> Result<ListingId, Refusal> {
    let read = match fields.id::<ListingId>("listing") {
        // Not an id at all: the answer is that of an id which leads nowhere, or belongs to somebody else.
        Err(_) => return Err(unknown_listing()),
        read => read,
    };
    required("listing", read, "send the listing's id as search_listings returned it")
}

/// One answer for a listing that does not exist, one of another brokerage, and text that is no id.
fn unknown_listing() -> Refusal {
    Refusal::new("there is no such listing", "use a listing's id exactly as search_listings returned it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_schema_that_names_its_required_properties() {
        for tool in Tool::ALL {
            let spec = tool.spec();
            assert_eq!(Tool::by_name(&spec.name), Some(tool));
            assert!(spec.description.len() > 30, "{}", spec.name);
            assert_eq!(spec.parameters["additionalProperties"], false, "{}", spec.name);
            let properties = spec.parameters["properties"].as_object().unwrap();
            for required in spec.parameters["required"].as_array().unwrap() {
                assert!(properties.contains_key(required.as_str().unwrap()), "{} {required}", spec.name);
            }
            for (name, property) in properties {
                assert!(property["type"].is_string(), "{}.{name}", spec.name);
                assert!(property["description"].is_string(), "{}.{name}", spec.name);
            }
        }
    }

    #[test]
    fn no_schema_asks_the_model_for_a_tenant_a_call_or_the_callers_number() {
        for tool in Tool::ALL {
            let parameters = tool.spec().parameters.to_string();
            for banned in ["tenant", "call_id", "brokerage_id"] {
                assert!(!parameters.contains(banned), "{} {banned}", tool.name());
            }
        }
    }
}
