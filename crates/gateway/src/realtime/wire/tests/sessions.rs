//! What updates do to a session.

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
    let vad = ServerVad { silence_duration_ms: 200, idle_timeout_ms: Some(6_000), ..ServerVad::default() };
    assert_eq!(session.turn_detection, Some(TurnDetection::ServerVad(vad)));
}

#[test]
fn an_update_that_is_refused_changes_nothing() {
    let before = updated(&json!({ "instructions": "Old.", "max_output_tokens": 7 }));
    let mut after = before.clone();
    let value = json!({ "type": "transcription", "audio": { "input": { "format": null } } });
    let error = after.apply(update(&value)).unwrap_err();
    assert_eq!((error.code, error.param.as_deref()), (Code::InvalidParameter, Some("session.type")));
    assert_eq!(after, before);
}

#[test]
fn the_model_stays_what_was_connected_to_whatever_a_library_calls_it() {
    let session = updated(&json!({ "instructions": "New.", "model": "gpt-realtime" }));
    assert_eq!((session.model.as_str(), session.instructions.as_str()), ("agent", "New."));
}

#[test]
fn a_session_is_written_as_the_client_libraries_expect_it() {
    let text = serde_json::to_string_pretty(&session()).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "type": "realtime",
      "object": "realtime.session",
      "id": "sess_1",
      "model": "agent",
      "output_modalities": [
        "audio"
      ],
      "instructions": "",
      "tools": [],
      "tool_choice": "auto",
      "max_output_tokens": "inf",
      "tracing": null,
      "truncation": "auto",
      "prompt": null,
      "reasoning": null,
      "expires_at": 1700000000,
      "audio": {
        "input": {
          "format": {
            "type": "audio/pcm",
            "rate": 24000
          },
          "transcription": null,
          "noise_reduction": null,
          "turn_detection": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 500,
            "idle_timeout_ms": null,
            "create_response": true,
            "interrupt_response": true
          }
        },
        "output": {
          "format": {
            "type": "audio/pcm",
            "rate": 24000
          },
          "voice": "marin",
          "speed": 1.0
        }
      },
      "include": null
    }
    "#);
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
    insta::assert_snapshot!(serde_json::to_string(&session).unwrap(), @r#"{"type":"transcription","object":"realtime.transcription_session","id":"sess_1","expires_at":1700000000,"audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"transcription":{"model":"any","language":null,"prompt":null},"noise_reduction":null,"turn_detection":{"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":500}}},"include":["item.input_audio_transcription.logprobs"]}"#);
}
