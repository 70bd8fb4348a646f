//! A response in the making: what it is made of, and the events that tell of it.

use super::{
    told::Told,
    wire::{
        At, InputTokens, Item, ItemBody, MAX_DELTA_BYTES, MaxTokens, Modality, OutputTokens, Part, RateLimit,
        Response, ResponsePart, ResponseStatus, Role, ServerEvent, Session, Status, Usage,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What one response has of its own.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) modality: Modality,
    pub(super) max_output_tokens: MaxTokens,
    pub(super) metadata: Option<BTreeMap<String, String>>,
    /// It stays out of the conversation.
    pub(super) is_aside: bool,
}

impl Own {
    /// What responses have of which nobody said anything.
    pub(super) fn of(session: &Session) -> Self {
        let (modality, max_output_tokens) = (session.output, session.max_output_tokens);
        Self { modality, max_output_tokens, metadata: None, is_aside: false }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    /// The turn it answers, once that is known.
    pub(super) turn: Option<u32>,
    /// The message that is being said, and its words so far.
    message: Option<Message>,
    /// Phrases that were told: one that begins anew after playback was held is not said twice.
    told: BTreeSet<u64>,
    calls: usize,
}

#[derive(Debug)]
struct Message {
    item: String,
    output_index: usize,
    text: String,
}

impl Answer {
    /// A response begins.
    pub(super) fn begin(
        told: &mut Told,
        turn: Option<u32>,
        session: &Session,
        own: Own,
        limits: &[RateLimit],
    ) -> Self {
        let response = Response {
            id: told.names.response(),
            status: ResponseStatus::InProgress,
            output: Vec::new(),
            conversation_id: (!own.is_aside).then(|| told.names.conversation()),
            modality: own.modality,
            max_output_tokens: own.max_output_tokens,
            format: session.output_format,
            voice: session.voice.clone(),
            usage: None,
            metadata: own.metadata,
        };
        told.tell(&ServerEvent::ResponseCreated { response: &response });
        told.tell(&ServerEvent::RateLimitsUpdated { rate_limits: limits });
        Self { response, turn, message: None, told: BTreeSet::new(), calls: 0 }
    }

    /// What further responses of its turn have of their own.
    pub(super) fn own(&self) -> Own {
        let Response { modality, max_output_tokens, .. } = self.response;
        Own { modality, max_output_tokens, metadata: None, is_aside: self.is_aside() }
    }

    fn is_aside(&self) -> bool {
        self.response.conversation_id.is_none()
    }

    pub(super) fn is_saying(&self, item_id: &str) -> bool {
        self.message.as_ref().is_some_and(|message| message.item == item_id)
    }

    pub(super) fn has_calls(&self) -> bool {
        self.calls > 0
    }

    fn next_index(&self) -> usize {
        self.response.output.len() + usize::from(self.message.is_some())
    }

    fn at(&self) -> At<'_> {
        let (item_id, output_index) =
            self.message.as_ref().map_or(("", 0), |message| (message.item.as_str(), message.output_index));
        At { response_id: &self.response.id, item_id, output_index, content_index: 0 }
    }

