//! A sandbox, the platform's clients for it, and sound.

use bytes::Bytes;
use seiketsu_audio::{
    g711,
    resample::{Ratio, Resampler},
};
use seiketsu_domain::{AudioFormat, Clock, Language, ModelChoice, Pii, SystemClock, ToolChoice, VoiceChoice};
use seiketsu_providers::{
    GenerationEvent, GenerationRequest, Recogniser, RecogniserInput, RecogniserOptions, RecognitionEvent,
    VoiceEvent, VoiceInput, VoiceOptions, VoiceSession,
    deepgram::{Deepgram, DeepgramConfig},
    elevenlabs::{ElevenLabs, ElevenLabsConfig},
    openai::{OpenAi, OpenAiConfig},
};
use seiketsu_sandbox::{
    EspeakVoice, Fault, Outage, OutageFault, Profile, ProgrammedFault, RequestKind, Running, Sandbox,
    SandboxOptions, Service, injected::Injected,
};
use std::{
    sync::{Arc, Mutex, Once},
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// What no working vendor exceeds, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running sandbox and whatever tasks belong to it and its clients.
pub(crate) struct World {
    pub(crate) sandbox: Running,
    pub(crate) tasks: TaskTracker,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) http: reqwest::Client,
}

/// The machine's time, and more of it on request.
#[derive(Debug, Default)]
pub(crate) struct TestClock {
    machine: SystemClock,
    ahead: Mutex<Duration>,
}

impl TestClock {
    /// Lets so much time pass for those who look at this clock.
    pub(crate) fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> jiff::Timestamp {
        self.machine.now() + *self.ahead.lock().unwrap()
    }
    fn monotonic(&self) -> Duration {
        self.machine.monotonic() + *self.ahead.lock().unwrap()
    }
}

impl World {
    pub(crate) async fn start(profile: Profile) -> Self {
        let tasks = TaskTracker::new();
        let clock = Arc::new(TestClock::default());
        let options = SandboxOptions { profile, clock: Arc::clone(&clock) as _, ..SandboxOptions::default() };
        let sandbox = Sandbox::start(options, &tasks).await.unwrap();
        Self { sandbox, tasks, clock, http: http_client() }
    }

    /// The next requests of a kind suffer this.
    pub(crate) fn fail(&self, request: RequestKind, fault: Fault, count: u32) {
        self.sandbox.conduct().change(|behaviour| {
            behaviour.faults.push(ProgrammedFault { request, fault, count });
        });
    }

    /// A service does this until something else is said.
    pub(crate) fn out(&self, service: Service, fault: OutageFault) {
        self.sandbox.conduct().change(|behaviour| behaviour.outages = vec![Outage::new(service, fault)]);
    }

    /// Every service works.
    pub(crate) fn clear(&self) {
        self.sandbox.conduct().change(|behaviour| behaviour.outages.clear());
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.sandbox.address())
    }

    /// A request to the fallback voice.
    pub(crate) fn speech(&self, text: &str) -> reqwest::RequestBuilder {
        let body = serde_json::json!({ "model": "gpt-4o-mini-tts", "input": text, "voice": "coral",
            "response_format": "pcm" });
        self.http.post(self.url("/v1/audio/speech")).bearer_auth("key").json(&body)
    }

    /// A request to the recogniser of whole recordings; samples at 8 kHz.
    pub(crate) fn transcription(&self, samples: &[i16], fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        body.extend_from_slice(
            b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"call.wav\"\r\n\
              content-type: audio/wav\r\n\r\n",
        );
        body.extend(wav(samples));
        body.extend_from_slice(b"\r\n--b--\r\n");
        self.http
            .post(self.url("/v1/audio/transcriptions"))
            .bearer_auth("key")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(body)
    }

    /// A request to the language model.
    pub(crate) fn completion(&self) -> reqwest::RequestBuilder {
        let body = serde_json::json!({ "model": "gpt-4.1-mini", "stream": true,
            "messages": [{ "role": "user", "content": "hello" }] });
        self.http.post(self.url("/v1/chat/completions")).bearer_auth("key").json(&body)
    }

    pub(crate) fn injected(&self) -> Vec<Injected> {
        self.sandbox.conduct().injected_after(0)
    }

    pub(crate) fn deepgram(&self, key: &str) -> Deepgram {
        let mut config = DeepgramConfig::new(self.sandbox.deepgram_base(), key.into());
        config.close_timeout = PATIENCE;
        Deepgram::new(config, self.tasks.clone())
    }

    pub(crate) fn elevenlabs(&self, key: &str) -> ElevenLabs {
        self.elevenlabs_within(key, PATIENCE)
    }

    /// With the patience that a test of a half-open connection has.
    pub(crate) fn elevenlabs_within(&self, key: &str, progress_timeout: Duration) -> ElevenLabs {
        let mut config = ElevenLabsConfig::new(self.sandbox.elevenlabs_base(), key.into());
        config.progress_timeout = progress_timeout;
        ElevenLabs::new(config, self.tasks.clone())
    }

    pub(crate) fn openai(&self, key: &str) -> OpenAi {
        self.openai_within(key, PATIENCE)
    }

    /// With the patience that a test of a half-open connection has.
    pub(crate) fn openai_within(&self, key: &str, idle_timeout: Duration) -> OpenAi {
        let config = OpenAiConfig {
            base_url: self.sandbox.openai_base(),
            api_key: key.into(),
            first_token_timeout: PATIENCE,
            idle_timeout,
        };
        OpenAi::new(config, self.http.clone(), self.tasks.clone())
    }

    /// What a caller says, at 8 kHz, with a second of silence behind it.
    pub(crate) async fn caller_says(&self, text: &str) -> Vec<i16> {
        let voice = EspeakVoice::of("caller", Language::En);
        let mut audio = self.sandbox.espeak().speak(text, &voice).await.unwrap().pcm_8k.clone();
        audio.extend([0; 8_000]);
        audio
    }

    /// Everything the recogniser reports of audio at 8 kHz that is sent in this format in frames of 20 ms.
    pub(crate) async fn hear(&self, audio: &[i16], format: AudioFormat) -> Vec<RecognitionEvent> {
        let mut session = self.deepgram("key").open(recogniser_options(format)).await.unwrap();
        let bytes = encode(audio, format);
        let send = async {
            for frame in bytes.chunks(20 * format.bytes_per_ms()) {
                session.input.send(RecogniserInput::Audio(Bytes::copy_from_slice(frame))).await.unwrap();
            }
            session.input.send(RecogniserInput::Close).await.unwrap();
        };
        let ((), events) = tokio::join!(send, all(&mut session.events));
        events
    }
}

