use super::*;
use proptest::prelude::*;
use seiketsu_domain::Language;

fn options(model: &str, format: AudioFormat) -> VoiceOptions {
    let voice = VoiceChoice {
        voice_id: "21m00Tcm4TlvDq8ikWAM".to_owned(),
        model: model.to_owned(),
        stability: 0.5,
        similarity: 0.75,
    };
    VoiceOptions { voice, language: Language::Es, format }
}

fn url(options: &VoiceOptions) -> String {
    stream_url(&"https://api.elevenlabs.io".parse().unwrap(), options).unwrap().to_string()
}

#[test]
fn a_phone_session_is_asked_for_like_this() {
    insta::assert_snapshot!(url(&options("eleven_flash_v2_5", AudioFormat::Mulaw8k)), @"wss://api.elevenlabs.io/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/multi-stream-input?model_id=eleven_flash_v2_5&output_format=ulaw_8000&auto_mode=true&sync_alignment=true&inactivity_timeout=60&language_code=es");
}

#[test]
fn each_format_has_its_name_and_a_foreign_voice_id_cannot_leave_its_place_in_the_path() {
    for (format, name) in [
        (AudioFormat::Mulaw8k, "output_format=ulaw_8000"),
        (AudioFormat::Alaw8k, "output_format=alaw_8000"),
        (AudioFormat::Pcm16k, "output_format=pcm_16000"),
        (AudioFormat::Pcm24k, "output_format=pcm_24000"),
    ] {
        assert!(url(&options("eleven_flash_v2_5", format)).contains(name));
    }
    let mut evil = options("eleven_flash_v2_5", AudioFormat::Mulaw8k);
    evil.voice.voice_id = "../admin?x=".to_owned();
    assert!(url(&evil).contains("/text-to-speech/..%2Fadmin%3Fx=/multi-stream-input?"), "{}", url(&evil));
}

#[test]
fn the_language_is_told_only_to_models_that_take_it() {
    assert!(url(&options("eleven_turbo_v2_5", AudioFormat::Mulaw8k)).contains("language_code=es"));
    assert!(!url(&options("eleven_multilingual_v2", AudioFormat::Mulaw8k)).contains("language_code"));
}

#[test]
fn one_thing_to_say_looks_like_this_on_the_wire() {
    let voice = options("eleven_flash_v2_5", AudioFormat::Mulaw8k).voice;
    let messages = speak("7", "  Say \"hello\".\n", &voice).unwrap();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    {"text":" ","context_id":"7","voice_settings":{"stability":0.5,"similarity_boost":0.75}}
    {"text":"Say \"hello\". ","context_id":"7","flush":true}
    {"context_id":"7","close_context":true}
    "#);
}

fn chars(message: &str) -> Vec<(char, u32, u32)> {
    let Incoming::Piece { alignment, .. } = parse(message).unwrap() else { panic!("{message}") };
    alignment.iter().map(|char| (char.character, char.start_ms, char.duration_ms)).collect()
}

#[test]
fn a_piece_brings_audio_and_the_times_of_its_characters() {
    let message = r#"{"audio":"AAECAw==","isFinal":null,"contextId":"7",
        "alignment":{"chars":["H","i"," "],"charStartTimesMs":[0,93,180],"charDurationsMs":[93,87,0]},
        "normalizedAlignment":{"chars":["H","i"],"charStartTimesMs":[0,93],"charDurationsMs":[93,87]}}"#;
    let Incoming::Piece { context, audio, last, .. } = parse(message).unwrap() else { panic!() };
    assert_eq!((context.as_str(), &audio[..], last), ("7", &[0_u8, 1, 2, 3][..], false));
    assert_eq!(chars(message), [('H', 0, 93), ('i', 93, 87), (' ', 180, 0)]);
}

#[test]
fn both_spellings_of_durations_are_read() {
    let message = r#"{"audio":"","alignment":{"chars":["a"],"charStartTimesMs":[3],"charsDurationsMs":[4]}}"#;
    assert_eq!(chars(message), [('a', 3, 4)]);
}

