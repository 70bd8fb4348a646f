//! The timeline tells the truth: a delay injected at one stage moves that stage and no other.

use crate::platform::Platform;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// What is injected.
const INJECTED_MS: i64 = 300;
/// Noise of a busy machine; the smaller of two turns is taken, so that only systematic delays remain.
const NOISE_MS: i64 = 120;
/// The recogniser takes its time in the base line as well, so that endpointing, which runs beside it, is not hidden
/// and hides nothing.
const RECOGNISER_MS: u32 = 700;

/// One request after the other: asked once the turn has ended, and asked once.
const ONE_AFTER_THE_OTHER: &str = "[session]\nspeculations = 0\nhedge_after_ms = 60000\n";

const STEPS: [&str; 10] = [
    "endpointing",
    "final transcript",
    "request",
    "first token",
    "first phrase",
    "synthesis asked",
    "first byte",
    "audio sent",
    "audio played",
    "heard by the caller",
];

fn behave(platform: &Platform, delays: &str) {
    let local: Value =
        serde_json::from_slice(&std::fs::read(platform.state().join("local.json")).unwrap()).unwrap();
    let sandbox = local["sandbox"].as_str().unwrap();
    let authority = sandbox.trim_start_matches("http://").trim_end_matches('/');
    let body = format!(r#"{{"delays":{delays}}}"#);
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(
        stream,
        "POST /sandbox/control HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The steps of a turn in milliseconds, each the smaller of two turns.
async fn steps(platform: &Platform, line_delay_ms: u32) -> [i64; 10] {
    let delay = line_delay_ms.to_string();
    let script = platform.state().join("stages.json");
    // The first line cuts the greeting short: it is not what is measured.
    std::fs::write(&script, r#"[{"wait_ms":200},{"say":"are you a robot"},{"say":"are you a real person"}]"#)
        .unwrap();
    let script = script.to_str().unwrap();
    let arguments = [
        "call",
        "--tenant",
        "lone-star-homes",
        "--json",
        "--line-delay",
        &delay,
        "--patience",
        "1200",
        "--script",
        script,
    ];
    let ran = platform.run(&arguments).await;
    assert!(ran.status.success(), "{ran:?}");
    let outcome = ran.json();
    let turns = outcome["stored"]["turns"].as_array().unwrap();
    let mut smallest = [i64::MAX; 10];
    for turn in turns.iter().filter(|turn| turn["number"].as_u64() > Some(0) && turn["outcome"] == "answered")
    {
        let at = |stage: &str| {
            turn["stages_us"][stage].as_i64().unwrap_or_else(|| panic!("{stage} is missing in {turn}"))
                / 1_000
        };
        let chain = [
            "request_sent",
            "first_token",
            "first_phrase",
            "synthesis_asked",
            "first_byte",
            "first_audio_sent",
            "first_audio_played",
        ]
        .map(at);
        let spoke = at("end_of_speech");
        let mut steps = vec![at("endpointed") - spoke, at("final_transcript") - spoke];
        steps.push(chain[0] - at("endpointed").max(at("final_transcript")));
        steps.extend(chain.windows(2).map(|pair| pair[1] - pair[0]));
        // What the platform cannot see: the line to the caller's ear, and from their mouth.
        let heard = outcome["report"]["turns"]
            .as_array()
            .unwrap()
            .iter()
            .find(|heard| heard["number"] == turn["number"]);
        let at_the_caller = heard.and_then(|heard| heard["first_substantive_ms"].as_i64());
        steps.push(
            at_the_caller.unwrap_or_else(|| panic!("nothing was heard: {heard:?}")) - (chain[6] - spoke),
        );
        for (smallest, step) in smallest.iter_mut().zip(steps) {
            *smallest = step.min(*smallest);
        }
    }
    assert!(smallest[0] < i64::MAX, "no turn was answered: {outcome}");
    smallest
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_macros, reason = "figures for whoever runs it with --no-capture")]
async fn three_hundred_milliseconds_at_one_stage_move_exactly_that_stage() {
    let platform = Platform::configured("zero", ONE_AFTER_THE_OTHER).await;
    let recogniser = |ms: u32| format!(r#"{{"recogniser_ms":{ms}}}"#);
    let with = |name: &str, ms: u32| format!(r#"{{"recogniser_ms":{RECOGNISER_MS},"{name}":{ms}}}"#);
    behave(&platform, &recogniser(RECOGNISER_MS));
    let base = steps(&platform, 0).await;
    eprintln!("{:<18} {base:?}", "base");

    let mut moved = Vec::new();
    let cases = [
        ("final transcript", recogniser(RECOGNISER_MS + 300), 0),
        ("first token", with("first_token_ms", 300), 0),
        ("first phrase", with("token_ms", 30), 0),
        ("first byte", with("first_byte_ms", 300), 0),
        // There and back.
        ("heard by the caller", recogniser(RECOGNISER_MS), 150),
    ];
    for (stage, delays, line_delay_ms) in cases {
        behave(&platform, &delays);
        moved.push((stage, steps(&platform, line_delay_ms).await));
    }
    behave(&platform, &recogniser(RECOGNISER_MS));
    platform
        .db
        .execute("update public.agents set profile = jsonb_set(profile, '{endpoint_silence_ms}', '600')")
        .await;
    moved.push(("endpointing", steps(&platform, 0).await));

    for (stage, after) in moved {
        eprintln!("{stage:<18} {after:?}");
        for (index, name) in STEPS.iter().enumerate() {
            let by = after[index] - base[index];
            if *name == stage {
                // Tokens add up: a phrase of several tokens is later by more than one delay.
                let enough =
                    by > INJECTED_MS - NOISE_MS && (by < INJECTED_MS + NOISE_MS || stage == "first phrase");
                assert!(enough, "{stage} moved by {by} ms: {base:?} {after:?}");
            } else {
                assert!(by.abs() < NOISE_MS, "300 ms at {stage} moved {name} by {by} ms: {base:?} {after:?}");
            }
        }
    }
}
