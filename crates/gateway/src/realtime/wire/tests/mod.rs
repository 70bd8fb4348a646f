//! What is understood, what is refused and with which words, and what is written.

use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

mod events;
mod items;
mod sessions;
mod told;

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
