//! What is understood, what is refused and with which words, and what is written.

use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

fn event(value: &Value) -> Result<ClientEvent, EventError> {
    parse(&value.to_string()).map(|received| received.event)
}

fn refusal(value: &Value) -> EventError {
    event(value).expect_err(&format!("understood: {value}"))
}

fn update(session: &Value) -> SessionUpdate {
    match event(&json!({ "type": "session.update", "session": session })) {
        Ok(ClientEvent::UpdateSession(update)) => *update,
        other => panic!("{other:?}"),
    }
}

fn session() -> Session {
    Session::new("sess_1".into(), SessionKind::Realtime, "agent".into(), "marin".into(), 1_700_000_000)
}

/// The session after an update.
fn updated(value: &Value) -> Session {
    let mut session = session();
    session.apply(update(value)).unwrap();
    session
}

fn message(id: &str, role: Role, part: Part) -> Item {
    Item { id: id.into(), status: Status::Completed, body: ItemBody::Message { role, content: vec![part] } }
}

mod events {
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
            (
                json!({ "type": "input_audio_buffer.append", "audio": "" }),
                ClientEvent::AppendAudio(Bytes::new()),
            ),
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
            (
                json!({ "type": "response.create", "response": null }),
                ClientEvent::CreateResponse(Box::default()),
            ),
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
        let part =
            |role: &str, part: Value| item(json!({ "type": "message", "role": role, "content": [part] }));
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
        insta::assert_snapshot!(rows.join("\n"), @"");
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
        let error =
            refusal(&json!({ "type": "session.update", "session": { "audio": { "input": { "format": {
            "type": "audio/pcm", "rate": 8_000,
        } } } } }));
        insta::assert_snapshot!(serde_json::to_string(&error).unwrap(), @"");
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
        let body =
            ItemBody::Message { role: Role::System, content: vec![Part::InputText { text: "hi".into() }] };
        let request = ResponseRequest {
            instructions: Some("Say hello.".into()),
            output: Some(Modality::Text),
            tools: Some(vec![]),
            tool_choice: Some(ToolChoice::None),
            max_output_tokens: Some(MaxTokens::Infinite),
            metadata: Some([("topic".to_owned(), "greeting".to_owned())].into()),
            out_of_band: true,
            input: Some(vec![
                InputItem::Reference("item_1".into()),
                InputItem::Item(NewItem { id: None, body }),
            ]),
        };
        assert_eq!(event(&value), Ok(ClientEvent::CreateResponse(Box::new(request))));
    }
}

mod items {
    use super::*;

