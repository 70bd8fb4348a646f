//! What a call was to leave behind, and whether it did.

use crate::cli::Expectation;
use seiketsu_carrier::{CallReport, report::AfterMurmur};
use seiketsu_domain::EndReason;
use seiketsu_gateway::v1::call::CallDetail;

pub(super) const fn name(expectation: Expectation) -> &'static str {
    match expectation {
        Expectation::Viewing => "viewing",
        Expectation::Lead => "lead",
        Expectation::Transfer => "transfer",
    }
}

/// Whether the platform's record of the call has it.
pub(super) fn is_there(expectation: Expectation, report: &CallReport, stored: Option<&CallDetail>) -> bool {
    stored.is_some_and(|call| match expectation {
        Expectation::Viewing => !call.viewings.is_empty(),
        Expectation::Lead => !call.leads.is_empty(),
        // Both sides have to say so: somebody was rung and connected, and the record says that a person took over.
        Expectation::Transfer => {
            report.dialled.iter().any(|dialled| dialled.bridged)
                && call.call.ended.as_ref().is_some_and(|end| end.reason == EndReason::Transferred)
        }
    })
}

/// What an agent made of a murmur.
pub(super) const fn in_words(agent: AfterMurmur) -> &'static str {
    match agent {
        AfterMurmur::WentOn => "went on",
        AfterMurmur::SpokeAgain => "stopped and spoke again",
        AfterMurmur::Finished => "was finishing",
        AfterMurmur::FellSilent => "fell silent",
    }
}
