//! Published client libraries, unmodified, talk with an agent through the API door.

use crate::platform::Platform;
use seiketsu_audio::resample;
use seiketsu_domain::Language;
use seiketsu_sandbox::{Espeak, EspeakVoice};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const QUESTION: &str = "i am looking for a three bedroom house to buy";
const TOOL_QUESTION: &str = "what is the office weather";

/// A caller's words as a recording of 24 kHz.
pub(crate) async fn record(directory: &Path, name: &str, text: &str) -> PathBuf {
    let voice = EspeakVoice::of("caller", Language::En);
    let spoken = Espeak::new().speak(text, &voice).await.unwrap();
    let samples = resample::arbitrary(&spoken.pcm_8k, 8_000, 24_000).unwrap();
    let path = directory.join(name);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 24_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&path, spec).unwrap();
    for sample in samples {
        wav.write_sample(sample).unwrap();
    }
    wav.finalize().unwrap();
    path
}

pub(crate) async fn key(platform: &Platform, tenant: &str) -> String {
    let made = platform.run(&["key", "create", "--tenant", tenant, "--name", "a test"]).await;
    assert!(made.status.success(), "{made:?}");
    made.stdout.trim().to_owned()
}

/// What `scripts/setup test` has installed.
pub(crate) fn installed(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients").join(path);
    assert!(path.exists(), "{} is missing: `scripts/setup test` makes it", path.display());
    path
}

/// A script of `tests/clients` in Python.
fn python(script: &str) -> Command {
    let mut command = Command::new(installed("python/bin/python"));
    // `-B`: nothing is compiled into the sources.
    command.arg("-B").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script));
    command
}

/// A script of `tests/clients` in JavaScript.
fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    // The scripts are behind a link, and modules are looked for where it is, not where it leads.
    command
        .args(["--preserve-symlinks", "--preserve-symlinks-main"])
        .arg(installed("node/scripts").join(script));
    command
}

/// What a script prints.
async fn printed(mut command: Command) -> Value {
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error} in {stdout}\n{stderr}"))
}

/// Holds what a server sent against the types of all libraries.
async fn check(events: &Path) {
    for mut script in [python("events_python.py"), node("events_zod.mjs"), node("events_types.mjs")] {
        script.arg(events);
        printed(script).await;
    }
}

/// A client talks with an agent of Lone Star Homes; what it has seen.
async fn talk(platform: &Platform, url: String, mut client: Command) -> Value {
    let key = key(platform, "lone-star-homes").await;
    let question = record(platform.state(), "question.wav", QUESTION).await;
    let tool_question = record(platform.state(), "tool.wav", TOOL_QUESTION).await;
    let events = platform.state().join("events.jsonl");
    client.args([url, key, "Ava".to_owned()]).args([&question, &tool_question]).arg("--events").arg(&events);
    let seen = printed(client).await;
    check(&events).await;
    seen
}

fn url(platform: &Platform) -> String {
    format!("http://127.0.0.1:{}/v1", platform.public_port())
}

/// A greeting, a spoken turn and a tool round trip, as every client has them.
fn assert_talked(seen: &Value) {
    assert!(seen["greeting"]["agent"].as_str().unwrap().contains("Lone Star Homes"), "{seen:#}");
    assert!(seen["answer"]["agent"].as_str().unwrap().contains("bedrooms"), "{seen:#}");
    assert_eq!(seen["told"]["agent"], "I have it here. sunny.");
    for turn in ["greeting", "answer", "told"] {
        let turn = &seen[turn];
        assert_eq!(turn["status"], "completed");
        assert!(turn["audio_ms"].as_u64() > Some(500) && turn["loudest"].as_u64() > Some(1_000), "{turn:#}");
    }
}

