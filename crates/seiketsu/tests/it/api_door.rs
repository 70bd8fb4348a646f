//! Published client libraries, unmodified, talk with an agent through the API door.

use crate::platform::Platform;
use seiketsu_audio::resample;
use seiketsu_domain::Language;
use seiketsu_sandbox::{Espeak, EspeakVoice};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A caller's words as a recording of 24 kHz.
async fn record(directory: &Path, name: &str, text: &str) -> PathBuf {
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

async fn key(platform: &Platform, tenant: &str) -> String {
    let made = platform.run(&["key", "create", "--tenant", tenant, "--name", "a test"]).await;
    assert!(made.status.success(), "{made:?}");
    made.stdout.trim().to_owned()
}

/// Runs a client of `tests/clients` in the interpreter that `scripts/setup test` has made.
async fn python(script: &str, arguments: Vec<String>) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let interpreter = root.join("target/clients/python/bin/python");
    assert!(interpreter.exists(), "{} is missing: `scripts/setup test` makes it", interpreter.display());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let mut command = Command::new(interpreter);
    command.arg(script).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error} in {stdout}\n{stderr}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_library_for_python_holds_a_spoken_turn_a_tool_round_trip_and_a_typed_turn() {
    let platform = Platform::start("fast").await;
    let key = key(&platform, "lone-star-homes").await;
    let question =
        record(platform.state(), "question.wav", "i am looking for a three bedroom house to buy").await;
    let tool_question = record(platform.state(), "tool.wav", "what is the office weather").await;
    let seen = python(
        "openai_python.py",
        vec![
            format!("http://127.0.0.1:{}/v1", platform.public_port()),
            key,
            "Ava".to_owned(),
            question.display().to_string(),
            tool_question.display().to_string(),
        ],
    )
    .await;
    let spoken = &seen["spoken"];
    assert!(spoken["greeting"]["agent"].as_str().unwrap().contains("Lone Star Homes"), "{seen:#}");
    assert_eq!(spoken["answer"]["caller"], "i am looking for a three bedroom house to buy");
    assert!(spoken["answer"]["agent"].as_str().unwrap().contains("bedrooms"), "{seen:#}");
    for turn in ["greeting", "answer", "told"] {
        let turn = &spoken[turn];
        assert_eq!(turn["status"], "completed");
        assert!(turn["audio_ms"].as_u64() > Some(500) && turn["loudest"].as_u64() > Some(1_000), "{turn:#}");
    }
    assert!(spoken["answer"]["tokens"].as_u64() > Some(0), "{seen:#}");
    assert_eq!(spoken["wants"]["calls"], json!(["office_weather"]));
    assert_eq!(spoken["told"]["agent"], "I have it here. sunny.");
    assert!(seen["typed"]["agent"].as_str().unwrap().contains("AI"), "{seen:#}");
    assert_eq!(seen["typed"]["audio_ms"], 0);

    // Both are calls like any other: on record, ended, on the bill.
    let calls = platform.run(&["calls", "--tenant", "lone-star-homes", "--json"]).await.json();
    let calls = calls["items"].as_array().unwrap();
    assert_eq!(calls.len(), 2, "{calls:#?}");
    assert!(calls.iter().all(|call| call["ended"]["reason"] == "caller_hung_up" && call["to"].is_null()));
    let bills = "select count(*) from public.usage_records where duration_ms > 0";
    assert_eq!(platform.db.count(bills).await, 2);
}
