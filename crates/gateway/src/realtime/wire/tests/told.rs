//! What clients are told.

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
        body: ItemBody::FunctionCall { call_id: "call_1".into(), name: "f".into(), arguments: "{}".into() },
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
    insta::assert_snapshot!(rows.join("\n"), @r#"
    {"event_id":"event_1","type":"error","error":{"type":"invalid_request_error","code":"response_cancel_not_active","message":"Cancellation failed: there is no active response.","param":null,"event_id":"mine"}}
    {"event_id":"event_1","type":"input_audio_buffer.speech_started","audio_start_ms":40,"item_id":"item_0"}
    {"event_id":"event_1","type":"input_audio_buffer.speech_stopped","audio_end_ms":940,"item_id":"item_0"}
    {"event_id":"event_1","type":"input_audio_buffer.committed","item_id":"item_0","previous_item_id":null}
    {"event_id":"event_1","type":"input_audio_buffer.cleared"}
    {"event_id":"event_1","type":"input_audio_buffer.timeout_triggered","audio_start_ms":1,"audio_end_ms":2,"item_id":"item_0"}
    {"event_id":"event_1","type":"conversation.item.added","previous_item_id":"item_9","item":{"id":"item_0","object":"realtime.item","type":"message","role":"user","content":[{"type":"input_audio","transcript":null}],"status":"completed"}}
    {"event_id":"event_1","type":"conversation.item.done","previous_item_id":null,"item":{"id":"item_2","object":"realtime.item","type":"function_call","call_id":"call_1","name":"f","arguments":"{}","status":"completed"}}
    {"event_id":"event_1","type":"conversation.item.retrieved","item":{"id":"item_0","object":"realtime.item","type":"message","role":"user","content":[{"type":"input_audio","transcript":null}],"status":"completed"}}
    {"event_id":"event_1","type":"conversation.item.truncated","item_id":"item_1","content_index":0,"audio_end_ms":700}
    {"event_id":"event_1","type":"conversation.item.deleted","item_id":"item_1"}
    {"event_id":"event_1","type":"conversation.item.input_audio_transcription.delta","item_id":"item_0","content_index":0,"delta":"hel"}
    {"event_id":"event_1","type":"conversation.item.input_audio_transcription.completed","item_id":"item_0","content_index":0,"transcript":"hello","usage":{"type":"duration","seconds":0.9}}
    {"event_id":"event_1","type":"conversation.item.input_audio_transcription.failed","item_id":"item_0","content_index":0,"error":{"type":"transcription_error","code":"audio_unintelligible","message":"Nobody spoke."}}
    {"event_id":"event_1","type":"response.output_item.added","response_id":"resp_1","output_index":1,"item":{"id":"item_2","object":"realtime.item","type":"function_call","call_id":"call_1","name":"f","arguments":"{}","status":"completed"}}
    {"event_id":"event_1","type":"response.output_item.done","response_id":"resp_1","output_index":1,"item":{"id":"item_2","object":"realtime.item","type":"function_call","call_id":"call_1","name":"f","arguments":"{}","status":"completed"}}
    {"event_id":"event_1","type":"response.content_part.added","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"part":{"type":"audio","transcript":""}}
    {"event_id":"event_1","type":"response.content_part.done","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"part":{"type":"text","text":"Hi."}}
    {"event_id":"event_1","type":"response.output_audio.delta","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"delta":"f/8="}
    {"event_id":"event_1","type":"response.output_audio.done","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0}
    {"event_id":"event_1","type":"response.output_audio_transcript.delta","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"delta":"\"Hi"}
    {"event_id":"event_1","type":"response.output_audio_transcript.done","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"transcript":"\"Hi\""}
    {"event_id":"event_1","type":"response.output_text.delta","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"delta":"Hi"}
    {"event_id":"event_1","type":"response.output_text.done","response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"text":"Hi."}
    {"event_id":"event_1","type":"response.function_call_arguments.delta","response_id":"resp_1","item_id":"item_2","output_index":1,"call_id":"call_1","delta":"{"}
    {"event_id":"event_1","type":"response.function_call_arguments.done","response_id":"resp_1","item_id":"item_2","output_index":1,"call_id":"call_1","name":"f","arguments":"{}"}
    {"event_id":"event_1","type":"rate_limits.updated","rate_limits":[{"name":"requests","limit":10,"remaining":9,"reset_seconds":1.5}]}
    "#);
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
    insta::assert_snapshot!(text, @r#"{"event_id":"event_1","type":"response.done","response":{"object":"realtime.response","id":"resp_1","status":"cancelled","status_details":{"type":"cancelled","reason":"turn_detected"},"output":[{"id":"item_1","object":"realtime.item","type":"message","role":"assistant","content":[{"type":"output_audio","transcript":"Hel"}],"status":"completed"}],"conversation_id":"conv_1","output_modalities":["audio"],"max_output_tokens":"inf","audio":{"output":{"format":{"type":"audio/pcmu"},"voice":"marin"}},"usage":{"total_tokens":140,"input_tokens":120,"output_tokens":20,"input_token_details":{"text_tokens":100,"audio_tokens":20,"image_tokens":0,"cached_tokens":64,"cached_tokens_details":{"text_tokens":60,"audio_tokens":4,"image_tokens":0}},"output_token_details":{"text_tokens":5,"audio_tokens":15}},"metadata":null}}"#);
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
    insta::assert_snapshot!(rows.join("\n"), @r#"
    "in_progress" null
    "completed" null
    "cancelled" {"reason":"client_cancelled","type":"cancelled"}
    "incomplete" {"reason":"max_output_tokens","type":"incomplete"}
    "incomplete" {"reason":"content_filter","type":"incomplete"}
    "failed" {"error":{"code":"unavailable","message":"No voice.","type":"server_error"},"type":"failed"}
    "#);
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
