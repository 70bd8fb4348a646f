//! A response in the making.

use super::wire::{
    At, InputTokens, Item, ItemBody, Modality, OutputTokens, Part, Response, ResponsePart, ResponseStatus,
    Role, Session, Status, Usage,
};
use std::collections::{BTreeMap, BTreeSet};

/// Where something is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) response: String,
    pub(super) item: String,
    pub(super) output_index: usize,
}

impl Place {
    pub(super) fn at(&self) -> At<'_> {
        let Self { response, item, output_index } = self;
        At { response_id: response, item_id: item, output_index: *output_index, content_index: 0 }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    /// The turn it answers, once that is known.
    pub(super) turn: Option<u32>,
    /// The message that is being said, and its words so far.
    message: Option<(Place, String)>,
    /// Phrases that were told: one that begins anew after playback was held is not said twice.
    told: BTreeSet<u64>,
    calls: usize,
}

impl Answer {
    pub(super) fn new(
        (id, conversation): (String, String),
        turn: Option<u32>,
        modality: Modality,
        session: &Session,
        metadata: Option<BTreeMap<String, String>>,
    ) -> Self {
        let response = Response {
            id,
            status: ResponseStatus::InProgress,
            output: Vec::new(),
            conversation_id: Some(conversation),
            modality,
            max_output_tokens: session.max_output_tokens,
            format: session.output_format,
            voice: session.voice.clone(),
            usage: None,
            metadata,
        };
        Self { response, turn, message: None, told: BTreeSet::new(), calls: 0 }
    }

    pub(super) fn modality(&self) -> Modality {
        self.response.modality
    }

    /// The part of an event.
    pub(super) fn part(modality: Modality, text: &str) -> ResponsePart<'_> {
        match modality {
            Modality::Audio => ResponsePart::Audio { transcript: text },
            Modality::Text => ResponsePart::Text { text },
        }
    }

    pub(super) fn next_index(&self) -> usize {
        self.response.output.len() + usize::from(self.message.is_some())
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.message.as_ref().map(|(place, _)| place.clone())
    }

    pub(super) fn is_saying(&self, item_id: &str) -> bool {
        self.message.as_ref().is_some_and(|(place, _)| place.item == item_id)
    }

    pub(super) fn open_message(&mut self, item: String) -> Place {
        let place = Place { response: self.response.id.clone(), item, output_index: self.next_index() };
        self.message = Some((place.clone(), String::new()));
        place
    }

    /// More words, as they are to be added; none if they were told before.
    pub(super) fn say(&mut self, phrase: u64, text: &str) -> Option<String> {
        let (_, said) = self.message.as_mut().filter(|_| self.told.insert(phrase))?;
        let delta = if said.is_empty() { text.to_owned() } else { format!(" {text}") };
        said.push_str(&delta);
        Some(delta)
    }

    /// The message is over: where it was, as it stays, and its words.
    pub(super) fn close_message(&mut self, status: Status) -> Option<(Place, Item, String)> {
        let (place, text) = self.message.take()?;
        let part = match self.modality() {
            Modality::Audio => Part::OutputAudio { audio: None, transcript: Some(text.clone()) },
            Modality::Text => Part::OutputText { text: text.clone() },
        };
        let body = ItemBody::Message { role: Role::Assistant, content: vec![part] };
        let item = Item { id: place.item.clone(), status, body };
        self.response.output.push(item.clone());
        Some((place, item, text))
    }

    /// The model asks for a tool of the client.
    pub(super) fn add_call(&mut self, item: Item) {
        self.calls += 1;
        self.response.output.push(item);
    }

    pub(super) fn has_calls(&self) -> bool {
        self.calls > 0
    }

    pub(super) fn close(&mut self, status: ResponseStatus, tokens: Option<(u64, u64)>) {
        self.response.status = status;
        self.response.usage = tokens.map(|(input, output)| Usage {
            input: InputTokens { text: input, ..InputTokens::default() },
            output: OutputTokens { text: output, audio: 0 },
        });
    }
}
