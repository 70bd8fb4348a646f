use super::*;
use base64_simd::STANDARD;
use serde_json::Value;

const FORMAT: AudioFormat = AudioFormat::Mulaw8k;

fn speech(milliseconds: usize) -> Bytes {
    vec![1; milliseconds * FORMAT.bytes_per_ms()].into()
}

/// The milliseconds of audio in a message, how much of it is silence, and whether it commits.
fn sent(message: &Message) -> (usize, usize, bool) {
    let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    let audio = STANDARD.decode_to_vec(message["audio_base_64"].as_str().unwrap()).unwrap();
    let silence = audio.len() - audio.iter().position(|byte| *byte == 0xff).unwrap_or(audio.len());
    let per_ms = FORMAT.bytes_per_ms();
    (audio.len() / per_ms, silence / per_ms, message["commit"].as_bool().unwrap())
}

fn committed(stream: &mut Stream, words: &str) -> Option<RecognitionEvent> {
    stream.take(&format!(r#"{{"message_type":"committed_transcript","text":"{words}"}}"#)).unwrap()
}

fn partial(stream: &mut Stream, words: &str) -> Option<RecognitionEvent> {
    stream.take(&format!(r#"{{"message_type":"partial_transcript","text":"{words}"}}"#)).unwrap()
}

fn answer(words: &str, start_ms: u64, end_ms: u64, from_finalize: bool) -> RecognitionEvent {
    RecognitionEvent::Final {
        text: words.to_owned(),
        speech_final: false,
        from_finalize,
        start_ms,
        end_ms,
        confidence: None,
    }
}

#[test]
fn audio_goes_out_in_tenths_of_a_second_and_a_commit_takes_the_rest_with_it() {
    let mut stream = Stream::new(FORMAT);
    for _ in 0..4 {
        assert_eq!(stream.audio(speech(20)).unwrap(), None);
    }
    assert_eq!(sent(&stream.audio(speech(20)).unwrap().unwrap()), (100, 0, false));
    assert_eq!(sent(&stream.audio(speech(250)).unwrap().unwrap()), (250, 0, false));
    assert_eq!(stream.audio(speech(20)).unwrap(), None);
    assert_eq!(sent(&stream.finalize().unwrap().unwrap()), (20, 0, true));
}

#[test]
fn a_commit_of_too_little_audio_is_filled_up_with_silence() {
    let mut stream = Stream::new(FORMAT);
    stream.audio(speech(20)).unwrap();
    assert_eq!(sent(&stream.finalize().unwrap().unwrap()), (320, 300, true));
    stream.audio(speech(10)).unwrap();
    assert_eq!(sent(&stream.finalize().unwrap().unwrap()), (320, 310, true), "each commit counts anew");
    stream.audio(speech(200)).unwrap();
    assert_eq!(sent(&stream.finalize().unwrap().unwrap()), (120, 120, true), "what was sent before counts");
}

#[test]
fn positions_are_those_of_the_callers_audio_whatever_was_added_to_it() {
    let mut stream = Stream::new(FORMAT);
    stream.audio(speech(100)).unwrap();
    stream.finalize().unwrap();
    stream.keep_alive().unwrap();
    stream.audio(speech(50)).unwrap();
    assert_eq!(committed(&mut stream, "yes"), Some(answer("yes", 0, 100, true)));
    let so_far = RecognitionEvent::Partial { text: "an".to_owned(), start_ms: 100, end_ms: 150 };
    assert_eq!(partial(&mut stream, "an"), Some(so_far));
    stream.audio(speech(50)).unwrap();
    stream.finalize().unwrap();
    assert_eq!(committed(&mut stream, "and no"), Some(answer("and no", 100, 200, true)));
}

#[test]
fn answers_belong_to_their_commits_in_order_and_an_unasked_one_to_none() {
    let mut stream = Stream::new(FORMAT);
    stream.audio(speech(400)).unwrap();
    stream.finalize().unwrap();
    stream.audio(speech(500)).unwrap();
    stream.finalize().unwrap();
    stream.audio(speech(100)).unwrap();
    assert_eq!(committed(&mut stream, "a"), Some(answer("a", 0, 400, true)));
    let ignored = r#"{"message_type":"commit_throttled","error":"x"}"#;
    assert_eq!(stream.take(ignored).unwrap(), Some(answer("", 400, 900, true)));
    assert_eq!(committed(&mut stream, "by itself"), Some(answer("by itself", 900, 1_000, false)));
    assert_eq!(stream.take(ignored).unwrap(), None);
}

#[test]
fn questions_without_answers_are_counted_up_to_a_limit() {
    let mut stream = Stream::new(FORMAT);
    for _ in 0..10 * MAX_PENDING {
        stream.audio(speech(10)).unwrap();
        stream.finalize().unwrap();
    }
    assert_eq!(stream.pending.len(), MAX_PENDING);
    assert_eq!(stream.pending.back(), Some(&(10 * 10 * MAX_PENDING as u64)));
}

#[test]
fn words_are_asked_for_once_however_often_somebody_wants_them() {
    let mut stream = Stream::new(FORMAT);
    stream.audio(speech(400)).unwrap();
    assert!(stream.finalize().unwrap().is_some());
    assert_eq!((stream.finalize().unwrap(), stream.close().unwrap()), (None, None));
    assert!(stream.owes_words());
    assert_eq!(committed(&mut stream, "a"), Some(answer("a", 0, 400, true)));
    assert!(!stream.owes_words());
    assert_eq!(stream.close().unwrap(), None, "everything has been answered");
    assert!(stream.finalize().unwrap().is_some(), "whoever asks is answered, even about nothing new");
}

#[test]
fn the_answer_to_the_last_commit_is_the_end_of_a_closed_stream() {
    let mut stream = Stream::new(FORMAT);
    stream.audio(speech(400)).unwrap();
    stream.finalize().unwrap();
    stream.audio(speech(400)).unwrap();
    assert!(stream.close().unwrap().is_some());
    committed(&mut stream, "a").unwrap();
    assert!(stream.owes_words());
    committed(&mut stream, "b").unwrap();
    assert!(!stream.owes_words());
}

#[test]
fn no_words_yet_are_no_partial_and_a_law_is_sent_as_samples() {
    let mut stream = Stream::new(AudioFormat::Alaw8k);
    assert_eq!(partial(&mut stream, ""), None);
    let message = stream.audio(vec![0xd5; 800].into()).unwrap().unwrap();
    let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    let samples = STANDARD.decode_to_vec(message["audio_base_64"].as_str().unwrap()).unwrap();
    assert_eq!(samples, [8, 0].repeat(800));
}
