use super::*;
use proptest::prelude::*;
use seiketsu_domain::Language;

fn options() -> RecogniserOptions {
    RecogniserOptions {
        format: AudioFormat::Mulaw8k,
        language: Language::En,
        endpointing_ms: 200,
        keyterms: vec!["Maple Street".to_owned(), "Ångström & Sons".to_owned()],
    }
}

fn url(model: &str, options: &RecogniserOptions) -> String {
    listen_url(&"https://api.deepgram.com".parse().unwrap(), model, options).unwrap().to_string()
}

#[test]
fn a_phone_stream_is_asked_for_like_this() {
    insta::assert_snapshot!(url("nova-3", &options()), @"wss://api.deepgram.com/v1/listen?model=nova-3&language=en&encoding=mulaw&sample_rate=8000&channels=1&interim_results=true&endpointing=200&utterance_end_ms=1000&vad_events=true&punctuate=true&smart_format=false&keyterm=Maple%20Street&keyterm=%C3%85ngstr%C3%B6m%20%26%20Sons");
}

#[test]
fn each_format_has_its_encoding_and_rate() {
    let query = |format| {
        let url = url("nova-3", &RecogniserOptions { format, ..options() });
        let from = url.find("encoding").unwrap();
        url[from..url.find("&channels").unwrap()].to_owned()
    };
    assert_eq!(query(AudioFormat::Mulaw8k), "encoding=mulaw&sample_rate=8000");
    assert_eq!(query(AudioFormat::Alaw8k), "encoding=alaw&sample_rate=8000");
    assert_eq!(query(AudioFormat::Pcm16k), "encoding=linear16&sample_rate=16000");
    assert_eq!(query(AudioFormat::Pcm24k), "encoding=linear16&sample_rate=24000");
}

#[test]
fn key_terms_go_only_to_models_that_know_them_and_only_as_many_as_allowed() {
    assert!(!url("nova-2", &options()).contains("keyterm"));
    let many = RecogniserOptions { keyterms: vec!["lane".to_owned(); 1_000], ..options() };
    assert_eq!(url("nova-3", &many).matches("keyterm=").count(), MAX_KEYTERMS);
    let long = RecogniserOptions { keyterms: vec!["x".repeat(400); 10], ..options() };
    assert_eq!(url("nova-3", &long).matches("keyterm=").count(), 3);
    let blank = RecogniserOptions { keyterms: vec![" ".to_owned()], ..options() };
    assert_eq!(url("nova-3", &blank).matches("keyterm=").count(), 0);
}

#[test]
fn interim_words_are_a_partial() {
    let message = r#"{"type":"Results","channel_index":[0,1],"duration":1.039875,"start":0.98,"is_final":false,
        "speech_final":false,"channel":{"alternatives":[{"transcript":"hello there","confidence":0.98,"words":[]}]},
        "metadata":{"request_id":"r"},"from_finalize":false}"#;
    let expected = RecognitionEvent::Partial { text: "hello there".to_owned(), start_ms: 980, end_ms: 2_020 };
    assert_eq!(parse(message).unwrap(), Incoming::Event(expected));
}

#[test]
fn final_words_say_whether_the_speaker_paused_and_whether_we_asked() {
    let event = |speech_final, from_finalize| RecognitionEvent::Final {
        text: "yes".to_owned(),
        speech_final,
        from_finalize,
        start_ms: 1_000,
        end_ms: 1_500,
        confidence: Some(0.5),
    };
    let message = |speech_final, from_finalize| {
        let message = format!(
            r#"{{"type":"Results","start":1.0,"duration":0.5,"is_final":true,"speech_final":{speech_final},
            "from_finalize":{from_finalize},"channel":{{"alternatives":[{{"transcript":"yes","confidence":0.5}}]}}}}"#
        );
        parse(&message).unwrap()
    };
    assert_eq!(message(true, false), Incoming::Event(event(true, false)));
    assert_eq!(message(false, true), Incoming::Event(event(false, true)));
}

#[test]
fn a_final_without_any_alternative_is_silence() {
    let message =
        r#"{"type":"Results","start":1.0,"duration":0.5,"is_final":true,"channel":{"alternatives":[]}}"#;
    let Incoming::Event(RecognitionEvent::Final { text, .. }) = parse(message).unwrap() else { panic!() };
    assert_eq!(text, "");
}