    /// The part of an event.
    fn part<'a>(&self, text: &'a str) -> ResponsePart<'a> {
        match self.response.modality {
            Modality::Audio => ResponsePart::Audio { transcript: text },
            Modality::Text => ResponsePart::Text { text },
        }
    }

    // ---- what it says ----------------------------------------------------------------------------------------

    /// The message that is being said is opened, if there is none.
    fn open_message(&mut self, told: &mut Told) {
        if self.message.is_some() {
            return;
        }
        let (id, output_index) = (told.names.item(), self.next_index());
        let body = ItemBody::Message { role: Role::Assistant, content: Vec::new() };
        let item = Item { id: id.clone(), status: Status::InProgress, body };
        self.message = Some(Message { item: id, output_index, text: String::new() });
        let previous = told.items.last();
        let (response_id, previous_item_id) = (self.response.id.as_str(), previous.as_deref());
        told.tell(&ServerEvent::OutputItemAdded { response_id, output_index, item: &item });
        if !self.is_aside() {
            told.tell(&ServerEvent::ItemAdded { previous_item_id, item: &item });
        }
        told.tell(&ServerEvent::ContentPartAdded { at: self.at(), part: self.part("") });
        if !self.is_aside() {
            told.items.push(item);
        }
    }

    /// A phrase is said; nothing if it was told before.
    pub(super) fn say(&mut self, told: &mut Told, phrase: u64, text: &str) {
        self.open_message(told);
        if self.told.insert(phrase) {
            let is_first = self.message.as_ref().is_some_and(|message| message.text.is_empty());
            let delta = if is_first { text.to_owned() } else { format!(" {text}") };
            self.write(told, &delta);
        }
    }

    /// More text, as it comes.
    pub(super) fn write(&mut self, told: &mut Told, delta: &str) {
        self.open_message(told);
        if let Some(message) = &mut self.message {
            message.text.push_str(delta);
        }
        let at = self.at();
        told.tell(&match self.response.modality {
            Modality::Audio => ServerEvent::TranscriptDelta { at, delta },
            Modality::Text => ServerEvent::TextDelta { at, delta },
        });
    }

    /// More sound, so long.
    pub(super) fn sound(&mut self, told: &mut Told, audio: &[u8], length: Duration) {
        self.open_message(told);
        for audio in audio.chunks(MAX_DELTA_BYTES) {
            told.tell(&ServerEvent::AudioDelta { at: self.at(), audio });
        }
        told.items.sounds(self.at().item_id, length);
    }

    /// The model asks for a tool of the client. Returns what the call is called.
    pub(super) fn call(&mut self, told: &mut Told, name: &str, arguments: &str) -> String {
        self.close_message(told, Status::Completed);
        let (call_id, item_id, output_index) = (told.names.call(), told.names.item(), self.next_index());
        let call = |arguments: &str, status| Item {
            id: item_id.clone(),
            status,
            body: ItemBody::FunctionCall {
                call_id: call_id.clone(),
                name: name.to_owned(),
                arguments: arguments.to_owned(),
            },
        };
        let (begun, done) = (call("", Status::InProgress), call(arguments, Status::Completed));
        self.calls += 1;
        self.response.output.push(done.clone());
        let previous = told.items.last();
        let (response_id, previous_item_id) = (self.response.id.as_str(), previous.as_deref());
        let (item_id, call_id) = (item_id.as_str(), call_id.as_str());
        told.tell(&ServerEvent::OutputItemAdded { response_id, output_index, item: &begun });
        if !self.is_aside() {
            told.tell(&ServerEvent::ItemAdded { previous_item_id, item: &begun });
        }
        let delta = arguments;
        told.tell(&ServerEvent::ArgumentsDelta { response_id, item_id, output_index, call_id, delta });
        told.tell(&ServerEvent::ArgumentsDone {
            response_id,
            item_id,
            output_index,
            call_id,
            name,
            arguments,
        });
        if !self.is_aside() {
            told.tell(&ServerEvent::ItemDone { previous_item_id, item: &done });
        }
        told.tell(&ServerEvent::OutputItemDone { response_id, output_index, item: &done });
        let call_id = call_id.to_owned();
        if !self.is_aside() {
            told.items.push(done);
        }
        call_id
    }

    /// The message that was being said is complete, or was broken off.
    fn close_message(&mut self, told: &mut Told, status: Status) {
        let Some(Message { item, output_index, text }) = self.message.take() else { return };
        let part = match self.response.modality {
            Modality::Audio => Part::OutputAudio { audio: None, transcript: Some(text.clone()) },
            Modality::Text => Part::OutputText { text: text.clone() },
        };
        let body = ItemBody::Message { role: Role::Assistant, content: vec![part] };
        let item = Item { id: item, status, body };
        let response_id = self.response.id.as_str();
        let at = At { response_id, item_id: &item.id, output_index, content_index: 0 };
        match self.response.modality {
            Modality::Audio => {
                told.tell(&ServerEvent::AudioDone { at });
                told.tell(&ServerEvent::TranscriptDone { at, transcript: &text });
            }
            Modality::Text => told.tell(&ServerEvent::TextDone { at, text: &text }),
        }
        told.tell(&ServerEvent::ContentPartDone { at, part: self.part(&text) });
        if !self.is_aside() {
            let previous = told.items.before(&item.id);
            told.tell(&ServerEvent::ItemDone { previous_item_id: previous.as_deref(), item: &item });
        }
        told.tell(&ServerEvent::OutputItemDone { response_id, output_index, item: &item });
        self.response.output.push(item.clone());
        told.items.replace(item);
    }

    /// It is over; the tokens are those read and written for it, where that is known.
    pub(super) fn close(mut self, told: &mut Told, status: ResponseStatus, tokens: Option<(u64, u64)>) {
        let is_whole = status == ResponseStatus::Completed;
        self.close_message(told, if is_whole { Status::Completed } else { Status::Incomplete });
        self.response.status = status;
        self.response.usage = tokens.map(|(input, output)| Usage {
            input: InputTokens { text: input, ..InputTokens::default() },
            output: OutputTokens { text: output, audio: 0 },
        });
        told.tell(&ServerEvent::ResponseDone { response: &self.response });
    }
}
