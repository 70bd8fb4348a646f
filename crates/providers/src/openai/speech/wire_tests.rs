use super::*;
use proptest::prelude::*;

fn body(model: &str, speed: Option<f32>) -> String {
    String::from_utf8(request_body(model, "coral", speed, Language::Es, " Hola. ").unwrap()).unwrap()
}

#[test]
fn a_request_looks_like_this_on_the_wire() {
    insta::assert_snapshot!(body("gpt-4o-mini-tts", None), @r#"{"model":"gpt-4o-mini-tts","input":"Hola.","voice":"coral","response_format":"pcm","instructions":"Speak Spanish, friendly and unhurried, as on the telephone."}"#);
    insta::assert_snapshot!(body("tts-1", Some(1.25)), @r#"{"model":"tts-1","input":"Hola.","voice":"coral","response_format":"pcm","speed":1.25}"#);
}

#[test]
fn each_language_has_a_voice() {
    let voices = SpeechVoices::default();
    for language in [Language::En, Language::Es, Language::Zh] {
        assert!(!voices.of(language).is_empty());
    }
}

#[test]
fn more_audio_than_a_text_can_be_is_garbage() {
    let mut samples = Samples::default();
    let minute = Bytes::from(vec![0; 60_000 * FORMAT.bytes_per_ms()]);
    let refused = (0..30).find_map(|number| samples.push(minute.clone()).err().map(|error| (number, error)));
    assert_eq!(refused, Some((20, TooLong)));
    assert_eq!(Failure::from(TooLong).kind, FailureKind::Garbage);
    assert_eq!(TooLong.to_string(), "more than 20 minutes of audio");
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_only_whole_samples_come_out(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..20)
    ) {
        let sent: Vec<u8> = pieces.concat();
        let mut samples = Samples::default();
        let mut received = Vec::new();
        for piece in pieces {
            let audio = samples.push(piece.into()).unwrap();
            prop_assert_eq!(audio.len() % 2, 0);
            received.extend_from_slice(&audio);
        }
        prop_assert_eq!(&received[..], &sent[..sent.len() & !1]);
        prop_assert_eq!(samples.is_empty(), sent.is_empty());
    }
}
