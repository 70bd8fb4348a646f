//! `/v1/audio/transcriptions`: a whole recording, understood by what the sub-carrier in it says.
//!
//! As the vendor: multipart with a WAV, an answer in JSON or, with `stream=true`, in events. The vendor's only measure of
//! certainty is the logarithm of each token's probability, for those who ask with `include[]=logprobs`. A recording
//! without sub-carrier is unintelligible: its transcript is empty.
//!
//! The drawn delay passes between the end of the upload and the first word; the words then come at once.

use super::{server, stream};
use crate::{
    Fault, RequestKind,
    conduct::Treatment,
    injected::{Delayed, InjectedStage},
    line::Line,
    recogniser::{self, Confidence},
    sandbox::Shared,
    voice,
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::post,
};
use multer::{Constraints, Multipart, SizeLimit};
use seiketsu_audio::{resample, subcarrier};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The vendor's limit.
const MAX_UPLOAD_BYTES: usize = 25 << 20;

/// The longest field that is not the recording.
const MAX_FIELD_BYTES: u64 = 64 << 10;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/audio/transcriptions", post(transcribe))
        .layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES))
}

/// A recording, and how the answer is to look.
#[derive(Debug, Default)]
struct Request {
    file: Option<Bytes>,
    model: String,
    response_format: Option<String>,
    stream: bool,
    logprobs: bool,
}

/// What of the answer is text, and how sure it is.
#[derive(Debug)]
struct Understood {
    text: String,
    confidence: Confidence,
    audio: Duration,
}

async fn transcribe(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !server::authorised(&shared, &headers) {
        return server::unauthorised();
    }
    let asked = match read(&headers, body).await {
        Ok(request) => understand(request).await,
        Err(message) => Err(message),
    };
    let (request, understood) = match asked {
        Ok(asked) => asked,
        Err(message) => return server::invalid(&message),
    };
    let conduct = &shared.conduct;
    let asked_at = conduct.clock().monotonic();
    let Treatment { delay, fault, retry_after, .. } = conduct.next(RequestKind::Transcription);
    tokio::time::sleep(delay).await;
    let held = conduct.clock().monotonic().saturating_sub(asked_at);
    let delayed =
        Delayed { stage: InjectedStage::FinalTranscript, key: &understood.text, delay, held, fault };
    conduct.record(RequestKind::Transcription, &delayed);
    match fault {
        Some(Fault::Refuse) => return server::overloaded(),
        Some(Fault::RateLimit) => return server::limited(retry_after),
        Some(Fault::Stall | Fault::HalfOpen | Fault::Disconnect | Fault::Garbage) | None => {}
    }
    let (content_type, parts) = if request.stream && request.model != "whisper-1" {
        ("text/event-stream", events(&understood, request.logprobs))
    } else if request.response_format.as_deref() == Some("text") {
        ("text/plain; charset=utf-8", halves(format!("{}\n", understood.text)))
    } else {
        ("application/json", halves(whole(&understood, request.logprobs).to_string()))
    };
    ([(header::CONTENT_TYPE, content_type)], stream::body(parts, Duration::ZERO, fault, line)).into_response()
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Request, String> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(content_type.unwrap_or_default())
        .map_err(|_| "the body has to be multipart/form-data".to_owned())?;
    let limits = SizeLimit::new()
        .whole_stream(MAX_UPLOAD_BYTES as u64)
        .per_field(MAX_FIELD_BYTES)
        .for_field("file", MAX_UPLOAD_BYTES as u64);
    let mut multipart =
        Multipart::with_constraints(body.into_data_stream(), boundary, Constraints::new().size_limit(limits));
    let mut request = Request::default();
    let broken = |error: multer::Error| format!("we could not read your upload: {error}");
    while let Some(field) = multipart.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            request.file = Some(field.bytes().await.map_err(broken)?);
            continue;
        }
        let value = field.text().await.map_err(broken)?;
        match name.as_str() {
            "model" => request.model = value,
            "response_format" => request.response_format = Some(value),
            "stream" => request.stream = value.eq_ignore_ascii_case("true"),
            "include[]" => request.logprobs |= value == "logprobs",
            _ => {}
        }
    }
    if request.model.is_empty() {
        return Err("you must provide a model parameter".to_owned());
    }
    if !matches!(request.response_format.as_deref(), None | Some("json" | "text")) {
        return Err("response_format has to be `json` or `text`".to_owned());
    }
    Ok(request)
}

/// Reads the recording; decoding takes a moment and gets a thread of its own.
async fn understand(mut request: Request) -> Result<(Request, Understood), String> {
    let file = request.file.take().ok_or("you must provide a file")?;
    let understood = tokio::task::spawn_blocking(move || {
        let wav = voice::parse_wav(&file).map_err(|error| format!("invalid file format: {error}"))?;
        let samples = resample::arbitrary(&wav.samples, wav.rate_hz, subcarrier::SAMPLE_RATE_HZ)
            .map_err(|_| format!("audio of {} Hz is not supported", wav.rate_hz))?;
        let (text, confidence) = recogniser::transcribe(&samples);
        let audio = Duration::from_secs_f64(wav.samples.len() as f64 / f64::from(wav.rate_hz));
        Ok::<_, String>(Understood { text, confidence, audio })
    });
    let understood = understood.await.map_err(|error| error.to_string())??;
    Ok((request, understood))
}