    fn created(value: &Value) -> (NewItem, Position) {
        match event(value) {
            Ok(ClientEvent::CreateItem { item, position }) => (item, position),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_item_goes_where_its_client_wants_it() {
        let output = json!({ "type": "function_call_output", "call_id": "call_1", "output": "[]" });
        for (previous, expected) in [
            (json!(null), Position::Last),
            (json!("root"), Position::First),
            (json!("item_1"), Position::After("item_1".into())),
        ] {
            let value =
                json!({ "type": "conversation.item.create", "previous_item_id": previous, "item": output });
            let (item, position) = created(&value);
            assert_eq!(position, expected);
            let item = item.named(|| "item_9".into());
            assert_eq!((item.id.as_str(), item.status), ("item_9", Status::Completed));
        }
    }

    #[test]
    fn what_a_client_creates_it_can_read_again() {
        for item in [
            json!({ "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" }),
            json!({ "type": "function_call_output", "call_id": "c", "output": "done" }),
            json!({ "type": "message", "role": "system", "content": [{ "type": "input_text", "text": "a" }] }),
            json!({ "type": "message", "role": "user", "content": [
                { "type": "input_text", "text": "a" },
                { "type": "input_audio", "audio": "f/8=", "transcript": "b" },
            ] }),
            json!({ "type": "message", "role": "assistant", "content": [
                { "type": "output_text", "text": "a" },
                { "type": "output_audio", "transcript": null },
            ] }),
        ] {
            let mut expected = item.clone();
            expected["id"] = json!("item_1");
            let (new, _) = created(&json!({ "type": "conversation.item.create", "item": expected }));
            expected["object"] = json!("realtime.item");
            expected["status"] = json!("completed");
            let written = serde_json::to_value(new.named(|| unreachable!("it has a name"))).unwrap();
            assert_eq!(written, expected);
        }
    }
}

mod sessions {
    use super::*;

    #[test]
    fn an_update_changes_only_what_it_mentions() {
        let before = updated(&json!({ "instructions": "Be kind.", "audio": { "output": { "speed": 1.2 } } }));
        let mut after = before.clone();
        after.apply(update(&json!({ "audio": { "input": { "turn_detection": null } } }))).unwrap();
        assert_eq!(after, Session { turn_detection: None, ..before.clone() });
        for nothing in [
            json!({}),
            json!({ "type": "realtime", "model": "agent" }),
            json!({ "model": null, "audio": null }),
            json!({ "audio": { "input": null, "output": {} } }),
            json!({ "audio": { "output": { "voice": "somebody else" } } }),
        ] {
            let mut after = before.clone();
            after.apply(update(&nothing)).unwrap();
            assert_eq!(after, before, "{nothing}");
        }
    }

    #[test]
    fn every_setting_can_be_set_and_cleared() {
        let set = json!({
            "instructions": "Be kind.",
            "output_modalities": ["text"],
            "audio": {
                "input": {
                    "format": { "type": "audio/pcmu" },
                    "noise_reduction": { "type": "near_field" },
                    "transcription": { "model": "any", "language": "es" },
                    "turn_detection": { "type": "semantic_vad", "eagerness": "high", "create_response": false },
                },
                "output": { "format": { "type": "audio/pcma" }, "speed": 1.5 },
            },
            "tools": [{ "type": "function", "name": "look_up", "parameters": { "type": "object" } }],
            "tool_choice": { "type": "function", "name": "look_up" },
            "max_output_tokens": 4_096,
            "tracing": "auto",
            "truncation": { "type": "retention_ratio", "retention_ratio": 0.5 },
            "include": ["item.input_audio_transcription.logprobs"],
            "prompt": { "id": "pmpt_1" },
            "reasoning": { "effort": "low" },
        });
        let mut session = updated(&set);
        let semantic =
            SemanticVad { eagerness: Eagerness::High, create_response: false, interrupt_response: true };
        assert_eq!(
            session,
            Session {
                instructions: "Be kind.".into(),
                output: Modality::Text,
                input_format: Format::Pcmu,
                noise_reduction: Some(NoiseReduction::NearField),
                transcription: Some(Transcription {
                    model: Some("any".into()),
                    language: Some("es".into()),
                    prompt: None,
                }),
                turn_detection: Some(TurnDetection::SemanticVad(semantic)),
                output_format: Format::Pcma,
                speed: 1.5,
                tools: vec![Tool {
                    name: "look_up".into(),
                    description: None,
                    parameters: Some(json!({ "type": "object" })),
                }],
                tool_choice: ToolChoice::Function("look_up".into()),
                max_output_tokens: MaxTokens::Limit(4_096),
                tracing: Some(json!("auto")),
                truncation: Some(json!({ "type": "retention_ratio", "retention_ratio": 0.5 })),
                logprobs: true,
                prompt: Some(json!({ "id": "pmpt_1" })),
                reasoning: Some(json!({ "effort": "low" })),
                ..super::session()
            }
        );
        let clear = json!({
            "instructions": "",
            "output_modalities": [],
            "audio": {
                "input": { "format": null, "noise_reduction": null, "transcription": null, "turn_detection": null },
                "output": { "format": null, "speed": null },
            },
            "tools": [],
            "tool_choice": null,
            "max_output_tokens": null,
            "tracing": null,
            "truncation": null,
            "include": [],
            "prompt": null,
            "reasoning": null,
        });
        session.apply(update(&clear)).unwrap();
        assert_eq!(session, Session { turn_detection: None, ..super::session() });
    }

    #[test]
    fn what_turn_detection_does_not_mention_has_its_default() {
        let session = updated(&json!({ "audio": { "input": { "turn_detection": {
            "type": "server_vad", "silence_duration_ms": 200, "idle_timeout_ms": 6_000,
        } } } }));
        let vad =
            ServerVad { silence_duration_ms: 200, idle_timeout_ms: Some(6_000), ..ServerVad::default() };
        assert_eq!(session.turn_detection, Some(TurnDetection::ServerVad(vad)));
    }

    #[test]
    fn an_update_that_is_refused_changes_nothing() {
        for (value, param) in [
            (json!({ "instructions": "New.", "tools": [], "model": "another" }), "session.model"),
            (json!({ "type": "transcription", "audio": { "input": { "format": null } } }), "session.type"),
        ] {
            let before = updated(&json!({ "instructions": "Old.", "max_output_tokens": 7 }));
            let mut after = before.clone();
            let error = after.apply(update(&value)).unwrap_err();
            assert_eq!((error.code, error.param.as_deref()), (Code::InvalidParameter, Some(param)));
            assert_eq!(after, before);
        }
    }

    #[test]
    fn a_session_is_written_as_the_client_libraries_expect_it() {
        let text = serde_json::to_string_pretty(&session()).unwrap();
        insta::assert_snapshot!(text, @"");
    }

    #[test]
    fn a_session_that_only_transcribes_has_no_answers() {
        let mut session = Session { kind: SessionKind::Transcription, ..session() };
        let value = json!({
            "type": "transcription",
            "instructions": 5,
            "audio": { "input": { "transcription": { "model": "any" } } },
            "include": ["item.input_audio_transcription.logprobs"],
        });
        session.apply(update(&value)).unwrap();
        insta::assert_snapshot!(serde_json::to_string(&session).unwrap(), @"");
    }
}

mod told {
    use super::*;

    const AT: At<'_> = At { response_id: "resp_1", item_id: "item_1", output_index: 0, content_index: 0 };

    #[test]
    fn events_are_written_as_the_client_libraries_expect_them() {
        let error = EventError::cancel_not_active().caused_by(Some("mine".into()));
        let said = Part::InputAudio { audio: None, transcript: None };
        let heard = message("item_0", Role::User, said);
        let call = Item {
            id: "item_2".into(),
            status: Status::Completed,
            body: ItemBody::FunctionCall {
                call_id: "call_1".into(),
                name: "f".into(),
                arguments: "{}".into(),
            },
        };
        let limit = RateLimit { name: "requests", limit: 10, remaining: 9, reset_seconds: 1.5 };
        let failure = TranscriptionFailure { code: "audio_unintelligible", message: "Nobody spoke." };
        let (response_id, item_id, call_id, output_index) = ("resp_1", "item_2", "call_1", 1);
        let rows = [
            ServerEvent::Error { error: &error },
            ServerEvent::SpeechStarted { audio_start_ms: 40, item_id: "item_0" },
            ServerEvent::SpeechStopped { audio_end_ms: 940, item_id: "item_0" },
            ServerEvent::AudioCommitted { item_id: "item_0", previous_item_id: None },
            ServerEvent::AudioCleared,
            ServerEvent::IdleTimeout { audio_start_ms: 1, audio_end_ms: 2, item_id: "item_0" },
            ServerEvent::ItemAdded { previous_item_id: Some("item_9"), item: &heard },
            ServerEvent::ItemDone { previous_item_id: None, item: &call },
            ServerEvent::ItemRetrieved { item: &heard },
            ServerEvent::ItemTruncated { item_id: "item_1", content_index: 0, audio_end_ms: 700 },
            ServerEvent::ItemDeleted { item_id: "item_1" },
            ServerEvent::TranscriptionDelta { item_id: "item_0", content_index: 0, delta: "hel" },
            ServerEvent::TranscriptionCompleted {
                item_id: "item_0",
                content_index: 0,
                transcript: "hello",
                audio_seconds: 0.9,
            },
            ServerEvent::TranscriptionFailed { item_id: "item_0", content_index: 0, error: failure },
            ServerEvent::OutputItemAdded { response_id, output_index, item: &call },
            ServerEvent::OutputItemDone { response_id, output_index, item: &call },
            ServerEvent::ContentPartAdded { at: AT, part: ResponsePart::Audio { transcript: "" } },
            ServerEvent::ContentPartDone { at: AT, part: ResponsePart::Text { text: "Hi." } },
            ServerEvent::AudioDelta { at: AT, audio: &[0x7F, 0xFF] },
            ServerEvent::AudioDone { at: AT },
            ServerEvent::TranscriptDelta { at: AT, delta: "\"Hi" },
            ServerEvent::TranscriptDone { at: AT, transcript: "\"Hi\"" },
            ServerEvent::TextDelta { at: AT, delta: "Hi" },
            ServerEvent::TextDone { at: AT, text: "Hi." },
            ServerEvent::ArgumentsDelta { response_id, item_id, output_index, call_id, delta: "{" },
            ServerEvent::ArgumentsDone {
                response_id,
                item_id,
                output_index,
                call_id,
                name: "f",
                arguments: "{}",
            },
            ServerEvent::RateLimitsUpdated { rate_limits: &[limit] },
        ]
        .map(|event| event.to_json("event_1"));
        insta::assert_snapshot!(rows.join("\n"), @"");
    }

    #[test]
    fn a_response_says_how_it_ended() {
        let mut response = Response {
            id: "resp_1".into(),
            status: ResponseStatus::Cancelled(CancelReason::TurnDetected),
            output: vec![message(
                "item_1",
                Role::Assistant,
                Part::OutputAudio { audio: None, transcript: Some("Hel".into()) },
            )],
            conversation_id: Some("conv_1".into()),
            modality: Modality::Audio,
            max_output_tokens: MaxTokens::Infinite,
            format: Format::Pcmu,
            voice: "marin".into(),
            usage: Some(Usage {
                input: InputTokens { text: 100, audio: 20, cached_text: 60, cached_audio: 4 },
                output: OutputTokens { text: 5, audio: 15 },
            }),
            metadata: None,
        };
        let text = ServerEvent::ResponseDone { response: &response }.to_json("event_1");
        insta::assert_snapshot!(text, @"");
        let mut rows = vec![];
        for status in [
            ResponseStatus::InProgress,
            ResponseStatus::Completed,
            ResponseStatus::Cancelled(CancelReason::ClientCancelled),
            ResponseStatus::Incomplete(IncompleteReason::MaxOutputTokens),
            ResponseStatus::Incomplete(IncompleteReason::ContentFilter),
            ResponseStatus::Failed { code: "unavailable".into(), message: "No voice.".into() },
        ] {
            response.status = status;
            let value = serde_json::to_value(&response).unwrap();
            rows.push(format!("{} {}", value["status"], value["status_details"]));
        }
        insta::assert_snapshot!(rows.join("\n"), @"");
    }

    #[test]
    fn the_largest_delta_is_a_frame_that_every_client_reads() {
        let audio = vec![0xFF; MAX_DELTA_BYTES];
        let text = ServerEvent::AudioDelta { at: AT, audio: &audio }.to_json("event_1");
        assert!(text.len() < 100_000, "{}", text.len());
        let value: Value = serde_json::from_str(&text).unwrap();
        let back = base64_simd::STANDARD.decode_to_vec(value["delta"].as_str().unwrap()).unwrap();
        assert_eq!(back, audio);
    }

    #[test]
    fn both_session_events_carry_the_whole_session() {
        let session = session();
        let body = serde_json::to_value(&session).unwrap();
        for (event, name) in [
            (ServerEvent::SessionCreated { session: &session }, "session.created"),
            (ServerEvent::SessionUpdated { session: &session }, "session.updated"),
        ] {
            let value: Value = serde_json::from_str(&event.to_json("event_1")).unwrap();
            assert_eq!(value, json!({ "type": name, "event_id": "event_1", "session": body }));
        }
    }
}

const UPDATE: &str = r#"{"event_id":"e","type":"session.update","session":{"type":"realtime","instructions":"a","audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"turn_detection":{"type":"server_vad","threshold":0.5}},"output":{"speed":1.0}},"tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":"auto","max_output_tokens":9,"include":[],"tracing":"auto"}}"#;
const CREATE: &str = r#"{"type":"conversation.item.create","previous_item_id":"root","item":{"id":"i","type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_audio","audio":"f/8="}]}}"#;

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_damage_to_a_good_event_makes_it_panic(update in any::<bool>(), at in 0..1_000_usize, with in ".{0,3}") {
        let mut text = if update { UPDATE } else { CREATE }.to_owned();
        let at = at % text.len();
        text.replace_range(at..=at, &with);
        match parse(&text) {
            Ok(Received { event: ClientEvent::UpdateSession(update), .. }) => {
                let mut session = session();
                let before = session.clone();
                if session.apply(*update).is_err() {
                    prop_assert_eq!(session, before);
                }
            }
            Ok(_) => {}
            Err(error) => prop_assert!(!error.message.is_empty()),
        }
    }

    #[test]
    fn audio_survives_the_wire(audio in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let at = At { response_id: "r", item_id: "i", output_index: 0, content_index: 0 };
        let text = ServerEvent::AudioDelta { at, audio: &audio }
            .to_json("e")
            .replace("response.output_audio.delta", "input_audio_buffer.append")
            .replace("\"delta\"", "\"audio\"");
        let Ok(Received { event: ClientEvent::AppendAudio(back), .. }) = parse(&text) else {
            panic!("refused: {text}")
        };
        prop_assert_eq!(back.as_ref(), &audio[..]);
    }
}
