//! Somebody calls.

use crate::platform::Platform;
use serde_json::Value;

const BOOKING: [&str; 5] = [
    "hi i am looking for a three bedroom house to buy",
    "the first one sounds good could i see it tomorrow at ten",
    "yes please my name is jordan lee",
    "no that is all thank you",
    "goodbye",
];

fn say<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    lines.iter().flat_map(|line| ["--say", line]).collect()
}

fn words(text: &str) -> Vec<String> {
    let plain: String = text
        .to_lowercase()
        .replace('’', "'")
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' })
        .collect();
    plain.split_whitespace().map(str::to_owned).collect()
}

/// What the agent said by the platform's own record.
fn transcript(stored: &Value) -> Vec<String> {
    let turns = stored["turns"].as_array().unwrap();
    turns.iter().flat_map(|turn| words(turn["heard_text"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_each_brokerage_books_a_viewing_and_the_transcript_is_what_was_heard() {
    let platform = Platform::start("fast").await;
    let call = async |tenant: &str| {
        let mut arguments = vec!["call", "--tenant", tenant, "--expect", "viewing", "--json"];
        arguments.extend(say(&BOOKING));
        let ran = platform.run(&arguments).await;
        assert!(ran.status.success(), "{tenant}: {ran:?}");
        let outcome = ran.json();
        assert_eq!(outcome["expected"], true, "{tenant}");
        assert_eq!(
            outcome["report"]["ended_by"]["by"], "platform_hung_up",
            "{tenant}: {}",
            outcome["report"]
        );
        let recovered = words(outcome["report"]["whole_agent_text"].as_str().unwrap());
        assert_eq!(recovered, transcript(&outcome["stored"]), "{tenant}");
        assert!(recovered.len() > 40, "{tenant}: {recovered:?}");
        for turn in outcome["report"]["turns"].as_array().unwrap() {
            assert_eq!(turn["end"], "answered", "{tenant}: {turn}");
        }
        let errors = outcome["report"]["errors"].as_array().unwrap();
        assert!(errors.is_empty(), "{tenant}: the carrier complains: {errors:?}");
    };
    tokio::join!(call("lone-star-homes"), call("rose-city-realty"), call("biscayne-bay-homes"));
    let count = |query: &'static str| platform.db.count(query);
    assert_eq!(count("select count(*) from public.viewings where status = 'booked'").await, 3);
    assert_eq!(count("select count(*) from public.calls where end_reason = 'agent_hung_up'").await, 3);
    assert_eq!(count("select count(*) from public.usage_records").await, 3);
    assert_eq!(count("select count(distinct tenant_id) from public.viewings").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_agent_falls_silent_and_its_transcript_ends_at_the_word_heard() {
    let platform = Platform::start("fast").await;
    let mut arguments = vec!["call", "--tenant", "lone-star-homes", "--interrupt-after", "2500", "--json"];
    arguments.extend(say(&[
        "hi i am looking for a three bedroom house to buy",
        "no i want a condo with two bedrooms",
        "thank you goodbye",
    ]));
    let ran = platform.run(&arguments).await;
    assert!(ran.status.success(), "{ran:?}");
    let outcome = ran.json();
    let (heard, stored) = (&outcome["report"]["turns"], &outcome["stored"]["turns"]);
    assert_eq!(stored[1]["outcome"], "interrupted", "{stored}");
    assert_eq!(heard[0]["end"], "interrupted", "{heard}");
    let recovered = words(heard[0]["heard_text"].as_str().unwrap());
    let kept = words(stored[1]["heard_text"].as_str().unwrap());
    let generated = words(stored[1]["generated_text"].as_str().unwrap());
    // Estimated word times put an answer's last word one to either side at most.
    assert!(recovered.len().abs_diff(kept.len()) <= 1, "heard {recovered:?}, kept {kept:?}");
    let shorter = recovered.len().min(kept.len());
    assert_eq!(recovered[..shorter], kept[..shorter]);
    assert!(kept.len() < generated.len() + 6, "{kept:?} of {generated:?}");
    assert!(heard[0]["playback_stopped_ms"].as_u64().is_some(), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_saved_recording_holds_the_words_of_the_stored_transcript() {
    let platform = Platform::start("zero").await;
    let wav = platform.state().join("call.wav");
    let mut arguments =
        vec!["call", "--tenant", "rose-city-realty", "--json", "--save", wav.to_str().unwrap()];
    arguments.extend(say(&["what houses do you have", "no thank you goodbye"]));
    let ran = platform.run(&arguments).await;
    assert!(ran.status.success(), "{ran:?}");
    let mut reader = hound::WavReader::open(&wav).unwrap();
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 8_000));
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let agent: Vec<i16> = samples.chunks_exact(2).map(|pair| pair[1]).collect();
    let reading = seiketsu_audio::subcarrier::read(&agent);
    assert_eq!(words(&reading.text), transcript(&ran.json()["stored"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_line_is_cut_goes_on_with_the_same_call() {
    let platform = Platform::start("zero").await;
    let script = platform.state().join("cut.json");
    std::fs::write(
        &script,
        r#"[{"say":"i am looking for a condo"},{"wait_ms":4000},"cut_stream",{"wait_ms":5000},{"say":"thank you goodbye"}]"#,
    )
    .unwrap();
    let arguments = ["call", "--tenant", "lone-star-homes", "--json", "--script", script.to_str().unwrap()];
    let ran = platform.run(&arguments).await;
    let outcome = ran.json();
    assert_eq!(outcome["report"]["streams"], 2, "{}", outcome["report"]);
    let turns = outcome["stored"]["turns"].as_array().unwrap();
    assert!(
        turns.iter().any(|turn| turn["heard_text"] == "Sorry, we were cut off. Please go on."),
        "{turns:?}"
    );
    let numbers: Vec<u64> = turns.iter().map(|turn| turn["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(platform.db.count("select count(*) from public.calls").await, 1);
    assert_eq!(platform.db.count("select count(*) from public.usage_records").await, 1);
}
