//! Many conversations at once through the API door: what a caller waits for, and what a session takes up.
//!
//! ```sh
//! cargo run --profile local -p seiketsu-gateway --example realtime_load -- URL KEY AGENT SESSIONS TURNS [PID]
//! ```
//!
//! `URL` is the platform's (`http://localhost:8080`), `PID` its process, whose memory and processor time are read from
//! `/proc`. Each session connects, hears the greeting, asks the same question `TURNS` times in real time, and waits for the
//! first audio of each answer; sessions begin 50 ms apart. Times are from the last sample of the caller's voice to the
//! arrival of the first piece of the answer. One session alone is measured first, in the same run, to compare with.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a measurement from outside: by the wall clock, and over when anything fails"
)]

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::{Value, json};
use std::{
    env, fs,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

const QUESTION: &str = "how much is the cheapest house";
/// A piece of audio, as clients send it.
const PIECE: Duration = Duration::from_millis(100);
const PIECE_BYTES: usize = 4_800;
const APART: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_mins(1);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Clone)]
struct Place {
    host: String,
    key: String,
    agent: String,
    question: Arc<Vec<String>>,
    /// How long there is voice in it.
    voiced: Duration,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, key, agent, sessions, turns, rest @ ..] = &arguments[..] else {
        panic!("URL KEY AGENT SESSIONS TURNS [PID]");
    };
    let (sessions, turns): (usize, usize) = (sessions.parse().unwrap(), turns.parse().unwrap());
    let pid = rest.first();
    let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let sound = spoken(&host, key).await;
    let pieces = sound.chunks(PIECE_BYTES).map(|piece| base64_simd::STANDARD.encode_to_string(piece));
    let place = Place {
        host,
        key: key.clone(),
        agent: agent.clone(),
        question: Arc::new(pieces.collect()),
        voiced: end_of_voice(&sound),
    };

    report("one session alone", &many(&place, 1, turns.max(5)).await);
    let before = pid.map(|pid| (memory_kib(pid), processor(pid)));
    let begun = Instant::now();
    let (waits, peak) = tokio::join!(many(&place, sessions, turns), async {
        // By then all are under way.
        sleep(APART * sessions as u32 + Duration::from_secs(6)).await;
        pid.map(|pid| memory_kib(pid))
    });
    report(&format!("{sessions} sessions, {turns} turns each"), &waits);
    if let (Some(pid), Some((memory, used)), Some(peak)) = (pid, before, peak) {
        let minutes = begun.elapsed().as_secs_f64() / 60.0 * sessions as f64;
        let each = peak.saturating_sub(memory) / sessions as u64;
        println!("memory {memory} KiB before, {peak} KiB with all sessions: {each} KiB each");
        println!("processor {:.3} s per session-minute", (processor(pid) - used) / minutes);
    }
}

/// Where the voice ends. The sandbox' words travel as faint tones above it, which are no voice.
fn end_of_voice(sound: &[u8]) -> Duration {
    let samples: Vec<u16> =
        sound.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs()).collect();
    let loudest = samples.iter().max().unwrap();
    let last = samples.iter().rposition(|sample| u32::from(*sample) * 20 > u32::from(*loudest)).unwrap();
    Duration::from_micros(last as u64 * 1_000 / 24)
}

fn report(what: &str, waits: &[u64]) {
    let mut waits = waits.to_vec();
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share).round() as usize];
    let (p50, p95, p99, max) = (at(0.5), at(0.95), at(0.99), at(1.0));
    println!("{what}: {} answers, p50 {p50} p95 {p95} p99 {p99} max {max} ms", waits.len());
}

async fn many(place: &Place, sessions: usize, turns: usize) -> Vec<u64> {
    let talks = (0..sessions).map(|n| async move {
        sleep(APART * n as u32).await;
        talk(place, turns).await
    });
    futures_util::future::join_all(talks).await.into_iter().flatten().collect()
}

/// One session: how long each answer was waited for, in milliseconds.
async fn talk(place: &Place, turns: usize) -> Vec<u64> {
    let url = format!("ws://{}/v1/realtime?model={}", place.host, place.agent);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", place.key).parse().unwrap());
    let (socket, _) = connect_async(request).await.unwrap();
    let (mut sink, mut stream) = socket.split();
    let update = json!({"type": "session.update", "session": {"type": "realtime"}});
    sink.send(Message::text(update.to_string())).await.unwrap();
    let mut waits = Vec::new();
    // The greeting, and then an answer to each question.
    for turn in 0..=turns {
        let spoke = async { if turn > 0 { speak(&mut sink, place).await } else { Instant::now() } };
        let (ended, (first, audio)) = tokio::join!(spoke, answer(&mut stream));
        if turn > 0 {
            waits.push(first.saturating_duration_since(ended).as_millis() as u64);
        }
        // It is heard before anybody goes on.
        quiet(&mut sink, first + audio + Duration::from_millis(300)).await;
    }
    let _ = timeout(Duration::from_secs(2), sink.close()).await;
    waits
}

/// Asks in real time; returns when the voice ended. The silence behind it goes on for as long as an answer needs.
async fn speak(sink: &mut SplitSink<Socket, Message>, place: &Place) -> Instant {
    let begun = Instant::now();
    for (n, piece) in place.question.iter().enumerate() {
        // A microphone has a piece when it is over.
        sleep_until((begun + PIECE * (n as u32 + 1)).into()).await;
        append(sink, piece).await;
    }
    let ended = begun + place.voiced;
    quiet(sink, ended + Duration::from_millis(1_200)).await;
    ended
}

async fn quiet(sink: &mut SplitSink<Socket, Message>, until: Instant) {
    let silence = base64_simd::STANDARD.encode_to_string([0; PIECE_BYTES]);
    while Instant::now() < until {
        sleep(PIECE).await;
        append(sink, &silence).await;
    }
}

async fn append(sink: &mut SplitSink<Socket, Message>, audio: &str) {
    let event = format!(r#"{{"type":"input_audio_buffer.append","audio":"{audio}"}}"#);
    sink.send(Message::text(event)).await.unwrap();
}

/// When the first audio of a response came, and how much there was of it.
async fn answer(stream: &mut SplitStream<Socket>) -> (Instant, Duration) {
    let (mut first, mut bytes) = (None, 0);
    loop {
        let next = timeout(PATIENCE, stream.next()).await.expect("no answer");
        let Message::Text(text) = next.expect("the socket is closed").unwrap() else { continue };
        let event: Value = serde_json::from_str(&text).unwrap();
        match (event["type"].as_str().unwrap(), first) {
            ("response.output_audio.delta", _) => {
                first.get_or_insert_with(Instant::now);
                bytes += event["delta"].as_str().unwrap().len() / 4 * 3;
            }
            ("response.done", Some(first)) => return (first, Duration::from_millis(bytes as u64 / 48)),
            ("error", _) => panic!("{text}"),
            _ => {}
        }
    }
}

/// The question as PCM, from the platform's own voice for callers.
async fn spoken(host: &str, key: &str) -> Vec<u8> {
    let body = json!({"text": QUESTION}).to_string();
    let request = format!(
        "POST /v1/speech HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..head]));
    answer.split_off(head + 4)
}

fn memory_kib(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Seconds of processor time so far.
fn processor(pid: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // User and system time, in hundredths of a second.
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