#[test]
fn how_sure_the_vendor_is_is_said_of_words_only() {
    let confidence = |alternative: &str| {
        let message = format!(
            r#"{{"type":"Results","start":1.0,"duration":0.5,"is_final":true,"channel":{{"alternatives":[{alternative}]}}}}"#
        );
        let Incoming::Event(RecognitionEvent::Final { confidence, .. }) = parse(&message).unwrap() else {
            panic!()
        };
        confidence
    };
    assert_eq!(confidence(r#"{"transcript":"yes","confidence":0.75}"#), Some(0.75));
    assert_eq!(confidence(r#"{"transcript":"yes","confidence":7}"#), Some(1.0));
    assert_eq!(confidence(r#"{"transcript":"yes"}"#), None);
    assert_eq!(confidence(r#"{"transcript":"","confidence":0.0}"#), None);
}

#[test]
fn the_other_messages_are_known_and_new_ones_do_no_harm() {
    let utterance_end = r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.395}"#;
    let expected = RecognitionEvent::UtteranceEnd { last_word_end_ms: 2_395 };
    assert_eq!(parse(utterance_end).unwrap(), Incoming::Event(expected));
    let no_word = r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":-1}"#;
    let expected = RecognitionEvent::UtteranceEnd { last_word_end_ms: 0 };
    assert_eq!(parse(no_word).unwrap(), Incoming::Event(expected));
    let started = r#"{"type":"SpeechStarted","channel":[0,1],"timestamp":9.54}"#;
    let expected = RecognitionEvent::SpeechStarted { at_ms: 9_540 };
    assert_eq!(parse(started).unwrap(), Incoming::Event(expected));
    let metadata = r#"{"type":"Metadata","request_id":"r","duration":5.2,"channels":1}"#;
    assert_eq!(parse(metadata).unwrap(), Incoming::Metadata);
    assert_eq!(parse(r#"{"type":"Sentiment","x":[1]}"#).unwrap(), Incoming::Unknown);
    let error = r#"{"type":"Error","description":"Could not process","variant":"DATA-0000"}"#;
    let Incoming::Error(failure) = parse(error).unwrap() else { panic!() };
    assert_eq!((failure.kind, failure.detail.as_str()), (FailureKind::VendorFault, "Could not process"));
}

#[test]
fn malformed_messages_are_garbage() {
    for garbage in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"type":3}"#,
        r#"{"type":"Results"}"#,
        r#"{"type":"Results","start":"0","duration":1,"channel":{"alternatives":[]}}"#,
        r#"{"type":"Results","start":0,"duration":1,"channel":{"alternatives":[{"transcript":null}]}}"#,
        r#"{"type":"UtteranceEnd"}"#,
        r#"{"type":"SpeechStarted","timestamp":null}"#,
    ] {
        let failure = Failure::from(parse(garbage).unwrap_err());
        assert_eq!(failure.kind, FailureKind::Garbage, "{garbage}");
    }
}

#[test]
fn absurd_times_are_bounded_and_never_run_backwards() {
    let message =
        r#"{"type":"Results","start":1e300,"duration":-5,"is_final":false,"channel":{"alternatives":[]}}"#;
    let Incoming::Event(RecognitionEvent::Partial { start_ms, end_ms, .. }) = parse(message).unwrap() else {
        panic!()
    };
    assert_eq!((start_ms, end_ms), (u64::MAX, u64::MAX));
}

#[test]
fn the_vendors_own_close_codes_are_understood() {
    assert_eq!(closed_early(Some(1008), "DATA-0000").kind, FailureKind::BadRequest);
    assert_eq!(closed_early(Some(1011), "NET-0001: no audio").kind, FailureKind::Timeout);
    assert_eq!(closed_early(Some(1011), "NET-0000").kind, FailureKind::VendorFault);
    assert_eq!(closed_early(None, "").kind, FailureKind::Closed);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", start in any::<f64>(), duration in any::<f64>()) {
        let _ = parse(&text);
        let _ = parse(&format!(
            r#"{{"type":"Results","start":{start:e},"duration":{duration:e},"channel":{{"alternatives":[]}}}}"#
        ));
    }
}
