//! The timeline tells the truth: a delay injected at one stage moves that stage and no other.

use crate::{
    failures::{get, http},
    platform::Platform,
};
use seiketsu_gateway::admin::dependencies::Dependencies;
use seiketsu_providers::failover::Kind;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
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
    // The first line cuts the greeting short, and is not measured: what is left of the greeting may be heard after it.
    std::fs::write(
        &script,
        r#"[{"wait_ms":200},{"say":"hello"},{"say":"are you a robot"},{"say":"are you a real person"}]"#,
    )
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
    for turn in turns.iter().filter(|turn| turn["number"].as_u64() > Some(1) && turn["outcome"] == "answered")
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

/// What is injected, and where it is to be seen.
struct Case {
    stage: &'static str,
    delays: String,
    line_delay_ms: u32,
    endpoint_silence_ms: Option<u32>,
}

impl Case {
    fn delays(stage: &'static str, delays: String) -> Self {
        Self { stage, delays, line_delay_ms: 0, endpoint_silence_ms: None }
    }
}

/// The steps without and with each of the delays, on a platform of its own.
async fn measure(cases: Vec<Case>) -> ([i64; 10], Vec<(&'static str, [i64; 10])>) {
    let platform = Platform::configured("zero", ONE_AFTER_THE_OTHER).await;
    is_prepared(&platform).await;
    behave(&platform, &recogniser(RECOGNISER_MS));
    let base = steps(&platform, 0).await;
    let mut moved = Vec::new();
    for Case { stage, delays, line_delay_ms, endpoint_silence_ms } in cases {
        behave(&platform, &delays);
        if let Some(ms) = endpoint_silence_ms {
            let profile = format!("jsonb_set(profile, '{{endpoint_silence_ms}}', '{ms}')");
            platform.db.execute(&format!("update public.agents set profile = {profile}")).await;
        }
        moved.push((stage, steps(&platform, line_delay_ms).await));
    }
    (base, moved)
}

/// Until the platform has had its agents' fixed sentences spoken: that takes the processor from what is measured.
async fn is_prepared(platform: &Platform) {
    let (http, address) = (http(), format!("http://127.0.0.1:{}/health/dependencies", platform.admin_port()));
    let mut before = None;
    loop {
        let health = get(&http, &address).await.unwrap_or_default();
        let routes = serde_json::from_value::<Dependencies>(health).unwrap().routes;
        let asked: u64 =
            routes.iter().filter(|route| route.kind == Kind::Voice).map(|route| route.requests).sum();
        let is_over = asked > 0 && before == Some(asked);
        if is_over {
            return;
        }
        before = Some(asked);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn recogniser(ms: u32) -> String {
    format!(r#"{{"recogniser_ms":{ms}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_macros, reason = "figures for whoever runs it with --no-capture")]
async fn three_hundred_milliseconds_at_one_stage_move_exactly_that_stage() {
    let with = |name: &str, ms: u32| format!(r#"{{"recogniser_ms":{RECOGNISER_MS},"{name}":{ms}}}"#);
    let one_half = vec![
        Case::delays("final transcript", recogniser(RECOGNISER_MS + 300)),
        Case::delays("first token", with("first_token_ms", 300)),
        Case::delays("first phrase", with("token_ms", 30)),
    ];
    let other_half = vec![
        Case::delays("first byte", with("first_byte_ms", 300)),
        // There and back.
        Case { line_delay_ms: 150, ..Case::delays("heard by the caller", recogniser(RECOGNISER_MS)) },
        Case { endpoint_silence_ms: Some(600), ..Case::delays("endpointing", recogniser(RECOGNISER_MS)) },
    ];
    // Two platforms at once, because each call takes its time.
    let halves = tokio::join!(measure(one_half), measure(other_half));
    for (base, moved) in [halves.0, halves.1] {
        eprintln!("{:<19} {base:?}", "base");
        for (stage, after) in moved {
            eprintln!("{stage:<19} {after:?}");
            for (index, name) in STEPS.iter().enumerate() {
                let by = after[index] - base[index];
                if *name == stage {
                    // Tokens add up: a phrase of several tokens is later by more than one delay.
                    let enough = by > INJECTED_MS - NOISE_MS
                        && (by < INJECTED_MS + NOISE_MS || stage == "first phrase");
                    assert!(enough, "{stage} moved by {by} ms: {base:?} {after:?}");
                } else {
                    assert!(
                        by.abs() < NOISE_MS,
                        "300 ms at {stage} moved {name} by {by} ms: {base:?} {after:?}"
                    );
                }
            }
        }
    }
}