#[test]
fn an_odd_alignment_never_breaks_the_audio() {
    let alignment = |alignment: &str| chars(&format!(r#"{{"audio":"","alignment":{alignment}}}"#));
    assert_eq!(alignment("null"), []);
    assert_eq!(
        alignment(r#"{"chars":["ab",""],"charStartTimesMs":[1,2],"charDurationsMs":[1,2]}"#),
        [('a', 1, 1), ('b', 1, 1)]
    );
    assert_eq!(
        alignment(r#"{"chars":["a","b"],"charStartTimesMs":[1.6],"charDurationsMs":[-5,9e99]}"#),
        [('a', 2, 0)]
    );
}

#[test]
fn the_last_message_of_a_context_may_bring_audio_or_none() {
    let nothing = r#"{"audio":null,"isFinal":true,"contextId":"7"}"#;
    let expected =
        Incoming::Piece { context: "7".to_owned(), audio: Bytes::new(), alignment: vec![], last: true };
    assert_eq!(parse(nothing).unwrap(), expected);
    assert_eq!(parse(r#"{"is_final":true,"context_id":"7"}"#).unwrap(), expected);
    let Incoming::Piece { audio, last, .. } =
        parse(r#"{"audio":"AAE=","isFinal":true,"contextId":"7"}"#).unwrap()
    else {
        panic!()
    };
    assert_eq!((&audio[..], last), (&[0_u8, 1][..], true));
}

#[test]
fn errors_are_classified_by_the_vendors_own_names() {
    let error = |message: &str| {
        let Incoming::Error { context, failure } = parse(message).unwrap() else { panic!("{message}") };
        (context, failure.kind)
    };
    let limited = FailureKind::RateLimited { retry_after: None };
    assert_eq!(
        error(
            r#"{"message":"Maximum simultaneous contexts exceeded","error":"max_active_conversations","code":1008}"#
        ),
        (None, limited)
    );
    assert_eq!(
        error(r#"{"message":"Quota","error":"quota_exceeded","code":1008,"contextId":"3"}"#),
        (Some("3".to_owned()), limited)
    );
    assert_eq!(
        error(r#"{"message":"bad","error":"invalid_api_key","code":1008}"#).1,
        FailureKind::Unauthorized
    );
    assert_eq!(
        error(r#"{"message":"bad","error":"input_validation","code":1008}"#).1,
        FailureKind::BadRequest
    );
    assert_eq!(error(r#"{"message":"boom","error":"internal","code":1011}"#).1, FailureKind::VendorFault);
    assert_eq!(error(r#"{"message":"boom","error":"what"}"#).1, FailureKind::VendorFault);
    assert_eq!(error(r#"{"message":"boom","code":1011}"#).1, FailureKind::VendorFault);
}

#[test]
fn a_close_is_classified_by_its_reason_first() {
    let limited = FailureKind::RateLimited { retry_after: None };
    assert_eq!(closed_early(Some(1008), "max_active_conversations").kind, limited);
    assert_eq!(closed_early(Some(1008), "input_timeout_exceeded").kind, FailureKind::Timeout);
    assert_eq!(closed_early(Some(1008), "A valid voice is required").kind, FailureKind::BadRequest);
    assert_eq!(closed_early(None, "").kind, FailureKind::Closed);
}

#[test]
fn malformed_messages_are_garbage_and_new_ones_do_no_harm() {
    for garbage in [
        "",
        "null",
        "3",
        "{",
        r#"{"audio":3}"#,
        r#"{"audio":"?"}"#,
        r#"{"audio":"AAA"}"#,
        r#"{"audio":"","alignment":{"chars":["a"]}}"#,
    ] {
        let failure = Failure::from(parse(garbage).unwrap_err());
        assert_eq!(failure.kind, FailureKind::Garbage, "{garbage}");
    }
    assert_eq!(parse("{}").unwrap(), Incoming::Unknown);
    assert_eq!(parse(r#"{"contextId":"7","progress":1}"#).unwrap(), Incoming::Unknown);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", start in any::<f64>()) {
        let _ = parse(&text);
        let times = format!(r#"{{"chars":["a"],"charStartTimesMs":[{start:e}],"charDurationsMs":[{start:e}]}}"#);
        let _ = parse(&format!(r#"{{"audio":"","alignment":{times}}}"#));
    }
}
