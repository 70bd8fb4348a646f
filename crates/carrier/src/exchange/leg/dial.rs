//! `<Dial>` in the course of a call: ringing somebody, connecting the two, asking what comes next.

use super::{Connection, Leg, Next, Phase};
use crate::{
    exchange::{
        human::{self, DialStatus, Rung},
        sid,
        webhook::CallStatus,
    },
    handset::Handset,
    twiml::{DialVerb, FetchMethod},
};
use std::time::Duration;

impl<H: Handset> Leg<'_, H> {
    /// Somebody was rung: they are connected, or the call goes on without them.
    pub(super) fn rung(&mut self, rung: Rung, action: Option<String>) -> Next {
        if let Some(error) = &rung.error {
            self.errors.record(error.code(), error);
        }
        let (status, bridged) = (rung.dialled.status, rung.dialled.bridged);
        self.dialled.push(rung.dialled);
        if bridged {
            let since = self.now();
            let until = since + rung.talks;
            Next::Phase(Phase::Connected(Connection { action, call_sid: rung.call_sid, since, until }))
        } else {
            self.dial_ended(action, &rung.call_sid, (status, false, Duration::ZERO))
        }
    }

    /// A `<Dial>` is over: its action is asked what comes next, or else the next verb is executed.
    pub(super) fn dial_ended(
        &mut self,
        action: Option<String>,
        dialled_sid: &str,
        (status, bridged, talked): (DialStatus, bool, Duration),
    ) -> Next {
        let Some(action) = action else { return self.next_verb() };
        let url = match self.document_url.join(&action) {
            Ok(url) => url,
            Err(error) => return self.invalid_url(&action, error),
        };
        let seconds = talked.as_secs_f64().ceil().to_string();
        let mut outcome = vec![
            ("DialCallStatus", status.name()),
            ("DialCallSid", dialled_sid),
            ("DialBridged", if bridged { "true" } else { "false" }),
        ];
        if bridged {
            outcome.push(("DialCallDuration", &*seconds));
        }
        let webhooks = self.webhooks.clone().with(&outcome);
        self.documents += 1;
        Next::Phase(Phase::Fetching(Box::pin(webhooks.fetch(url, FetchMethod::Post, CallStatus::InProgress))))
    }

    /// Rings somebody.
    pub(super) fn dial(&mut self, dial: DialVerb) -> Phase {
        let call_sid = sid("CA", &self.inner.ids);
        let from = dial.caller_id.as_ref().unwrap_or(&self.call.from);
        let webhooks = self.webhooks.of_dialled(&call_sid, from.as_str(), dial.number.as_str());
        let action = dial.action.clone();
        let rung = human::ring(webhooks, call_sid, dial, self.document_url.clone(), self.call.human);
        Phase::Ringing { action, since: self.now(), rung: Box::pin(rung) }
    }
}
