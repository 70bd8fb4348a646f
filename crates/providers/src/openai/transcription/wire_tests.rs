use super::*;
use proptest::prelude::*;
use seiketsu_domain::Language;

fn options(keyterms: &[&str]) -> RecogniserOptions {
    RecogniserOptions {
        format: AudioFormat::Mulaw8k,
        language: Language::En,
        endpointing_ms: 200,
        keyterms: keyterms.iter().map(|&term| term.to_owned()).collect(),
    }
}

/// What an answer says, read in one piece and byte by byte, which must not differ.
fn read(answer: &str) -> (Vec<Heard>, Result<(), AnswerError>) {
    let read = |piece: usize| {
        let mut parser = AnswerParser::new();
        let mut heard = Vec::new();
        for piece in answer.as_bytes().chunks(piece) {
            if let Err(error) = parser.push(piece, &mut heard) {
                return (heard, Err(error));
            }
        }
        let end = parser.end(&mut heard);
        (heard, end)
    };
    let whole = read(answer.len().max(1));
    assert_eq!(whole, read(1));
    whole
}

fn all(text: &str) -> Heard {
    Heard::All { text: text.to_owned(), confidence: None }
}

#[test]
fn a_request_looks_like_this_on_the_wire() {
    let body = body("gpt-4o-mini-transcribe", &options(&["Maple Street", " ", "Ada"]), &[0xff, 0x00]);
    let text: String = body
        .iter()
        .filter(|&&byte| byte != b'\r')
        .map(|&byte| if byte == b'\n' || (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' })
        .collect();
    insta::assert_snapshot!(text, @r#"
    --seiketsu-5f1d0c6a94e27b38-utterance
    content-disposition: form-data; name="model"

    gpt-4o-mini-transcribe
    --seiketsu-5f1d0c6a94e27b38-utterance
    content-disposition: form-data; name="language"

    en
    --seiketsu-5f1d0c6a94e27b38-utterance
    content-disposition: form-data; name="response_format"

    json
    --seiketsu-5f1d0c6a94e27b38-utterance
    content-disposition: form-data; name="stream"

    true
    --seiketsu-5f1d0c6a94e27b38-utterance
    content-disposition: form-data; name="include[]"

    logprobs
    --seiketsu-5f1d0c6a94e27b38-utterance
    content-disposition: form-data; name="prompt"

    Maple Street, Ada
    --seiketsu-5f1d0c6a94e27b38-utterance
    content-disposition: form-data; name="file"; filename="utterance.wav"
    content-type: audio/wav

    RIFF(...WAVEfmt ........@....>......data........
    --seiketsu-5f1d0c6a94e27b38-utterance--
    "#);
    assert!(CONTENT_TYPE.ends_with(BOUNDARY));
}

#[test]
fn the_sound_is_a_wave_file_of_samples() {
    let wave = wave(AudioFormat::Pcm16k, &[1, 2, 3, 4, 5]);
    let mut expected = Vec::new();
    expected.extend_from_slice(b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0");
    expected.extend_from_slice(&16_000_u32.to_le_bytes());
    expected.extend_from_slice(&32_000_u32.to_le_bytes());
    expected.extend_from_slice(b"\x02\0\x10\0data\x04\0\0\0\x01\x02\x03\x04");
    assert_eq!(wave, expected);
}

#[test]
fn no_word_to_expect_can_add_a_part_of_its_own() {
    let evil = format!("x\r\n--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nother");
    let body = body("m", &options(&[&evil]), &[]);
    let text = String::from_utf8_lossy(&body);
    assert_eq!(text.matches(&format!("\r\n--{BOUNDARY}")).count(), 6, "{text}");
}

#[test]
fn the_hint_is_bounded() {
    let many: Vec<String> = (0..1_000).map(|number| format!("street {number}")).collect();
    assert!(prompt(&many).len() <= MAX_PROMPT_BYTES);
    assert!(prompt(&many).starts_with("street 0, street 1, "));
}

#[test]
fn words_come_as_they_are_written() {
    let stream = "data: {\"type\":\"transcript.text.delta\",\"delta\":\" \"}\n\n\
        data: {\"type\":\"transcript.text.delta\",\"delta\":\"A \"}\n\n\
        data: {\"type\":\"transcript.text.segment\",\"id\":\"s\"}\n\n\
        data: {\"type\":\"transcript.text.delta\",\"delta\":\"house.\"}\n\n\
        data: {\"type\":\"transcript.text.done\",\"text\":\"A house.\",\"usage\":{\"type\":\"tokens\"}}\n\n\
        data: [DONE]\n\ndata: nonsense behind the end\n\n";
    let heard = vec![Heard::SoFar(" A ".to_owned()), Heard::SoFar(" A house.".to_owned()), all("A house.")];
    assert_eq!(read(stream), (heard, Ok(())));
}

#[test]
fn an_answer_that_is_no_stream_is_read_as_well() {
    assert_eq!(read("\n {\"text\":\"A house.\"}\n"), (vec![all("A house.")], Ok(())));
}

#[test]
fn how_sure_the_vendor_is_is_the_mean_over_its_tokens() {
    let confidence = |logprobs: &str| {
        let object = format!(r#"{{"text":"x","logprobs":{logprobs}}}"#);
        let stream =
            format!("data: {{\"type\":\"transcript.text.done\",\"text\":\"x\",\"logprobs\":{logprobs}}}\n\n");
        let (streamed, _) = read(&stream);
        assert_eq!(read(&object).0, streamed);
        let Heard::All { confidence, .. } = streamed[0] else { panic!("{streamed:?}") };
        confidence
    };
    let sure = confidence(r#"[{"token":"a","logprob":-0.1},{"token":"b","logprob":-0.3}]"#).unwrap();
    assert!((sure - (-0.2_f32).exp()).abs() < 1e-6, "{sure}");
    assert_eq!(confidence(r#"[{"logprob":5}]"#), Some(1.0));
    assert_eq!(confidence(r#"[{"logprob":-1e308},{"logprob":-1e308}]"#), Some(0.0));
    assert_eq!(confidence("[]"), None);
    assert_eq!(confidence("null"), None);
}

#[test]
fn the_vendors_errors_keep_their_kind() {
    let error = r#"{"type":"rate_limit_error","message":"slow down"}"#;
    for answer in
        [format!("data: {{\"type\":\"error\",\"error\":{error}}}\n\n"), format!("{{\"error\":{error}}}")]
    {
        let failure = Failure::from(read(&answer).1.unwrap_err());
        assert_eq!(failure.kind, FailureKind::RateLimited { retry_after: None });
        assert_eq!(failure.detail, "slow down");
    }
}

#[test]
fn whatever_is_no_answer_is_garbage() {
    for garbage in [
        "",
        " ",
        "{",
        "{}",
        r#"{"text":3}"#,
        "<html>",
        "data: {\n\n",
        "data: {\"type\":\"transcript.text.delta\"}\n\n",
        "data: {\"type\":\"transcript.text.delta\",\"delta\":\"half\"}\n\n",
        "data: [DONE]\n\n",
    ] {
        let failure = Failure::from(read(garbage).1.unwrap_err());
        assert_eq!(failure.kind, FailureKind::Garbage, "{garbage}");
    }
}

#[test]
fn an_endless_answer_is_refused() {
    let mut parser = AnswerParser::new();
    let piece = format!("data: {{\"type\":\"x\",\"y\":\"{}\"}}\n\n", "y".repeat(10_000));
    let refused = (0..1_000).find_map(|_| parser.push(piece.as_bytes(), &mut Vec::new()).err());
    assert_eq!(refused, Some(AnswerError::TooMuch));
    let mut parser = AnswerParser::new();
    let refused = (0..1_000).find_map(|_| parser.push(&[b'{'; 10_000], &mut Vec::new()).err());
    assert_eq!(refused, Some(AnswerError::TooMuch));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut parser = AnswerParser::new();
        let mut heard = Vec::new();
        let _ = parser.push(&bytes, &mut heard);
        let _ = parser.end(&mut heard);
    }
}
