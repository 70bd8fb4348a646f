//! What clients say, understood and refused.

use super::*;

#[test]
fn every_event_of_a_client_is_understood() {
    let item_id = || "item_1".to_owned();
    for (value, expected) in [
        (json!({ "type": "session.update", "session": {} }), ClientEvent::UpdateSession(Box::default())),
        (
            json!({ "type": "input_audio_buffer.append", "audio": "f/8=" }),
            ClientEvent::AppendAudio(Bytes::from_static(&[0x7F, 0xFF])),
        ),
        (json!({ "type": "input_audio_buffer.append", "audio": "" }), ClientEvent::AppendAudio(Bytes::new())),
        (json!({ "type": "input_audio_buffer.commit" }), ClientEvent::CommitAudio),
        (json!({ "type": "input_audio_buffer.clear" }), ClientEvent::ClearAudio),
        (json!({ "type": "output_audio_buffer.clear" }), ClientEvent::ClearOutputAudio),
        (
            json!({ "type": "conversation.item.retrieve", "item_id": "item_1" }),
            ClientEvent::RetrieveItem { item_id: item_id() },
        ),
        (
            json!({
                "type": "conversation.item.truncate",
                "item_id": "item_1",
                "content_index": 0,
                "audio_end_ms": 1_500.0,
            }),
            ClientEvent::TruncateItem { item_id: item_id(), content_index: 0, audio_end_ms: 1_500 },
        ),
        (
            json!({ "type": "conversation.item.delete", "item_id": "item_1" }),
            ClientEvent::DeleteItem { item_id: item_id() },
        ),
        (json!({ "type": "response.create" }), ClientEvent::CreateResponse(Box::default())),
        (json!({ "type": "response.create", "response": null }), ClientEvent::CreateResponse(Box::default())),
        (json!({ "type": "response.cancel" }), ClientEvent::CancelResponse { response_id: None }),
        (
            json!({ "type": "response.cancel", "response_id": "resp_1" }),
            ClientEvent::CancelResponse { response_id: Some("resp_1".into()) },
        ),
    ] {
        assert_eq!(event(&value), Ok(expected), "{value}");
    }
}

