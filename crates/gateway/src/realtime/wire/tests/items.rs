//! The items of a conversation.

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
