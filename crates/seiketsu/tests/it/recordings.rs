//! Recorded calls from the caller's assent to a file, with the commands that an operator has.

use crate::platform::{Platform, Ran};
use seiketsu_audio::{g711, subcarrier};
use serde_json::Value;
use std::path::Path;

const TENANT: &str = "lone-star-homes";
/// The head of a WAV file in mu-law.
const HEADER_BYTES: usize = 58;
/// A loop around a command is this patient; reached only by a test that fails.
const TRIES: usize = 200;

/// A call whose caller answers the question whether it may be recorded; its id.
async fn call(platform: &Platform, answer: &str) -> String {
    let lines = ["call", "--tenant", TENANT, "--say", answer, "--say", "goodbye", "--json"];
    let ran = platform.run(&lines).await;
    assert!(ran.status.success(), "{ran:?}");
    ran.json()["stored"]["id"].as_str().unwrap().to_owned()
}

/// The recorded calls, once each of them is complete: the last chunk is sealed after the caller has gone.
async fn recorded(platform: &Platform) -> Vec<Value> {
    for _ in 0..TRIES {
        let items = platform.run(&["recordings", "--tenant", TENANT, "--json"]).await.json()["items"].clone();
        let items = items.as_array().unwrap().clone();
        if items.iter().all(|item| item["parts"][0]["state"] == "complete") {
            return items;
        }
    }
    panic!("a recording was never completed");
}

/// The words on one side of interleaved mu-law.
fn words(audio: &[u8], side: usize) -> String {
    let side: Vec<u8> = audio.chunks_exact(2).map(|pair| pair[side]).collect();
    let mut samples = Vec::new();
    g711::mulaw_decode(&side, &mut samples);
    subcarrier::read(&samples).text
}

async fn fetch(platform: &Platform, call: &str, out: &Path) -> Ran {
    platform.run(&["recording-get", call, "--out", out.to_str().unwrap()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_agrees_is_recorded_and_an_operator_can_listen() {
    let platform = Platform::start("zero").await;
    let refused = call(&platform, "no please do not record this").await;
    let none = platform.run(&["recordings", "--tenant", TENANT]).await;
    assert!(none.status.success() && none.stdout.is_empty(), "{none:?}");
    assert!(none.stderr.contains("no call of lone-star-homes was recorded"), "{none:?}");

    let agreed = call(&platform, "yes you may").await;
    let items = recorded(&platform).await;
    assert_eq!(items.iter().map(|item| item["call_id"].as_str().unwrap()).collect::<Vec<_>>(), [&agreed]);
    let told = platform.run(&["recordings", "--tenant", TENANT]).await.stdout;
    assert!(told.contains(&agreed) && told.contains("complete"), "{told}");

    let out = platform.state().join("call.wav");
    let fetched = fetch(&platform, &agreed, &out).await;
    assert!(fetched.status.success(), "{fetched:?}");
    let sound = std::fs::read(&out).unwrap();
    // What the header announces is there: the duration on record, both sides, a byte per sample.
    let milliseconds = items[0]["parts"][0]["duration_ms"].as_u64().unwrap();
    let (header, audio) = sound.split_at(HEADER_BYTES);
    assert_eq!((&header[..4], &header[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    assert_eq!(audio.len() as u64, milliseconds * 16, "{milliseconds} ms");
    assert!(words(audio, 0).ends_with("goodbye"), "the caller is left: {}", words(audio, 0));
    let heard = words(audio, 1);
    assert!(
        heard.contains("how can i help you") && heard.ends_with("goodbye"),
        "the agent is right: {heard}"
    );
    assert!(!heard.contains("may i record"), "nothing of what was said before the assent: {heard}");

    let missing = platform.state().join("none.wav");
    for arguments in
        [[refused.as_str(), "0"], [agreed.as_str(), "1"], ["call_01jd0000000000000000000000", "0"]]
    {
        let [call, part] = arguments;
        let out = missing.to_str().unwrap();
        let ran = platform.run(&["recording-get", call, "--part", part, "--out", out]).await;
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        assert!(ran.stderr.contains(call) && ran.stderr.contains("seiketsu recordings"), "{ran:?}");
    }
    let nowhere = fetch(&platform, &agreed, &platform.state().join("no/such/place.wav")).await;
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
    let files = std::fs::read_dir(platform.state()).unwrap().map(|entry| entry.unwrap().file_name());
    let sounds: Vec<_> = files.filter(|name| name.to_string_lossy().contains(".wav")).collect();
    assert_eq!(sounds, ["call.wav"], "nothing half-written stays behind");
}
