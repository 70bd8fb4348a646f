//! One cheap real request per vendor: is the key right, is the vendor there, how long does it take?
//!
//! Each probe goes through the same client as a call, so what works here works there. It costs a fraction of a cent.

use crate::{
    Failure, FailureKind, GenerationEvent, GenerationRequest, LanguageModel, Recogniser, RecogniserInput,
    RecogniserOptions, RecognitionEvent, SynthesisId, Vendor, Voice, VoiceEvent, VoiceInput, VoiceOptions,
};
use bytes::Bytes;
use seiketsu_domain::{AudioFormat, Clock, Language, Message, ModelChoice, Pii, ToolChoice, VoiceChoice};
use std::time::Duration;
use tokio::time;

/// Longer than all deadlines of a client together.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is listened to: long enough for every recogniser to take it.
const TONE_MS: usize = 400;
/// What a model may write: an answer of a single token would hide that answers stop in the middle.
pub const MODEL_TOKENS: u32 = 16;

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// From opening the connection to the complete answer.
    pub latency: Duration,
    /// What the answer was, for people.
    pub detail: String,
}

/// Lets a recogniser listen to a short tone, in the telephone's own format.
pub async fn recogniser(
    recogniser: &dyn Recogniser,
    vendor: Vendor,
    clock: &dyn Clock,
) -> Result<ProbeReport, Failure> {
    measured(vendor, clock, async {
        let options = RecogniserOptions {
            format: AudioFormat::Mulaw8k,
            language: Language::En,
            endpointing_ms: 300,
            keyterms: Vec::new(),
        };
        let mut session = recogniser.open(options).await?;
        for input in [RecogniserInput::Audio(tone()), RecogniserInput::Finalize] {
            // If the session is over already, its last event says why.
            let _ = session.input.send(input).await;
        }
        loop {
            match session.events.recv().await {
                Some(RecognitionEvent::Final { text, from_finalize: true, .. }) => {
                    return Ok(format!("understood `{text}` in a tone"));
                }
                Some(RecognitionEvent::Failed(failure)) => return Err(failure),
                Some(
                    RecognitionEvent::SpeechStarted { .. }
                    | RecognitionEvent::Partial { .. }
                    | RecognitionEvent::Final { .. }
                    | RecognitionEvent::UtteranceEnd { .. },
                ) => {}
                None => return Err(ended(vendor)),
            }
        }
    })
    .await
}

/// Lets a language model write a few words.
pub async fn language_model(
    language_model: &dyn LanguageModel,
    model: ModelChoice,
    clock: &dyn Clock,
) -> Result<ProbeReport, Failure> {
    let vendor = Vendor::OpenAi;
    measured(vendor, clock, async {
        let request = GenerationRequest {
            model: ModelChoice { max_tokens: MODEL_TOKENS, ..model },
            system: "Do what you are asked, and no more.".to_owned(),
            messages: vec![Message::Caller { text: Pii::new("Count from one to eight.".to_owned()) }],
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
        };
        let mut generation = language_model.generate(request).await?;
        loop {
            match generation.events.recv().await {
                Some(GenerationEvent::Finished { usage, .. }) => {
                    let tokens = usage.map(|usage| usage.input_tokens + usage.output_tokens);
                    return Ok(
                        tokens.map_or_else(|| "it answered".to_owned(), |tokens| format!("{tokens} tokens"))
                    );
                }
                Some(GenerationEvent::Failed(failure)) => return Err(failure),
                Some(
                    GenerationEvent::Text(_)
                    | GenerationEvent::ToolCallBegun
                    | GenerationEvent::ToolCall { .. },
                ) => {}
                None => return Err(ended(vendor)),
            }
        }
    })
    .await
}

/// Lets a voice count.
pub async fn voice(
    voice: &dyn Voice,
    choice: VoiceChoice,
    vendor: Vendor,
    clock: &dyn Clock,
) -> Result<ProbeReport, Failure> {
    measured(vendor, clock, async {
        let options = VoiceOptions { voice: choice, language: Language::En, format: AudioFormat::Mulaw8k };
        let mut session = voice.open(options).await?;
        let speak = VoiceInput::Speak { id: SynthesisId(0), text: SENTENCE.to_owned() };
        // If the session is over already, its last event says why.
        let _ = session.input.send(speak).await;
        let mut bytes = 0;
        loop {
            match session.events.recv().await {
                Some(VoiceEvent::Audio { audio, .. }) => bytes += audio.len(),
                Some(VoiceEvent::Finished { .. }) if bytes > 0 => {
                    return Ok(format!("{} ms of speech", session.format.duration_us(bytes) / 1_000));
                }
                Some(VoiceEvent::Finished { .. }) => {
                    return Err(Failure::new(vendor, FailureKind::Garbage, "speech without sound"));
                }
                Some(VoiceEvent::Failed { failure, .. }) => return Err(failure),
                None => return Err(ended(vendor)),
            }
        }
    })
    .await
}

/// What a voice says: long enough to come in several pieces, or it would hide that speech stops in the middle.
const SENTENCE: &str = "One, two, three, four.";

async fn measured(
    vendor: Vendor,
    clock: &dyn Clock,
    probe: impl Future<Output = Result<String, Failure>>,
) -> Result<ProbeReport, Failure> {
    let began = clock.monotonic();
    let outcome = time::timeout(PATIENCE, probe).await;
    let detail = outcome.unwrap_or_else(|_| {
        let detail = format!("no answer within {} s", PATIENCE.as_secs());
        Err(Failure::new(vendor, FailureKind::Timeout, detail))
    })?;
    Ok(ProbeReport { latency: clock.monotonic().saturating_sub(began), detail })
}

fn ended(vendor: Vendor) -> Failure {
    Failure::new(vendor, FailureKind::Closed, "it ended without an answer")
}

/// A square wave of 400 Hz at -18 dB, in mu-law: no word, but no silence either, which some recognisers are never asked
/// about.
fn tone() -> Bytes {
    const HALF_WAVE_BYTES: usize = 10;
    const UP: u8 = 0x9e;
    const DOWN: u8 = 0x1e;
    let bytes = TONE_MS * AudioFormat::Mulaw8k.bytes_per_ms();
    (0..bytes).map(|at| if (at / HALF_WAVE_BYTES).is_multiple_of(2) { UP } else { DOWN }).collect()
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
