//! People whom the platform has the exchange ring: what they do, and how their end of a `<Dial>` goes.
//!
//! Source: Twilio, "TwiML for Programmable Voice", `<Dial>` and `<Number url>`: the document of `url` is executed on the
//! dialled person's end before the two are connected; its end connects them, a hang-up does not.

use super::webhook::{CallStatus, Document, FetchError, Webhooks};
use crate::twiml::{DialVerb, FetchMethod, GatherVerb, Verb};
use seiketsu_domain::PhoneNumber;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};
use url::Url;

/// Documents that one dialled end may fetch.
const MAX_DOCUMENTS: u32 = 10;
/// How long a line that is busy or leads nowhere takes to say so.
const TONE: Duration = Duration::from_millis(500);

/// What somebody does whose telephone rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Human {
    /// Takes the call.
    Answers {
        /// After so much ringing.
        after_ms: u32,
        /// Presses a key so long after hearing who calls.
        key_after_ms: u32,
        /// Hangs up after talking for so long.
        talks_ms: u32,
    },
    /// Picks up, and hangs up while being told who calls.
    HangsUp {
        /// After so much ringing.
        after_ms: u32,
    },
    /// Picks up and presses nothing: a child, or an answering machine.
    Ignores {
        /// After so much ringing.
        after_ms: u32,
    },
    /// Never picks up.
    Silent,
    /// Is on the telephone.
    Busy,
    /// Cannot be rung at all.
    Unreachable,
}

impl Default for Human {
    fn default() -> Self {
        Self::Answers { after_ms: 1_500, key_after_ms: 2_000, talks_ms: 3_000 }
    }
}

/// How ringing somebody ended, in Twilio's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DialStatus {
    /// Somebody picked up; whether the two were connected is told apart.
    Completed,
    /// The line was busy.
    Busy,
    /// Nobody picked up in time.
    NoAnswer,
    /// The number could not be rung.
    Failed,
}

impl DialStatus {
    /// As Twilio writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
        }
    }
}

/// Somebody who was rung in the course of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialled {
    /// Their number.
    pub number: PhoneNumber,
    /// How it ended.
    pub status: DialStatus,
    /// Whether caller and human were connected.
    pub bridged: bool,
    /// What they were told before that.
    pub whispered: Vec<String>,
}

/// What came of ringing somebody, up to the connection.
#[derive(Debug)]
pub(super) struct Rung {
    pub(super) dialled: Dialled,
    /// The dialled person's own call.
    pub(super) call_sid: String,
    /// How long they will talk, once connected.
    pub(super) talks: Duration,
    /// What went wrong with the documents of their end.
    pub(super) error: Option<FetchError>,
}

/// Why a dialled person is not connected.
enum Refusal {
    HungUp,
    Fetch(FetchError),
}

/// Rings somebody. `webhooks` speaks for their end of the call; relative addresses start at `document_url`.
pub(super) async fn ring(
    webhooks: Webhooks,
    call_sid: String,
    dial: DialVerb,
    document_url: Url,
    human: Human,
) -> Rung {
    let mut rung = Rung {
        dialled: Dialled {
            number: dial.number.clone(),
            status: DialStatus::Completed,
            bridged: false,
            whispered: Vec::new(),
        },
        call_sid,
        talks: Duration::ZERO,
        error: None,
    };
    let timeout = Duration::from_secs(dial.timeout_s.into());
    let (after_ms, status) = match human {
        Human::Answers { after_ms, .. } | Human::HangsUp { after_ms } | Human::Ignores { after_ms } => {
            (Some(after_ms), DialStatus::Completed)
        }
        Human::Silent => (None, DialStatus::NoAnswer),
        Human::Busy => (Some(TONE.as_millis() as u32), DialStatus::Busy),
        Human::Unreachable => (Some(TONE.as_millis() as u32), DialStatus::Failed),
    };
    let rings = after_ms.map_or(timeout, |millis| Duration::from_millis(millis.into()));
    tokio::time::sleep(rings.min(timeout)).await;
    rung.dialled.status = if rings >= timeout { DialStatus::NoAnswer } else { status };
    if rung.dialled.status != DialStatus::Completed {
        return rung;
    }
    let end = End { webhooks, human, whispered: &mut rung.dialled.whispered };
    match end.execute(dial.whisper.as_deref(), &document_url).await {
        Ok(()) => rung.dialled.bridged = true,
        Err(Refusal::HungUp) => {}
        Err(Refusal::Fetch(error)) => rung.error = Some(error),
    }
    if let Human::Answers { talks_ms, .. } = human {
        rung.talks = Duration::from_millis(talks_ms.into());
    }
    rung
}