/// The answer in one piece.
fn whole(understood: &Understood, logprobs: bool) -> Value {
    let mut answer = json!({ "text": understood.text, "usage": usage(understood) });
    if logprobs {
        answer["logprobs"] =
            tokens(&understood.text).map(|token| logprob(token, understood.confidence)).collect();
    }
    answer
}

/// The answer in events: a word each, and the whole at the end.
fn events(understood: &Understood, logprobs: bool) -> Vec<Bytes> {
    let event = |data: &Value| Bytes::from(format!("data: {data}\n\n"));
    let delta = |token: &str| {
        let mut delta = json!({ "type": "transcript.text.delta", "delta": token });
        if logprobs {
            delta["logprobs"] = json!([logprob(token, understood.confidence)]);
        }
        event(&delta)
    };
    let mut events: Vec<Bytes> = tokens(&understood.text).map(delta).collect();
    let mut done = whole(understood, logprobs);
    done["type"] = json!("transcript.text.done");
    events.push(event(&done));
    events
}

/// In two parts, so that a fault in mid-stream has a middle.
fn halves(text: String) -> Vec<Bytes> {
    let bytes = Bytes::from(text);
    let middle = bytes.len() / 2;
    vec![bytes.slice(..middle), bytes.slice(middle..)]
}

/// Words, each with the space before it.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, character)| *character == ' ')
            .map_or(rest.len(), |(at, _)| at);
        let (token, after) = rest.split_at(end);
        rest = after;
        (!token.is_empty()).then_some(token)
    })
}

fn logprob(token: &str, confidence: Confidence) -> Value {
    json!({ "token": token, "bytes": token.as_bytes(), "logprob": confidence.log_probability() })
}

/// The vendor counts ten tokens for a second of audio.
fn usage(understood: &Understood) -> Value {
    let audio_tokens = (understood.audio.as_secs_f64() * 10.0).ceil() as u64;
    let output_tokens = super::chunks::token_count(&understood.text) as u64;
    json!({
        "type": "tokens",
        "input_tokens": audio_tokens,
        "input_token_details": { "text_tokens": 0, "audio_tokens": audio_tokens },
        "output_tokens": output_tokens,
        "total_tokens": audio_tokens + output_tokens,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(text: &str, confidence: Confidence) -> Understood {
        Understood { text: text.to_owned(), confidence, audio: Duration::from_millis(1_250) }
    }

    #[test]
    fn an_answer_in_one_piece_has_the_vendors_shape() {
        let expected = json!({
            "text": "yes please",
            "usage": { "type": "tokens", "input_tokens": 13,
                "input_token_details": { "text_tokens": 0, "audio_tokens": 13 },
                "output_tokens": 2, "total_tokens": 15 },
        });
        assert_eq!(whole(&understood("yes please", Confidence::Sure), false), expected);
    }

    #[test]
    fn an_answer_in_events_says_each_word_and_then_everything() {
        let events = events(&understood("yes please", Confidence::Flagged), true);
        let data: Vec<Value> = events
            .iter()
            .map(|event| {
                let text = str::from_utf8(event).unwrap();
                serde_json::from_str(text.strip_prefix("data: ").unwrap().trim_end()).unwrap()
            })
            .collect();
        assert_eq!(data.len(), 3);
        assert_eq!((&data[0]["type"], &data[0]["delta"]), (&json!("transcript.text.delta"), &json!("yes")));
        assert_eq!(data[1]["delta"], " please");
        assert_eq!(
            (&data[2]["type"], &data[2]["text"]),
            (&json!("transcript.text.done"), &json!("yes please"))
        );
        assert!(data[1]["logprobs"][0]["logprob"].as_f64().unwrap() < -1.2, "damaged audio shows");
    }

    #[test]
    fn tokens_put_together_are_the_text() {
        for text in ["", "one", "one two  three ", "我要 3 个"] {
            assert_eq!(tokens(text).collect::<String>(), text);
        }
    }

    #[tokio::test]
    async fn uploads_that_make_no_sense_are_refused_with_a_reason() {
        let form = |parts: &[(&str, &str)]| {
            let part = |(name, value): &(&str, &str)| {
                format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            let body: Vec<String> = parts.iter().map(part).collect();
            Body::from(body.concat() + "--b--\r\n")
        };
        let headers = HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            "multipart/form-data; boundary=b".parse().unwrap(),
        )]);
        let read = async |parts: &[(&str, &str)]| read(&headers, form(parts)).await;
        assert!(read(&[("file", "x")]).await.unwrap_err().contains("model"));
        assert!(
            read(&[("model", "m"), ("response_format", "srt")])
                .await
                .unwrap_err()
                .contains("response_format")
        );
        let request =
            read(&[("model", "m"), ("file", "x"), ("stream", "true"), ("language", "en")]).await.unwrap();
        assert!(request.stream && !request.logprobs);
        assert!(understand(request).await.unwrap_err().contains("not a WAV"));
        let request = read(&[("model", "m")]).await.unwrap();
        assert!(understand(request).await.unwrap_err().contains("file"));
        let plain = super::read(&HeaderMap::new(), Body::empty()).await;
        assert!(plain.unwrap_err().contains("multipart"));
    }
}
