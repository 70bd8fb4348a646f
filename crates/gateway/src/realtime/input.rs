//! What a client wants one response to be about, in the place of the conversation.

use super::{
    items::Items,
    wire::{Code, EventError, InputItem, Item, ItemBody, Part, Role},
};
use seiketsu_domain::{Message, Pii};

/// The conversation that a model is asked with, and what it is told beside its instructions.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Context {
    pub(super) messages: Vec<Message>,
    pub(super) notes: Vec<String>,
}

/// Text of all of it: as much as a conversation keeps for its model.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Reads `response.input`. Items of the conversation are meant by their ids.
pub(super) fn context(input: Vec<InputItem>, items: &Items) -> Result<Context, EventError> {
    let mut context = Context::default();
    let mut bytes = 0;
    for (at, item) in input.into_iter().enumerate() {
        let path = format!("response.input[{at}]");
        let body = match item {
            InputItem::Item(item) => item.body,
            InputItem::Reference(id) => {
                let known = items.get(&id).cloned().map(|Item { body, .. }| body);
                known
                    .ok_or_else(|| EventError::no_such_item(Code::InvalidValue, &format!("{path}.id"), &id))?
            }
        };
        bytes += body.text_bytes();
        if bytes > MAX_TEXT_BYTES {
            let message = format!("'response.input' may have {MAX_TEXT_BYTES} bytes of text in all.");
            return Err(EventError::new(Code::StringAboveMaxLength, message).at("response.input"));
        }
        context.add(body, &path)?;
    }
    Ok(context)
}

impl Context {
    fn add(&mut self, body: ItemBody, path: &str) -> Result<(), EventError> {
        match body {
            ItemBody::Message { role, content } => {
                let words = content.iter().map(words).collect::<Option<Vec<_>>>();
                let text = words.map(|words| words.join(" ")).ok_or_else(|| {
                    let message = "Its words are not known: a model reads text and transcripts, no sound.";
                    EventError::new(Code::InvalidParameter, message).at(format!("{path}.content"))
                })?;
                match role {
                    Role::User => self.messages.push(Message::Caller { text: Pii::new(text) }),
                    Role::Assistant => self.messages.push(Message::Agent { text: Pii::new(text) }),
                    Role::System => self.notes.push(text),
                }
            }
            ItemBody::FunctionCall { call_id, name, arguments } => {
                let arguments = Pii::new(arguments);
                self.messages.push(Message::ToolRequest { request: call_id, name, arguments });
            }
            ItemBody::FunctionCallOutput { call_id, output } => {
                self.messages.push(Message::ToolResult { request: call_id, content: Pii::new(output) });
            }
        }
        Ok(())
    }
}

/// What was said or written; none if that is not known.
fn words(part: &Part) -> Option<&str> {
    match part {
        Part::InputText { text } | Part::OutputText { text } => Some(text),
        Part::InputAudio { transcript, .. } | Part::OutputAudio { transcript, .. } => transcript.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::wire::{NewItem, Status};

    fn message(role: Role, part: Part) -> ItemBody {
        ItemBody::Message { role, content: vec![part] }
    }

    fn new(body: ItemBody) -> InputItem {
        InputItem::Item(NewItem { id: None, body })
    }

    #[test]
    fn items_of_all_kinds_become_what_a_model_reads() {
        let mut items = Items::default();
        let spoken = Part::InputAudio { audio: None, transcript: Some("do you have homes".into()) };
        let id = "item_1".to_owned();
        items.push(Item { id, status: Status::Completed, body: message(Role::User, spoken) });
        let input = vec![
            new(message(Role::System, Part::InputText { text: "Be brief.".into() })),
            InputItem::Reference("item_1".into()),
            new(ItemBody::FunctionCall {
                call_id: "call_1".into(),
                name: "search".into(),
                arguments: "{}".into(),
            }),
            new(ItemBody::FunctionCallOutput { call_id: "call_1".into(), output: "three".into() }),
            new(message(Role::Assistant, Part::OutputText { text: "We have three.".into() })),
        ];
        let text = |text: &str| Pii::new(text.to_owned());
        let expected = Context {
            messages: vec![
                Message::Caller { text: text("do you have homes") },
                Message::ToolRequest {
                    request: "call_1".into(),
                    name: "search".into(),
                    arguments: text("{}"),
                },
                Message::ToolResult { request: "call_1".into(), content: text("three") },
                Message::Agent { text: text("We have three.") },
            ],
            notes: vec!["Be brief.".into()],
        };
        assert_eq!(context(input, &items).unwrap(), expected);
        assert_eq!(context(Vec::new(), &items).unwrap(), Context::default());
    }

    #[test]
    fn a_small_event_cannot_mean_a_large_context() {
        let mut items = Items::default();
        let text = Part::InputText { text: "x".repeat(60_000) };
        let id = "item_1".to_owned();
        items.push(Item { id, status: Status::Completed, body: message(Role::User, text) });
        let refer = |times| context(vec![InputItem::Reference("item_1".into()); times], &items);
        assert!(refer(4).is_ok());
        assert_eq!(refer(5).unwrap_err().param.as_deref(), Some("response.input"));
    }

    #[test]
    fn what_no_model_can_read_is_refused_by_its_place() {
        let silent = Part::InputAudio { audio: None, transcript: None };
        let refused = |input| context(vec![input], &Items::default()).unwrap_err().param.unwrap();
        assert_eq!(refused(new(message(Role::User, silent))), "response.input[0].content");
        assert_eq!(refused(InputItem::Reference("item_9".into())), "response.input[0].id");
    }
}