#[test]
fn the_clients_own_id_comes_with_the_event_and_with_the_refusal() {
    let received = parse(r#"{"event_id":"e\u0031","type":"input_audio_buffer.commit"}"#).unwrap();
    assert_eq!(received.event_id.as_deref(), Some("e1"));
    let refusal = parse(r#"{"event_id":"e2","type":"conversation.item.delete"}"#).unwrap_err();
    assert_eq!(refusal.event_id.as_deref(), Some("e2"));
}

#[test]
fn fields_that_are_not_known_are_ignored() {
    for value in [
        json!({ "type": "input_audio_buffer.append", "audio": "AAA=", "loudness": 11 }),
        json!({ "type": "session.update", "audio": 5, "session": { "temperature": 0.8, "audio": { "x": 1 } } }),
        json!({ "type": "response.create", "response": { "parallel_tool_calls": true, "audio": {} } }),
        json!({ "type": "session.update", "session": { "audio": { "output": { "voice": { "id": "v" } } } } }),
    ] {
        assert!(event(&value).is_ok(), "{value}");
    }
}

#[test]
fn every_refusal_names_its_code_and_the_field() {
    let long = "x".repeat(16 * 1_024 + 1);
    let session = |session: Value| json!({ "type": "session.update", "session": session });
    let input = |input: Value| session(json!({ "audio": { "input": input } }));
    let item = |item: Value| json!({ "type": "conversation.item.create", "item": item });
    let part = |role: &str, part: Value| item(json!({ "type": "message", "role": role, "content": [part] }));
    let tool = |name: &str| json!({ "type": "function", "name": name });
    let response = |response: Value| json!({ "type": "response.create", "response": response });
    let truncate = |end: Value| json!({ "type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": end });
    let rows = [
        json!({}),
        json!({ "type": 7 }),
        json!({ "type": "conversation.item.sing" }),
        json!({ "type": "input_audio_buffer.commit", "event_id": 7 }),
        json!({ "type": "input_audio_buffer.commit", "event_id": "x".repeat(513) }),
        json!({ "type": "input_audio_buffer.append" }),
        json!({ "type": "input_audio_buffer.append", "audio": null }),
        json!({ "type": "input_audio_buffer.append", "audio": [1, 2] }),
        json!({ "type": "input_audio_buffer.append", "audio": "-_-_" }),
        json!({ "type": "conversation.item.retrieve" }),
        json!({ "type": "conversation.item.delete", "item_id": "" }),
        json!({ "type": "conversation.item.delete", "item_id": "x".repeat(129) }),
        truncate(json!(-1)),
        truncate(json!(1.5)),
        truncate(json!("1")),
        truncate(json!(1e300)),
        json!({ "type": "session.update" }),
        json!({ "type": "session.update", "session": [] }),
        session(json!({ "type": "video" })),
        session(json!({ "instructions": 5 })),
        session(json!({ "instructions": long })),
        session(json!({ "output_modalities": ["audio", "text"] })),
        session(json!({ "output_modalities": ["smell"] })),
        session(json!({ "audio": { "output": { "speed": 0.2 } } })),
        session(json!({ "audio": { "output": { "speed": 1.6 } } })),
        session(json!({ "audio": { "output": { "format": "pcm16" } } })),
        session(json!({ "audio": 5 })),
        input(json!({ "format": { "type": "audio/pcm", "rate": 16_000 } })),
        input(json!({ "format": { "type": "audio/opus" } })),
        input(json!({ "format": { "rate": 24_000 } })),
        input(json!({ "noise_reduction": { "type": "magic" } })),
        input(json!({ "transcription": { "model": 5 } })),
        input(json!({ "turn_detection": { "type": "psychic" } })),
        input(json!({ "turn_detection": { "type": "server_vad", "threshold": 2 } })),
        input(json!({ "turn_detection": { "type": "semantic_vad", "eagerness": "very" } })),
        session(json!({ "tools": "all" })),
        session(json!({ "tools": vec![tool("a"); 65] })),
        session(json!({ "tools": [tool("a"), { "type": "mcp" }] })),
        session(json!({ "tools": [tool("a b")] })),
        session(json!({ "tools": [tool("")] })),
        session(json!({ "tools": [tool(&"a".repeat(65))] })),
        session(json!({ "tools": [tool("a"), tool("a")] })),
        session(json!({ "tools": [{ "type": "function", "name": "a", "parameters": { "x": long } }] })),
        session(json!({ "tools": [{ "type": "function", "name": "a", "parameters": [1] }] })),
        session(json!({ "tool_choice": "perhaps" })),
        session(json!({ "tool_choice": { "type": "function" } })),
        session(json!({ "max_output_tokens": 0 })),
        session(json!({ "max_output_tokens": 4_097 })),
        session(json!({ "max_output_tokens": "many" })),
        session(json!({ "truncation": "sometimes" })),
        session(json!({ "tracing": 5 })),
        session(json!({ "include": ["everything"] })),
        item(json!("hello")),
        item(json!({ "type": "mcp_call" })),
        item(json!({ "type": "message", "role": "tool", "content": [] })),
        item(json!({ "type": "message", "role": "user" })),
        item(json!({ "type": "function_call_output", "output": "1" })),
        item(json!({ "type": "function_call_output", "call_id": "c", "output": { "a": 1 } })),
        item(json!({ "id": 5, "type": "message", "role": "user", "content": [] })),
        part("user", json!({ "type": "output_text", "text": "a" })),
        part("user", json!({ "type": "input_audio", "audio": "?" })),
        part("user", json!({ "type": "input_text" })),
        part("system", json!({ "type": "input_audio" })),
        part("assistant", json!({ "type": "output_text", "text": "x".repeat(64 * 1_024 + 1) })),
        item(json!({
            "type": "message",
            "role": "user",
            "content": vec![json!({ "type": "input_text", "text": "x".repeat(1_025) }); 64],
        })),
        response(json!(5)),
        response(json!({ "conversation": "other" })),
        response(json!({ "metadata": { "a": 5 } })),
        response(json!({ "input": [{ "type": "item_reference" }] })),
        response(json!({ "input": [{ "type": "message" }] })),
    ]
    .map(|value| {
        let EventError { code, param, .. } = refusal(&value);
        format!("{} {}", code.name(), param.unwrap_or_default())
    });
    insta::assert_snapshot!(rows.join("\n"), @r"
    invalid_event type
    invalid_type type
    invalid_value type
    invalid_type event_id
    string_above_max_length event_id
    missing_required_parameter audio
    missing_required_parameter audio
    invalid_type audio
    invalid_value audio
    missing_required_parameter item_id
    invalid_value item_id
    string_above_max_length item_id
    integer_below_min_value audio_end_ms
    invalid_type audio_end_ms
    invalid_type audio_end_ms
    integer_above_max_value audio_end_ms
    missing_required_parameter session
    invalid_type session
    invalid_value session.type
    invalid_type session.instructions
    string_above_max_length session.instructions
    invalid_value session.output_modalities
    invalid_value session.output_modalities[0]
    decimal_below_min_value session.audio.output.speed
    decimal_above_max_value session.audio.output.speed
    invalid_type session.audio.output.format
    invalid_type session.audio
    invalid_value session.audio.input.format.rate
    invalid_value session.audio.input.format.type
    missing_required_parameter session.audio.input.format.type
    invalid_value session.audio.input.noise_reduction.type
    invalid_type session.audio.input.transcription.model
    invalid_value session.audio.input.turn_detection.type
    decimal_above_max_value session.audio.input.turn_detection.threshold
    invalid_value session.audio.input.turn_detection.eagerness
    invalid_type session.tools
    array_above_max_length session.tools
    invalid_value session.tools[1].type
    invalid_value session.tools[0].name
    invalid_value session.tools[0].name
    string_above_max_length session.tools[0].name
    invalid_value session.tools[1].name
    invalid_value session.tools[0].parameters
    invalid_type session.tools[0].parameters
    invalid_value session.tool_choice
    missing_required_parameter session.tool_choice.name
    integer_below_min_value session.max_output_tokens
    integer_above_max_value session.max_output_tokens
    invalid_value session.max_output_tokens
    invalid_value session.truncation
    invalid_type session.tracing
    invalid_value session.include[0]
    invalid_type item
    invalid_value item.type
    invalid_value item.role
    missing_required_parameter item.content
    missing_required_parameter item.call_id
    invalid_type item.output
    invalid_type item.id
    invalid_value item.content[0].type
    invalid_value item.content[0].audio
    missing_required_parameter item.content[0].text
    invalid_value item.content[0].type
    string_above_max_length item.content[0].text
    string_above_max_length item
    invalid_type response
    invalid_value response.conversation
    invalid_type response.metadata.a
    missing_required_parameter response.input[0].id
    missing_required_parameter response.input[0].role
    ");
}

#[test]
fn what_is_no_object_is_an_invalid_event() {
    for text in
        ["", " ", "{", "[]", "null", "7", r#""x""#, r#"["session.update"]"#, r#"{"type":"a"} x"#, "{]}"]
    {
        let error = parse(text).unwrap_err();
        assert_eq!((error.code, error.event_id), (Code::InvalidEvent, None), "{text}");
    }
    let twice = r#"{"type":"input_audio_buffer.clear","type":"input_audio_buffer.commit"}"#;
    assert_eq!(parse(twice).unwrap_err().code, Code::InvalidEvent);
    let nested = format!(r#"{{"type":"session.update","session":{}"#, "[".repeat(100_000));
    assert_eq!(parse(&nested).unwrap_err().code, Code::InvalidEvent);
}

#[test]
fn fifteen_mebibytes_of_audio_are_the_most() {
    let append = |bytes: usize| {
        let audio = base64_simd::STANDARD.encode_to_string(vec![0; bytes]);
        parse(&format!(r#"{{"type":"input_audio_buffer.append","audio":"{audio}"}}"#))
    };
    let Ok(Received { event: ClientEvent::AppendAudio(audio), .. }) = append(MAX_AUDIO_BYTES) else {
        panic!("refused")
    };
    assert_eq!(audio.len(), MAX_AUDIO_BYTES);
    assert_eq!(append(MAX_AUDIO_BYTES + 1).unwrap_err().code, Code::StringAboveMaxLength);
    let other = format!(r#"{{"type":"response.create","x":"{}"}}"#, "x".repeat(MAX_EVENT_BYTES));
    assert_eq!(parse(&other).unwrap_err().code, Code::InvalidEvent);
}

#[test]
fn a_refusal_quotes_little_and_says_what_is_possible() {
    let error = refusal(&json!({ "type": "é".repeat(1_000) }));
    assert!(error.message.len() < 700, "{}", error.message);
    assert!(error.message.contains("'response.cancel'"));
    let error = refusal(&json!({ "type": "session.update", "session": { "audio": { "input": { "format": {
        "type": "audio/pcm", "rate": 8_000,
    } } } } }));
    insta::assert_snapshot!(serde_json::to_string(&error).unwrap(), @r#"{"type":"invalid_request_error","code":"invalid_value","message":"'session.audio.input.format.rate' can only be 24000.","param":"session.audio.input.format.rate","event_id":null}"#);
}

#[test]
fn a_response_can_have_settings_of_its_own() {
    let value = json!({ "type": "response.create", "response": {
        "instructions": "Say hello.",
        "output_modalities": ["text"],
        "tools": [],
        "tool_choice": "none",
        "max_output_tokens": "inf",
        "metadata": { "topic": "greeting" },
        "conversation": "none",
        "input": [
            { "type": "item_reference", "id": "item_1" },
            { "type": "message", "role": "system", "content": [{ "type": "input_text", "text": "hi" }] },
        ],
    } });
    let body = ItemBody::Message { role: Role::System, content: vec![Part::InputText { text: "hi".into() }] };
    let request = ResponseRequest {
        instructions: Some("Say hello.".into()),
        output: Some(Modality::Text),
        tools: Some(vec![]),
        tool_choice: Some(ToolChoice::None),
        max_output_tokens: Some(MaxTokens::Infinite),
        metadata: Some([("topic".to_owned(), "greeting".to_owned())].into()),
        out_of_band: true,
        input: Some(vec![InputItem::Reference("item_1".into()), InputItem::Item(NewItem { id: None, body })]),
    };
    assert_eq!(event(&value), Ok(ClientEvent::CreateResponse(Box::new(request))));
}
