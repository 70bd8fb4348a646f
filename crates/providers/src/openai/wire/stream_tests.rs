use super::*;
use proptest::prelude::*;

fn text(text: &str) -> GenerationEvent {
    GenerationEvent::Text(text.to_owned())
}
fn finished(reason: FinishReason, usage: Option<(u64, u64)>) -> GenerationEvent {
    let usage = usage.map(|(input_tokens, output_tokens)| TokenUsage { input_tokens, output_tokens });
    GenerationEvent::Finished { reason, usage }
}
fn tool_call(request: &str, name: &str, arguments: &str) -> GenerationEvent {
    GenerationEvent::ToolCall {
        request: request.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    }
}

fn stream(chunks: &[&str]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| format!("data: {chunk}\n\n").into_bytes()).collect()
}

fn read(bytes: &[u8], piece: usize) -> (Vec<GenerationEvent>, Result<StreamParser, StreamError>) {
    let mut parser = StreamParser::new();
    let mut events = Vec::new();
    for piece in bytes.chunks(piece) {
        if let Err(error) = parser.push(piece, &mut events) {
            return (events, Err(error));
        }
    }
    (events, Ok(parser))
}

fn fails(chunks: &[&str]) -> StreamError {
    read(&stream(chunks), usize::MAX).1.unwrap_err()
}

const ANSWER: &[&str] = &[
    r#"{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null,"obfuscation":"Xq2"}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"Good "},"finish_reason":null}],"usage":null,"obfuscation":"a"}"#,
    r#"{"choices":[{"index":0,"delta":{"content":"día."},"finish_reason":null}],"usage":null}"#,
    r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
    r#"{"choices":[],"usage":{"prompt_tokens":120,"completion_tokens":4,"total_tokens":124,"prompt_tokens_details":{"cached_tokens":0}}}"#,
    "[DONE]",
];

const TOOLS: &[&str] = &[
    r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"One moment."}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"search_listings","arguments":""}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"area\":"}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"save_lead","arguments":"{"}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Riverside\"}"}},{"index":1,"function":{"arguments":"}"}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
    "[DONE]",
];

#[test]
fn an_answer_comes_out_piece_by_piece_with_its_usage() {
    let expected = [text("Good "), text("día."), finished(FinishReason::Stop, Some((120, 4)))];
    let bytes = stream(ANSWER);
    for piece in [1, 2, 7, 100, bytes.len()] {
        let (events, parser) = read(&bytes, piece);
        assert_eq!(events, expected, "in pieces of {piece}");
        assert!(parser.unwrap().is_done());
    }
}