/// The dialled person's end while its document is executed.
struct End<'a> {
    webhooks: Webhooks,
    human: Human,
    whispered: &'a mut Vec<String>,
}

impl End<'_> {
    async fn execute(mut self, whisper: Option<&str>, base: &Url) -> Result<(), Refusal> {
        let Some(whisper) = whisper else { return Ok(()) };
        let mut documents = 1;
        let mut url = base.clone();
        let mut verbs = self.fetch(&mut url, whisper, FetchMethod::Post, &[]).await?;
        while let Some(verb) = verbs.pop_front() {
            if documents > MAX_DOCUMENTS {
                return Err(Refusal::HungUp);
            }
            match verb {
                Verb::Say(text) => self.whispered.push(text),
                Verb::Pause { seconds } => tokio::time::sleep(Duration::from_secs(seconds.into())).await,
                Verb::Redirect { url: target, method } => {
                    documents += 1;
                    verbs = self.fetch(&mut url, &target, method, &[]).await?;
                }
                Verb::Gather(gather) => {
                    if let Some(digits) = self.presses(&gather).await? {
                        documents += 1;
                        let action = gather.action.unwrap_or_default();
                        verbs =
                            self.fetch(&mut url, &action, FetchMethod::Post, &[("Digits", digits)]).await?;
                    }
                }
                // What Twilio does not allow here ends the dialled end as a hang-up does.
                Verb::Hangup | Verb::Reject | Verb::Connect(_) | Verb::Dial(_) => {
                    return Err(Refusal::HungUp);
                }
            }
        }
        Ok(())
    }

    /// The keys that are pressed in time, if any.
    async fn presses(&mut self, gather: &GatherVerb) -> Result<Option<&'static str>, Refusal> {
        self.whispered.extend(gather.texts.iter().cloned());
        let patience = Duration::from_secs(gather.timeout_s.into());
        match self.human {
            Human::Answers { key_after_ms, .. } => {
                let thinks = Duration::from_millis(key_after_ms.into());
                tokio::time::sleep(thinks.min(patience)).await;
                // `#`, wherever it counts as a key: people press it.
                let key = if gather.finish_on_key == Some('#') { "1" } else { "#" };
                Ok((thinks < patience).then_some(key))
            }
            Human::HangsUp { .. } => {
                tokio::time::sleep(TONE.min(patience)).await;
                Err(Refusal::HungUp)
            }
            Human::Ignores { .. } | Human::Silent | Human::Busy | Human::Unreachable => {
                tokio::time::sleep(patience).await;
                Ok(None)
            }
        }
    }

    /// The verbs of a document; `url` becomes its address.
    async fn fetch(
        &self,
        url: &mut Url,
        target: &str,
        method: FetchMethod,
        extra: &[(&str, &str)],
    ) -> Result<VecDeque<Verb>, Refusal> {
        let target =
            url.join(target).map_err(|error| Refusal::Fetch(FetchError::Connection(error.to_string())))?;
        let fetch = self.webhooks.clone().with(extra).fetch(target, method, CallStatus::InProgress);
        let Document { url: found, verbs } = fetch.await.map_err(Refusal::Fetch)?;
        *url = found;
        Ok(verbs.into())
    }
}
