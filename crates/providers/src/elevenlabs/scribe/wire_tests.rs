use super::*;
use proptest::prelude::*;
use seiketsu_domain::Language;

fn options() -> RecogniserOptions {
    RecogniserOptions {
        format: AudioFormat::Mulaw8k,
        language: Language::Es,
        endpointing_ms: 200,
        keyterms: vec!["Maple Street".to_owned()],
    }
}

fn url(options: &RecogniserOptions) -> String {
    listen_url(&"https://api.elevenlabs.io".parse().unwrap(), "scribe_v2_realtime", options)
        .unwrap()
        .to_string()
}

#[test]
fn a_phone_stream_is_asked_for_like_this() {
    insta::assert_snapshot!(url(&options()), @"wss://api.elevenlabs.io/v1/speech-to-text/realtime?model_id=scribe_v2_realtime&audio_format=ulaw_8000&commit_strategy=manual&language_code=es&keyterms=Maple%20Street");
}

#[test]
fn each_format_has_its_name_and_a_law_goes_as_samples() {
    for (format, name) in [
        (AudioFormat::Mulaw8k, "audio_format=ulaw_8000&"),
        (AudioFormat::Alaw8k, "audio_format=pcm_8000&"),
        (AudioFormat::Pcm16k, "audio_format=pcm_16000&"),
        (AudioFormat::Pcm24k, "audio_format=pcm_24000&"),
    ] {
        assert!(url(&RecogniserOptions { format, ..options() }).contains(name));
    }
}

#[test]
fn only_key_terms_that_the_vendor_takes_are_sent_and_only_as_many() {
    let count = |keyterms: Vec<String>| {
        url(&RecogniserOptions { keyterms, ..options() }).matches("keyterms=").count()
    };
    assert_eq!(count(vec!["lane".to_owned(); 1_000]), MAX_KEYTERMS);
    assert_eq!(count(vec![" ".to_owned(), "x".repeat(21), "枫".repeat(20)]), 1);
}

#[test]
fn audio_looks_like_this_on_the_wire() {
    let messages = [
        chunk(&[0xff, 0x7f, 0x00], AudioFormat::Mulaw8k, false).unwrap(),
        chunk(&[], AudioFormat::Pcm16k, true).unwrap(),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r#"
    {"message_type":"input_audio_chunk","audio_base_64":"/38A","commit":false,"sample_rate":8000}
    {"message_type":"input_audio_chunk","audio_base_64":"","commit":true,"sample_rate":16000}
    "#);
}

#[test]
fn words_come_as_partials_and_as_committed_and_new_messages_do_no_harm() {
    let started = r#"{"message_type":"session_started","session_id":"s","config":{"sample_rate":8000}}"#;
    assert_eq!(parse(started).unwrap(), Incoming::Started);
    let partial = r#"{"message_type":"partial_transcript","text":"hola"}"#;
    assert_eq!(parse(partial).unwrap(), Incoming::Partial("hola".to_owned()));
    let committed = r#"{"message_type":"committed_transcript","text":"Hola."}"#;
    assert_eq!(parse(committed).unwrap(), Incoming::Committed("Hola.".to_owned()));
    let timed = r#"{"message_type":"committed_transcript_with_timestamps","text":"Hola.","language_code":"es",
        "words":[{"text":"Hola.","start":0.1,"end":0.5,"type":"word","logprob":-0.1}]}"#;
    assert_eq!(parse(timed).unwrap(), Incoming::Unknown, "the plain form came before it");
    assert_eq!(parse(r#"{"message_type":"mood","happy":true}"#).unwrap(), Incoming::Unknown);
}

#[test]
fn each_error_means_something_to_whoever_decides_about_a_retry() {
    let limited = FailureKind::RateLimited { retry_after: None };
    for (name, kind) in [
        ("error", FailureKind::VendorFault),
        ("auth_error", FailureKind::Unauthorized),
        ("quota_exceeded", limited),
        ("transcriber_error", FailureKind::VendorFault),
        ("unaccepted_terms", FailureKind::Unauthorized),
        ("unaccepted_terms_error", FailureKind::Unauthorized),
        ("rate_limited", limited),
        ("input_error", FailureKind::BadRequest),
        ("queue_overflow", limited),
        ("resource_exhausted", FailureKind::VendorFault),
        ("session_time_limit_exceeded", FailureKind::Closed),
        ("chunk_size_exceeded", FailureKind::BadRequest),
        ("insufficient_audio_activity", FailureKind::Closed),
        ("an_error_of_tomorrow", FailureKind::VendorFault),
    ] {
        let message = format!(r#"{{"message_type":"{name}","error":"why"}}"#);
        let Incoming::Error(failure) = parse(&message).unwrap() else { panic!("{name}") };
        assert_eq!((failure.kind, failure.detail), (kind, format!("{name}: why")));
    }
    let throttled = r#"{"message_type":"commit_throttled","error":"only 0.02s of uncommitted audio"}"#;
    assert_eq!(parse(throttled).unwrap(), Incoming::CommitIgnored, "a commit less is no failure");
}

#[test]
fn a_close_is_classified_by_its_reason_first() {
    assert_eq!(closed_early(Some(1000), "commit_throttled").kind, FailureKind::Closed);
    assert_eq!(
        closed_early(Some(1008), "quota_exceeded: no credits left").kind,
        FailureKind::RateLimited { retry_after: None }
    );
    assert_eq!(closed_early(Some(1008), "auth_error").kind, FailureKind::Unauthorized);
    assert_eq!(closed_early(Some(1011), "").kind, FailureKind::VendorFault);
    assert_eq!(closed_early(None, "").kind, FailureKind::Closed);
}

#[test]
fn malformed_messages_are_garbage() {
    for garbage in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"message_type":3}"#,
        r#"{"message_type":"partial_transcript"}"#,
        r#"{"message_type":"committed_transcript","text":7}"#,
    ] {
        let failure = Failure::from(parse(garbage).unwrap_err());
        assert_eq!(failure.kind, FailureKind::Garbage, "{garbage}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
        let _ = closed_early(None, &text);
    }
}