#[test]
fn interleaved_parallel_tool_calls_come_out_whole_and_in_order() {
    let (events, _) = read(&stream(TOOLS), 11);
    let expected = [
        text("One moment."),
        GenerationEvent::ToolCallBegun,
        tool_call("call_a", "search_listings", r#"{"area":"Riverside"}"#),
        tool_call("call_b", "save_lead", "{}"),
        finished(FinishReason::ToolCalls, None),
    ];
    assert_eq!(events, expected);
}

#[test]
fn tool_calls_that_were_cut_off_do_not_come_out() {
    for (reason, expected) in
        [("length", FinishReason::Length), ("content_filter", FinishReason::ContentFilter)]
    {
        let end = format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
        let (events, _) = read(&stream(&[TOOLS[1], TOOLS[2], &end, "[DONE]"]), usize::MAX);
        assert_eq!(events, [GenerationEvent::ToolCallBegun, finished(expected, None)]);
    }
}

#[test]
fn tool_calls_that_end_in_an_ordinary_stop_are_still_tool_calls() {
    let (events, _) = read(&stream(&[TOOLS[1], ANSWER[3], "[DONE]"]), usize::MAX);
    let expected = [
        GenerationEvent::ToolCallBegun,
        tool_call("call_a", "search_listings", ""),
        finished(FinishReason::ToolCalls, None),
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_refusal_is_spoken_like_an_answer() {
    let refusal = r#"{"choices":[{"index":0,"delta":{"refusal":"I cannot say."}}]}"#;
    let (events, _) = read(&stream(&[refusal, ANSWER[3], "[DONE]"]), usize::MAX);
    assert_eq!(events, [text("I cannot say."), finished(FinishReason::Stop, None)]);
}

#[test]
fn an_answer_that_breaks_off_behind_its_finish_reason_is_complete_and_before_it_is_not() {
    let (_, parser) = read(&stream(&ANSWER[..4]), usize::MAX);
    assert_eq!(parser.unwrap().end(), Some(finished(FinishReason::Stop, None)));
    let (_, parser) = read(&stream(&ANSWER[..3]), usize::MAX);
    assert_eq!(parser.unwrap().end(), None);
    assert_eq!(fails(&["[DONE]"]), StreamError::NoFinishReason);
}

#[test]
fn nothing_comes_out_behind_the_end() {
    let mut parser = StreamParser::new();
    let mut events = Vec::new();
    parser.push(&stream(ANSWER), &mut events).unwrap();
    let count = events.len();
    parser.push(&stream(ANSWER), &mut events).unwrap();
    assert_eq!(events.len(), count);
    assert_eq!(parser.end(), None);
}

#[test]
fn an_error_in_mid_stream_is_the_vendors_and_classified() {
    let kind = |body: &str| {
        let StreamError::Vendor(failure) = fails(&[ANSWER[1], body]) else { panic!("{body}") };
        failure.kind
    };
    assert_eq!(
        kind(r#"{"error":{"message":"The server had an error","type":"server_error","code":null}}"#),
        FailureKind::VendorFault
    );
    assert_eq!(
        kind(r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#),
        FailureKind::RateLimited { retry_after: None }
    );
    assert_eq!(
        kind(r#"{"error":{"message":"no","type":"invalid_request_error","code":"context_length_exceeded"}}"#),
        FailureKind::BadRequest
    );
    assert_eq!(
        kind(r#"{"error":{"type":"invalid_request_error","code":"invalid_api_key"}}"#),
        FailureKind::Unauthorized
    );
    assert_eq!(kind(r#"{"error":"plain text"}"#), FailureKind::VendorFault);
}

#[test]
fn what_is_not_a_chunk_is_garbage() {
    for garbage in ["", "null", "{", "[]", r#""text""#, r#"{"choices":3}"#, r#"{"choices":[{"delta":[]}]}"#] {
        let error = fails(&[garbage]);
        assert!(matches!(error, StreamError::NotAChunk(_)), "{garbage}: {error:?}");
        assert_eq!(Failure::from(error).kind, FailureKind::Garbage);
    }
    let nameless =
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}"#;
    assert_eq!(fails(&[nameless, TOOLS[5]]), StreamError::NamelessToolCall);
}

#[test]
fn everything_that_is_kept_has_a_limit() {
    let call = |index: usize, arguments: &str| {
        format!(
            r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":{index},"id":"x","function":{{"name":"f","arguments":"{arguments}"}}}}]}}}}]}}"#
        )
    };
    let many: Vec<String> = (0..=MAX_TOOL_CALLS).map(|index| call(index, "")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(fails(&many), StreamError::TooMuch("the number of tool calls"));

    let long = "a".repeat(MAX_ARGUMENTS_BYTES / 2 + 1);
    assert_eq!(
        fails(&[&call(0, &long), &call(0, &long)]),
        StreamError::TooMuch("the arguments of a tool call")
    );

    let comment = [b": keep-alive\n".as_slice(), &[b'\n'; 1_000]].concat();
    let mut parser = StreamParser::new();
    let error = (0..).find_map(|_| parser.push(&comment, &mut Vec::new()).err());
    assert_eq!(error, Some(StreamError::TooMuch("the stream")));
}

proptest! {
    #[test]
    fn how_the_bytes_are_cut_changes_nothing(cuts in proptest::collection::vec(1_usize..60, 1..40)) {
        let bytes = stream(TOOLS);
        let whole = read(&bytes, usize::MAX).0;
        let mut parser = StreamParser::new();
        let mut events = Vec::new();
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (head, tail) = rest.split_at((*cut).min(rest.len()));
            parser.push(head, &mut events).unwrap();
            rest = tail;
        }
        prop_assert_eq!(events, whole);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut parser = StreamParser::new();
        let mut events = Vec::new();
        let _ = parser.push(b"data: ", &mut events).and_then(|()| parser.push(&bytes, &mut events));
        let _ = parser.end();
    }
}