/// The same, as libraries keep it that run tools themselves.
fn assert_kept(seen: &Value) {
    let weather = json!({"tool": "office_weather", "output": r#"{"sky":"sunny"}"#});
    assert_eq!(seen["ran"], json!([weather]));
    let history = json!([
        {"assistant": seen["greeting"]["agent"]},
        {"user": QUESTION},
        {"assistant": seen["answer"]["agent"]},
        {"user": TOOL_QUESTION},
        weather,
        {"assistant": seen["told"]["agent"]},
    ]);
    assert_eq!(seen["history"], history);
}

/// Conversations are calls like any other: on record, ended, on the bill.
async fn assert_on_record(platform: &Platform, conversations: usize) {
    let calls = platform.run(&["calls", "--tenant", "lone-star-homes", "--json"]).await.json();
    let calls = calls["items"].as_array().unwrap();
    assert_eq!(calls.len(), conversations, "{calls:#?}");
    assert!(calls.iter().all(|call| call["ended"]["reason"] == "caller_hung_up" && call["to"].is_null()));
    let bills = "select count(*) from public.usage_records where duration_ms > 0";
    assert_eq!(platform.db.count(bills).await, conversations as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_library_for_python_holds_a_spoken_turn_a_tool_round_trip_and_a_typed_turn() {
    let platform = Platform::start("fast").await;
    let seen = talk(&platform, url(&platform), python("openai_python.py")).await;
    let spoken = &seen["spoken"];
    assert_talked(spoken);
    assert_eq!(spoken["answer"]["caller"], QUESTION);
    assert!(spoken["answer"]["tokens"].as_u64() > Some(0), "{seen:#}");
    assert_eq!(spoken["wants"]["calls"], json!(["office_weather"]));
    let [answer, beside, short] = ["answer", "beside", "short"].map(|response| &seen["typed"][response]);
    assert!(answer["agent"].as_str().unwrap().contains("AI"), "{seen:#}");
    assert_eq!((&answer["audio_ms"], &answer["in_conversation"]), (&json!(0), &json!(true)));
    assert_eq!(beside["calls"], json!(["note"]), "{seen:#}");
    assert_eq!((&beside["metadata"]["topic"], &beside["in_conversation"]), (&json!("wishes"), &json!(false)));
    assert_eq!(short["status"], "incomplete", "{seen:#}");
    assert_on_record(&platform, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_library_for_node_holds_a_spoken_turn_and_a_tool_round_trip_over_tls() {
    let mut platform = Platform::start("fast").await;
    let made = platform.run(&["dev-cert"]).await;
    assert!(made.status.success(), "{made:?}");
    assert!(platform.stop().success());
    platform.up();
    // The library speaks nothing but TLS.
    let url = format!("https://localhost:{}/v1", platform.tls_port());
    let mut client = node("openai_node.mjs");
    client.env("NODE_EXTRA_CA_CERTS", platform.state().join("tls/ca.pem"));
    let seen = talk(&platform, url, client).await;
    assert_talked(&seen);
    assert_eq!(seen["answer"]["caller"], QUESTION);
    assert!(seen["answer"]["tokens"].as_u64() > Some(0), "{seen:#}");
    assert_eq!(seen["wants"]["calls"], json!(["office_weather"]));
    assert_on_record(&platform, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_library_for_python_holds_a_spoken_turn_and_runs_a_tool() {
    let platform = Platform::start("fast").await;
    let seen = talk(&platform, url(&platform), python("openai_agents.py")).await;
    assert_talked(&seen);
    assert_kept(&seen);
    assert_on_record(&platform, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_library_for_node_holds_a_spoken_turn_and_runs_a_tool() {
    let platform = Platform::start("fast").await;
    let seen = talk(&platform, url(&platform), node("openai_agents_realtime.mjs")).await;
    assert_talked(&seen);
    assert_kept(&seen);
    assert!(seen["tokens"].as_u64() > Some(0), "{seen:#}");
    assert_on_record(&platform, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_golden_turn_is_what_the_libraries_types_say() {
    let golden =
        "../gateway/src/realtime/snapshots/seiketsu_gateway__realtime__conversation_tests__turn.snap.jsonl";
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join(golden)).await;
}