pub(crate) fn http_client() -> reqwest::Client {
    static RING: Once = Once::new();
    RING.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
    });
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub(crate) fn recogniser_options(format: AudioFormat) -> RecogniserOptions {
    RecogniserOptions {
        format,
        language: Language::En,
        endpointing_ms: 300,
        keyterms: vec!["Maple Street".into()],
    }
}

pub(crate) fn voice_options(format: AudioFormat) -> VoiceOptions {
    let voice = VoiceChoice {
        voice_id: "21m00Tcm4TlvDq8ikWAM".into(),
        model: "eleven_flash_v2_5".into(),
        stability: 0.5,
        similarity: 0.75,
    };
    VoiceOptions { voice, language: Language::En, format }
}

pub(crate) fn generation_request(system: &str, user: &str) -> GenerationRequest {
    GenerationRequest {
        model: ModelChoice { model: "gpt-4.1-mini".into(), temperature: 0.3, max_tokens: 300 },
        system: system.into(),
        messages: vec![seiketsu_domain::Message::Caller { text: Pii::new(user.to_owned()) }],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
    }
}

/// 16-bit mono at 8 kHz as a file.
fn wav(samples: &[i16]) -> Vec<u8> {
    let length = 2 * samples.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(8_000_u32.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// Everything that still comes.
pub(crate) async fn all<T>(events: &mut mpsc::Receiver<T>) -> Vec<T> {
    let mut received = Vec::new();
    while let Some(event) = events.recv().await {
        received.push(event);
    }
    received
}

/// The words of all final transcripts.
pub(crate) fn finals(events: &[RecognitionEvent]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        RecognitionEvent::Final { text, .. } => Some(text.as_str()),
        RecognitionEvent::SpeechStarted { .. }
        | RecognitionEvent::Partial { .. }
        | RecognitionEvent::UtteranceEnd { .. }
        | RecognitionEvent::Failed(_) => None,
    });
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text of a generation.
pub(crate) fn generated(events: &[GenerationEvent]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        GenerationEvent::Text(text) => Some(text.as_str()),
        GenerationEvent::ToolCallBegun
        | GenerationEvent::ToolCall { .. }
        | GenerationEvent::Finished { .. }
        | GenerationEvent::Failed(_) => None,
    });
    texts.collect()
}

/// Speaks and waits until everything has been said, or the session is over.
pub(crate) async fn speak(
    session: &mut VoiceSession,
    inputs: Vec<VoiceInput>,
    finished: usize,
) -> Vec<VoiceEvent> {
    for input in inputs {
        session.input.send(input).await.unwrap();
    }
    let mut events = Vec::new();
    let mut left = finished;
    while left > 0
        && let Some(event) = session.events.recv().await
    {
        left -= usize::from(matches!(event, VoiceEvent::Finished { .. } | VoiceEvent::Failed { .. }));
        events.push(event);
    }
    events
}

/// Samples at 8 kHz to bytes of a format.
pub(crate) fn encode(samples: &[i16], format: AudioFormat) -> Vec<u8> {
    let up = |ratio| {
        let mut out = Vec::new();
        Resampler::new(ratio).process(samples, &mut out);
        out.iter().flat_map(|sample| sample.to_le_bytes()).collect()
    };
    let mut out = Vec::new();
    match format {
        AudioFormat::Mulaw8k => g711::mulaw_encode(samples, &mut out),
        AudioFormat::Alaw8k => g711::alaw_encode(samples, &mut out),
        AudioFormat::Pcm16k => out = up(Ratio::Up2),
        AudioFormat::Pcm24k => out = up(Ratio::Up3),
    }
    out
}

/// Bytes of a format to samples at 8 kHz.
pub(crate) fn decode(bytes: &[u8], format: AudioFormat) -> Vec<i16> {
    let down = |ratio| {
        let samples: Vec<i16> =
            bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        let mut out = Vec::new();
        Resampler::new(ratio).process(&samples, &mut out);
        out
    };
    let mut out = Vec::new();
    match format {
        AudioFormat::Mulaw8k => g711::mulaw_decode(bytes, &mut out),
        AudioFormat::Alaw8k => g711::alaw_decode(bytes, &mut out),
        AudioFormat::Pcm16k => out = down(Ratio::Down2),
        AudioFormat::Pcm24k => out = down(Ratio::Down3),
    }
    out
}
