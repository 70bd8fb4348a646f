//! One conversation in the words of the protocol: what a client asks becomes input of the session, what the session tells
//! becomes events for the client. Pure: no socket, no clock; `now` is an argument.
//!
//! The session's turns and the protocol's responses are not the same thing. A turn in which the model asks a tool of the
//! client is two responses; playback that was held and goes on is one more. What is said always belongs to the response
//! that is open, and one is opened for it if there is none.
//!
//! `speech_started` makes clients stop their playback, so while the agent is heard it is told when the session takes the
//! voice for an interruption, not when there is a voice.

use super::{
    answer::{Answer, Place},
    ears::Ears,
    items::Items,
    names::Names,
    player::Player,
    wire::{
        CancelReason, ClientEvent, Code, Eagerness, EventError, Format, Item, ItemBody, Modality, NewItem,
        Part, Position, Received, ResponseRequest, ResponseStatus, Role, ServerEvent, Session, SessionKind,
        SessionUpdate, Status, TurnDetection,
    },
};
use seiketsu_domain::{Message, Pii, ToolOutcome, ToolSpec, TurnOutcome, Usage};
use seiketsu_session::{ClientAct, DoorInput, DoorOutput, DoorUpdate, Progress, Shown, Turns};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Audio of a commit that is less than this holds no word.
const LEAST_COMMIT_MS: u64 = 100;
/// Audio that may wait for its time.
const MAX_WAITING_AUDIO_BYTES: usize = 24 * 1024 * 1024;
/// Tools of the client that are remembered as unanswered; the oldest are forgotten.
const MAX_OPEN_CALLS: usize = 64;
/// A caller who is silent for longer has not just paused.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// Notes of the client for the model.
const MAX_NOTES_BYTES: usize = 32 * 1024;

/// What the caller's voice is at, in time of their audio.
#[derive(Debug, Clone, Copy, Default)]
struct Voice {
    began: Option<Duration>,
    ended: Option<Duration>,
    /// The client knows of the beginning.
    told: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) session: Session,
    names: Names,
    items: Items,
    events: VecDeque<String>,
    pub(super) ears: Ears,
    pub(super) player: Player,
    /// The format that the session runs in, once it runs.
    format: Option<Format>,
    voice: Voice,
    /// When the utterance that is being heard began, pauses in it notwithstanding.
    utterance_began: Option<Duration>,
    /// What the utterance that is being heard will be called.
    utterance: Option<String>,
    /// Items whose audio was committed and whose words are not known.
    unheard: VecDeque<(String, Duration)>,
    /// Audio appended since the last commit.
    uncommitted: Duration,
    /// Audio taken by commits before.
    committed: Duration,
    answer: Option<Answer>,
    /// The turn that is being answered, from its beginning to its end.
    turn: Option<u32>,
    /// The client has answered tools of this turn, whose answer therefore goes on.
    goes_on: bool,
    /// Calls that the client has to answer, and the numbers of their runs.
    calls: VecDeque<(String, u64)>,
    /// What the caller said last, and in which turn.
    last_said: Option<(u32, String)>,
    /// The client asked to cancel.
    cancelling: bool,
    /// The open response has settings of its own.
    overridden: bool,
    /// What the turn has consumed in responses that are over.
    consumed: Usage,
    /// What the client wrote for the model, beside the instructions.
    notes: Vec<String>,
    /// The agent ended the call.
    closed: bool,
}

impl Conversation {
    pub(super) fn new(session: Session, names: Names) -> Self {
        let (session_format, bytes_per_ms) = (session.input_format, session.input_format.bytes_per_ms());
        let mut conversation = Self {
            session,
            names,
            items: Items::default(),
            events: VecDeque::new(),
            ears: Ears::new(session_format),
            player: Player::new(bytes_per_ms),
            format: None,
            voice: Voice::default(),
            utterance_began: None,
            utterance: None,
            unheard: VecDeque::new(),
            uncommitted: Duration::ZERO,
            committed: Duration::ZERO,
            answer: None,
            turn: None,
            goes_on: false,
            calls: VecDeque::new(),
            last_said: None,
            cancelling: false,
            overridden: false,
            consumed: Usage::default(),
            notes: Vec::new(),
            closed: false,
        };
        let session = conversation.session.clone();
        conversation.tell(&ServerEvent::SessionCreated { session: &session });
        conversation
    }

    /// Whether the agent is neither answering nor being heard.
    pub(super) fn is_at_rest(&self, now: Duration) -> bool {
        self.answer.is_none() && self.turn.is_none() && !self.player.is_playing(now)
    }

    /// The next event for the client.
    pub(super) fn event(&mut self) -> Option<String> {
        self.events.pop_front()
    }

    /// The agent has ended the call.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The session runs from now on, in this format.
    pub(super) fn begins(&mut self) -> (Format, DoorUpdate) {
        let format = self.session.input_format;
        self.format = Some(format);
        (format, self.settings())
    }

    /// Whether the client says itself when a turn is over.
    pub(super) fn client_drives(&self) -> bool {
        self.session.turn_detection.is_none()
    }

    fn tell(&mut self, event: &ServerEvent<'_>) {
        let id = self.names.event();
        self.events.push_back(event.to_json(&id));
    }

    pub(super) fn refuse(&mut self, error: &EventError) {
        self.tell(&ServerEvent::Error { error });
    }

    // ---- the client ------------------------------------------------------------------------------------------

    /// What the client says.
    pub(super) fn hears(&mut self, received: Received, now: Duration) {
        let Received { event_id, event } = received;
        if let Err(error) = self.act(event, now) {
            self.refuse(&error.caused_by(event_id));
        }
    }

    fn act(&mut self, event: ClientEvent, now: Duration) -> Result<(), EventError> {
        match event {
            ClientEvent::UpdateSession(update) => self.update(*update),
            ClientEvent::AppendAudio(audio) => {
                if self.ears.waiting_bytes() + audio.len() > MAX_WAITING_AUDIO_BYTES {
                    return Err(EventError::new(
                        Code::RateLimitExceeded,
                        "More audio is waiting than may wait.",
                    ));
                }
                self.uncommitted += self.player.length(audio.len());
                self.ears.append(audio);
                Ok(())
            }
            ClientEvent::CommitAudio => self.commit(),
            ClientEvent::ClearAudio => {
                self.ears.clear();
                self.ears.ask(DoorInput::Client(ClientAct::Clear));
                self.uncommitted = Duration::ZERO;
                self.tell(&ServerEvent::AudioCleared);
                Ok(())
            }
            ClientEvent::ClearOutputAudio => {
                let message = "Over a WebSocket the client has its own output: it stops playing by itself.";
                Err(EventError::new(Code::InvalidParameter, message).at("type"))
            }
            ClientEvent::CreateItem { item, position } => self.create_item(item, &position),
            ClientEvent::RetrieveItem { item_id } => {
                let found = self.items.get(&item_id).cloned();
                let item = found.ok_or_else(|| {
                    EventError::no_such_item(Code::RetrieveInvalidItem, "item_id", &item_id)
                })?;
                self.tell(&ServerEvent::ItemRetrieved { item: &item });
                Ok(())
            }
            ClientEvent::TruncateItem { item_id, content_index, audio_end_ms } => {
                self.truncate(&item_id, content_index, audio_end_ms, now)
            }
            ClientEvent::DeleteItem { item_id } => {
                if self.items.get(&item_id).is_none() {
                    return Err(EventError::no_such_item(Code::DeleteInvalidItem, "item_id", &item_id));
                }
                let Some((turn, speaker)) =
                    self.items.said(&item_id).filter(|(turn, _)| self.turn != Some(*turn))
                else {
                    let message = "Only what one side has said in a turn that is over can be deleted.";
                    return Err(EventError::new(Code::InvalidParameter, message).at("item_id"));
                };
                self.ears.ask(DoorInput::Client(ClientAct::Forget { turn, speaker }));
                self.items.remove(&item_id);
                self.tell(&ServerEvent::ItemDeleted { item_id: &item_id });
                Ok(())
            }
            ClientEvent::CreateResponse(request) => self.create_response(*request),
            ClientEvent::CancelResponse { response_id } => {
                let open = self.answer.as_ref().map(|answer| answer.response.id.as_str());
                if open.is_none() || response_id.is_some_and(|id| Some(id.as_str()) != open) {
                    return Err(EventError::cancel_not_active());
                }
                self.cancel();
                Ok(())
            }
        }
    }

    fn cancel(&mut self) {
        let turn = self.answer.as_ref().and_then(|answer| answer.turn);
        self.ears.ask_now(DoorInput::Client(ClientAct::CancelResponse { turn }));
        if turn.is_some() {
            self.cancelling = true; // its end says so
        } else {
            self.close_answer(ResponseStatus::Cancelled(CancelReason::ClientCancelled), None);
        }
    }

    fn update(&mut self, update: SessionUpdate) -> Result<(), EventError> {
        let mut next = self.session.clone();
        next.apply(update)?;
        if next.input_format != next.output_format {
            let message = "Both directions must have the same format.";
            return Err(EventError::new(Code::InvalidParameter, message).at("session.audio.output.format"));
        }
        if self.format.is_some_and(|format| format != next.input_format) {
            let message = "The format cannot change once the conversation has begun.";
            return Err(EventError::new(Code::InvalidParameter, message).at("session.audio.input.format"));
        }
        if let Some(detection) = &next.turn_detection {
            let interrupts = match detection {
                TurnDetection::ServerVad(vad) => vad.interrupt_response,
                TurnDetection::SemanticVad(vad) => vad.interrupt_response,
            };
            if !interrupts && self.has_answers() {
                let message =
                    "'interrupt_response' can only be true here; set 'turn_detection' to null instead.";
                let param = "session.audio.input.turn_detection.interrupt_response";
                return Err(EventError::new(Code::InvalidParameter, message).at(param));
            }
        }
        if next.input_format != self.session.input_format {
            self.ears = Ears::new(next.input_format);
            self.player = Player::new(next.input_format.bytes_per_ms());
        }
        self.session = next.clone();
        self.tell(&ServerEvent::SessionUpdated { session: &next });
        if self.format.is_some() {
            let update = self.settings();
            self.ears.ask_now(DoorInput::Update(update));
        }
        Ok(())
    }

    /// The configuration as the session knows it.
    fn settings(&self) -> DoorUpdate {
        let session = &self.session;
        DoorUpdate {
            instructions: Some(self.instructions(&session.instructions)),
            tools: Some(session.tools.iter().map(tool).collect()),
            endpoint_silence: session.turn_detection.as_ref().and_then(silence),
            turns: Some(self.turns()),
            speaks: Some(session.output == Modality::Audio),
        }
    }

    fn turns(&self) -> Turns {
        let answers = |detection: &TurnDetection| match detection {
            TurnDetection::ServerVad(vad) => vad.create_response,
            TurnDetection::SemanticVad(vad) => vad.create_response,
        };
        match &self.session.turn_detection {
            None => Turns::ByClient,
            Some(detection) if answers(detection) && self.has_answers() => Turns::ByVoice,
            Some(_) => Turns::Unanswered,
        }
    }

    /// A session that only transcribes has none.
    fn has_answers(&self) -> bool {
        self.session.kind == SessionKind::Realtime
    }

    fn instructions(&self, instructions: &str) -> String {
        let all: Vec<&str> = std::iter::once(instructions)
            .chain(self.notes.iter().map(String::as_str))
            .filter(|text| !text.trim().is_empty())
            .collect();
        all.join("\n\n")
    }

    fn commit(&mut self) -> Result<(), EventError> {
        if !self.client_drives() {
            let message = "The end of a turn is found by 'turn_detection'; set it to null to commit.";
            return Err(EventError::new(Code::InvalidParameter, message).at("type"));
        }
        let length = std::mem::take(&mut self.uncommitted);
        if length.as_millis() < u128::from(LEAST_COMMIT_MS) {
            return Err(EventError::commit_empty(LEAST_COMMIT_MS, length.as_millis() as u64));
        }
        self.committed += length;
        let id = self.names.item();
        self.items.heard(&id);
        self.add_spoken(&id);
        self.unheard.push_back((id, length));
        self.ears.ask(DoorInput::Client(ClientAct::Commit));
        Ok(())
    }

    /// What the caller said becomes an item; its words may come later.
    fn add_spoken(&mut self, id: &str) {
        let previous = self.items.last();
        self.tell(&ServerEvent::AudioCommitted { item_id: id, previous_item_id: previous.as_deref() });
        let content = vec![Part::InputAudio { audio: None, transcript: None }];
        let body = ItemBody::Message { role: Role::User, content };
        self.add(Item { id: id.to_owned(), status: Status::Completed, body });
    }

    /// An item that is complete.
    fn add(&mut self, item: Item) {
        let previous = self.items.last();
        let previous_item_id = previous.as_deref();
        self.tell(&ServerEvent::ItemAdded { previous_item_id, item: &item });
        self.tell(&ServerEvent::ItemDone { previous_item_id, item: &item });
        self.items.push(item);
    }

    fn create_item(&mut self, new: NewItem, position: &Position) -> Result<(), EventError> {
        if !self.has_answers() {
            return Err(not_in_transcription());
        }
        let at_the_end = match position {
            Position::Last => true,
            Position::First => self.items.is_empty(),
            Position::After(id) => {
                if self.items.get(id).is_none() {
                    return Err(EventError::no_such_item(
                        Code::CreateInvalidPreviousItem,
                        "previous_item_id",
                        id,
                    ));
                }
                self.items.last().as_ref() == Some(id)
            }
        };
        if !at_the_end {
            let message = "Items can only be added at the end of the conversation.";
            return Err(EventError::new(Code::InvalidParameter, message).at("previous_item_id"));
        }
        if new.id.as_ref().is_some_and(|id| self.items.get(id).is_some()) {
            return Err(
                EventError::new(Code::InvalidParameter, "There is an item with this id.").at("item.id")
            );
        }
        match &new.body {
            ItemBody::Message { role, content } => {
                if content
                    .iter()
                    .any(|part| matches!(part, Part::InputAudio { .. } | Part::OutputAudio { .. }))
                {
                    let message = "Sound goes into the input audio buffer, not into an item.";
                    return Err(EventError::new(Code::InvalidParameter, message).at("item.content"));
                }
                let text = content.iter().filter_map(Part::text).collect::<Vec<_>>().join(" ");
                match role {
                    Role::User => self.say(Message::Caller { text: Pii::new(text) }),
                    Role::Assistant => self.say(Message::Agent { text: Pii::new(text) }),
                    Role::System => {
                        if self.notes.iter().map(String::len).sum::<usize>() + text.len() > MAX_NOTES_BYTES {
                            let message = format!("System messages may have {MAX_NOTES_BYTES} bytes in all.");
                            return Err(
                                EventError::new(Code::StringAboveMaxLength, message).at("item.content")
                            );
                        }
                        self.notes.push(text);
                        let update = self.settings();
                        self.ears.ask_now(DoorInput::Update(update));
                    }
                }
            }
            ItemBody::FunctionCallOutput { call_id, output } => {
                let Some(at) = self.calls.iter().position(|(id, _)| id == call_id) else {
                    let message = "No call with this id is waiting for an output.";
                    return Err(EventError::new(Code::InvalidParameter, message).at("item.call_id"));
                };
                // Whatever it is, the model reads it.
                let value = serde_json::from_str(output).unwrap_or_else(|_| output.clone().into());
                if let Some((_, number)) = self.calls.remove(at) {
                    self.goes_on |= self.turn.is_some();
                    self.ears.ask_now(DoorInput::ToolAnswer { number, outcome: ToolOutcome::Done(value) });
                }
            }
            ItemBody::FunctionCall { .. } => {
                let message = "Only the model asks for functions.";
                return Err(EventError::new(Code::InvalidParameter, message).at("item.type"));
            }
        }
        let names = &mut self.names;
        let item = new.named(|| names.item());
        match &item.body {
            ItemBody::Message { role: Role::User, .. } => self.items.heard(&item.id),
            // It stands between what was said before and what will be: the turn does not have both any more.
            ItemBody::Message { role: Role::Assistant, .. } => self.items.mix(),
            ItemBody::Message { role: Role::System, .. }
            | ItemBody::FunctionCall { .. }
            | ItemBody::FunctionCallOutput { .. } => {}
        }
        self.add(item);
        Ok(())
    }

    fn say(&mut self, message: Message) {
        self.ears.ask(DoorInput::Client(ClientAct::CreateItem(message)));
    }

    fn truncate(
        &mut self,
        item_id: &str,
        content_index: usize,
        audio_end_ms: u64,
        now: Duration,
    ) -> Result<(), EventError> {
        let no_such_item = || EventError::no_such_item(Code::TruncateInvalidItem, "item_id", item_id);
        let length_ms = self.items.sound(item_id).ok_or_else(no_such_item)?.as_millis() as u64;
        if content_index > 0 {
            let message = "An item has one part with sound, of index 0.";
            return Err(EventError::new(Code::InvalidValue, message).at("content_index"));
        }
        if audio_end_ms > length_ms {
            let message = format!("Audio of {length_ms} ms cannot be cut at {audio_end_ms} ms.");
            return Err(EventError::new(Code::InvalidValue, message).at("audio_end_ms"));
        }
        let is_under_way = self.answer.as_ref().is_some_and(|answer| answer.is_saying(item_id));
        if is_under_way || (self.items.is_last_spoken(item_id) && self.player.is_playing(now)) {
            // Where in the turn: an answer of several items is heard item by item.
            let before = self.items.sound_of_turn_before(item_id);
            let heard = before + Duration::from_millis(audio_end_ms);
            self.ears.ask_now(DoorInput::Client(ClientAct::Truncate { heard }));
        }
        self.items.forget_words(item_id);
        self.tell(&ServerEvent::ItemTruncated { item_id, content_index, audio_end_ms });
        Ok(())
    }

    fn create_response(&mut self, request: ResponseRequest) -> Result<(), EventError> {
        if !self.has_answers() {
            return Err(not_in_transcription());
        }
        if self.goes_on {
            // The turn whose tools were answered goes on by itself; this is what the client asks for.
            if self.answer.is_none() {
                self.open_answer(self.turn, self.session.output, request.metadata);
            }
            return Ok(());
        }
        if let Some(answer) = &self.answer {
            return Err(EventError::already_active(&answer.response.id));
        }
        for (param, wanted) in [
            ("response.input", request.input.is_some()),
            ("response.conversation", request.out_of_band),
            ("response.tools", request.tools.is_some()),
            ("response.tool_choice", request.tool_choice.is_some()),
            ("response.max_output_tokens", request.max_output_tokens.is_some()),
        ] {
            if wanted {
                let message = format!("'{param}' cannot be given for a single response here.");
                return Err(EventError::new(Code::InvalidParameter, message).at(param));
            }
        }
        let modality = request.output.unwrap_or(self.session.output);
        if request.instructions.is_some() || modality != self.session.output {
            self.overridden = true;
            let instructions = request.instructions.as_deref().unwrap_or(&self.session.instructions);
            let update = DoorUpdate {
                instructions: Some(self.instructions(instructions)),
                speaks: Some(modality == Modality::Audio),
                ..DoorUpdate::default()
            };
            self.ears.ask(DoorInput::Update(update));
        }
        self.open_answer(None, modality, request.metadata);
        self.ears.ask(DoorInput::Client(ClientAct::CreateResponse));
        Ok(())
    }

    // ---- the session -----------------------------------------------------------------------------------------

    /// What the session says. Marks that have come back are in the player's hands.
    pub(super) fn says(&mut self, output: DoorOutput, now: Duration) -> Vec<DoorInput> {
        match output {
            DoorOutput::Audio(audio) => self.plays(&audio, now),
            DoorOutput::Mark(mark) => self.player.mark(mark, now),
            DoorOutput::Clear => {
                let marks = self.player.clear(now).map(DoorInput::Mark).collect();
                self.tell_speech_started();
                return marks;
            }
            DoorOutput::Shown(shown) => self.shows(shown, now),
            DoorOutput::Close => self.closed = true,
        }
        Vec::new()
    }

    fn shows(&mut self, shown: Shown, now: Duration) {
        match shown {
            Shown::VoiceBegan { at } => {
                // What ended so long ago was a noise, and no part of this.
                let is_over = |ended: Duration| at.saturating_sub(ended) > LONGEST_PAUSE;
                if self.voice.ended.is_some_and(is_over) {
                    self.utterance_began = None;
                }
                self.utterance_began.get_or_insert(at);
                self.voice = Voice { began: Some(at), ended: None, told: false };
                if !self.player.is_playing(now) {
                    self.tell_speech_started();
                }
            }
            Shown::VoiceEnded { at } => {
                self.voice.ended = Some(at);
                if self.voice.told {
                    self.tell_speech_stopped();
                }
            }
            Shown::Hearing { .. } => {}
            Shown::ToolWanted { number, name, arguments } => self.wants_tool(number, &name, &arguments),
            Shown::Progress(progress) => self.progress(progress),
        }
    }

    /// The name of the utterance that is being heard.
    fn utterance(&mut self) -> String {
        let names = &mut self.names;
        self.utterance.get_or_insert_with(|| names.item()).clone()
    }

    fn tell_speech_started(&mut self) {
        if self.client_drives() || self.voice.told {
            return;
        }
        if let Some(began) = self.voice.began {
            self.voice.told = true;
            let item_id = self.utterance();
            let audio_start_ms = began.saturating_sub(self.ears.inserted()).as_millis() as u64;
            self.tell(&ServerEvent::SpeechStarted { audio_start_ms, item_id: &item_id });
            if self.voice.ended.is_some() {
                self.tell_speech_stopped();
            }
        }
    }

    fn tell_speech_stopped(&mut self) {
        if let Some(ended) = self.voice.ended {
            let item_id = self.utterance();
            let audio_end_ms = ended.saturating_sub(self.ears.inserted()).as_millis() as u64;
            self.tell(&ServerEvent::SpeechStopped { audio_end_ms, item_id: &item_id });
        }
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Understood { turn, text } => {
                self.heard(&text, Some(turn));
            }
            Progress::Taken { text } => {
                if let Some((id, length)) = self.unheard.pop_front() {
                    self.understood(&id, &text, length);
                } else if !self.client_drives() {
                    self.heard(&text, None);
                }
            }
            Progress::Answering { turn } => {
                self.items.new_turn(turn);
                self.consumed = Usage::default();
                (self.turn, self.goes_on) = (Some(turn), false);
                if self.answer.as_ref().is_some_and(|answer| answer.turn.is_some_and(|other| other != turn)) {
                    self.close_answer(ResponseStatus::Cancelled(CancelReason::TurnDetected), None);
                }
                match &mut self.answer {
                    Some(answer) => answer.turn = Some(turn),
                    None => self.open_answer(Some(turn), self.session.output, None),
                }
            }
            Progress::Saying { turn, id, text } => {
                let place = self.place(turn);
                let modality = self.answer.as_ref().map_or(self.session.output, Answer::modality);
                let Some(delta) = self.answer.as_mut().and_then(|answer| answer.say(id.0, &text)) else {
                    return;
                };
                let at = place.at();
                self.tell(&match modality {
                    Modality::Audio => ServerEvent::TranscriptDelta { at, delta: &delta },
                    Modality::Text => ServerEvent::TextDelta { at, delta: &delta },
                });
            }
            Progress::AwaitsTools { usage, .. } => {
                if self.answer.as_ref().is_some_and(Answer::has_calls) {
                    self.close_answer(ResponseStatus::Completed, Some(usage));
                }
            }
            Progress::Said { usage, .. } => self.close_answer(ResponseStatus::Completed, Some(usage)),
            Progress::Over { turn, outcome } => {
                let is_open = self.answer.as_ref().is_some_and(|answer| answer.turn == Some(turn));
                if self.turn == Some(turn) {
                    (self.turn, self.goes_on) = (None, false);
                }
                let cancelled = std::mem::take(&mut self.cancelling);
                match outcome {
                    TurnOutcome::Interrupted | TurnOutcome::Continued => {
                        let reason = if cancelled {
                            CancelReason::ClientCancelled
                        } else {
                            CancelReason::TurnDetected
                        };
                        if is_open {
                            self.close_answer(ResponseStatus::Cancelled(reason), None);
                        }
                        self.tell_speech_started();
                        if outcome == TurnOutcome::Continued {
                            self.forget_said(turn);
                        }
                    }
                    TurnOutcome::Answered | TurnOutcome::Failed | TurnOutcome::HungUp => {
                        if is_open {
                            self.close_answer(ResponseStatus::Completed, None);
                        }
                        if self.voice.ended.is_some() && !self.voice.told {
                            // A murmur, and nobody was told.
                            (self.voice, self.utterance_began) = (Voice::default(), None);
                        }
                    }
                }
            }
        }
    }

    /// An utterance is over: it belongs to that turn, or waits for somebody to ask for an answer.
    fn heard(&mut self, text: &str, turn: Option<u32>) {
        self.tell_speech_started();
        let id = self.utterance();
        self.utterance = None;
        let length = self.utterance_began.take().zip(self.voice.ended);
        let length = length.map_or(Duration::ZERO, |(began, ended)| ended.saturating_sub(began));
        self.voice = Voice::default();
        self.last_said = turn.map(|turn| (turn, id.clone()));
        self.items.heard(&id);
        if let Some(turn) = turn {
            self.items.answers(turn);
        }
        self.add_spoken(&id);
        self.understood(&id, text, length);
    }

    /// What was said in this turn comes again, at the beginning of the next.
    fn forget_said(&mut self, turn: u32) {
        if let Some((_, id)) = self.last_said.take_if(|(said_in, _)| *said_in == turn) {
            self.items.remove(&id);
            self.tell(&ServerEvent::ItemDeleted { item_id: &id });
        }
    }

    fn understood(&mut self, item_id: &str, text: &str, length: Duration) {
        self.items.set_words(item_id, text);
        if self.session.transcription.is_none() {
            return;
        }
        let audio_seconds = length.as_secs_f64();
        if !text.is_empty() {
            self.tell(&ServerEvent::TranscriptionDelta { item_id, content_index: 0, delta: text });
        }
        self.tell(&ServerEvent::TranscriptionCompleted {
            item_id,
            content_index: 0,
            transcript: text,
            audio_seconds,
        });
    }

    // ---- answers ---------------------------------------------------------------------------------------------

    fn open_answer(
        &mut self,
        turn: Option<u32>,
        modality: Modality,
        metadata: Option<BTreeMap<String, String>>,
    ) {
        let ids = (self.names.response(), self.names.conversation());
        let answer = Answer::new(ids, turn, modality, &self.session, metadata);
        self.tell(&ServerEvent::ResponseCreated { response: &answer.response });
        // There are no limits but those of connections yet.
        self.tell(&ServerEvent::RateLimitsUpdated { rate_limits: &[] });
        self.answer = Some(answer);
    }

    /// The message that is being said, opened if need be.
    fn place(&mut self, turn: u32) -> Place {
        if self.answer.is_none() {
            self.open_answer(Some(turn), self.session.output, None);
        }
        if let Some(answer) = &mut self.answer {
            answer.turn.get_or_insert(turn);
        }
        if let Some(place) = self.answer.as_ref().and_then(Answer::place) {
            return place;
        }
        let id = self.names.item();
        let previous = self.items.last();
        let item = Item {
            id,
            status: Status::InProgress,
            body: ItemBody::Message { role: Role::Assistant, content: Vec::new() },
        };
        let Some(answer) = &mut self.answer else { return Place::default() };
        let place = answer.open_message(item.id.clone());
        let modality = answer.modality();
        let (response_id, output_index) = (place.response.as_str(), place.output_index);
        self.tell(&ServerEvent::OutputItemAdded { response_id, output_index, item: &item });
        self.tell(&ServerEvent::ItemAdded { previous_item_id: previous.as_deref(), item: &item });
        self.tell(&ServerEvent::ContentPartAdded { at: place.at(), part: Answer::part(modality, "") });
        self.items.push(item);
        place
    }

    fn plays(&mut self, audio: &[u8], now: Duration) {
        let turn = self.turn.unwrap_or_default();
        let place = self.place(turn);
        for audio in audio.chunks(super::wire::MAX_DELTA_BYTES) {
            self.tell(&ServerEvent::AudioDelta { at: place.at(), audio });
        }
        let length = self.player.length(audio.len());
        self.items.sounds(&place.item, length);
        self.player.sent(audio.len(), now);
    }

    fn wants_tool(&mut self, number: u64, name: &str, arguments: &str) {
        if self.answer.is_none() {
            self.open_answer(self.turn, self.session.output, None);
        }
        self.close_message(Status::Completed);
        let (call_id, item_id) = (self.names.call(), self.names.item());
        let Some(answer) = &mut self.answer else { return };
        let (response, output_index) = (answer.response.id.clone(), answer.next_index());
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
        answer.add_call(done.clone());
        let previous = self.items.last();
        let (response_id, previous_item_id) = (response.as_str(), previous.as_deref());
        let (item, call) = (item_id.as_str(), call_id.as_str());
        self.tell(&ServerEvent::OutputItemAdded { response_id, output_index, item: &begun });
        self.tell(&ServerEvent::ItemAdded { previous_item_id, item: &begun });
        self.tell(&ServerEvent::ArgumentsDelta {
            response_id,
            item_id: item,
            output_index,
            call_id: call,
            delta: arguments,
        });
        self.tell(&ServerEvent::ArgumentsDone {
            response_id,
            item_id: item,
            output_index,
            call_id: call,
            name,
            arguments,
        });
        self.tell(&ServerEvent::ItemDone { previous_item_id, item: &done });
        self.tell(&ServerEvent::OutputItemDone { response_id, output_index, item: &done });
        self.items.push(done);
        self.calls.push_back((call_id, number));
        if self.calls.len() > MAX_OPEN_CALLS {
            self.calls.pop_front(); // the engine has long given it up
        }
    }

    /// The message that was being said is complete, or was broken off.
    fn close_message(&mut self, status: Status) {
        let Some(answer) = &mut self.answer else { return };
        let modality = answer.modality();
        let Some((place, item, text)) = answer.close_message(status) else { return };
        let previous = self.items.before(&item.id);
        let at = place.at();
        match modality {
            Modality::Audio => {
                self.tell(&ServerEvent::AudioDone { at });
                self.tell(&ServerEvent::TranscriptDone { at, transcript: &text });
            }
            Modality::Text => self.tell(&ServerEvent::TextDone { at, text: &text }),
        }
        self.tell(&ServerEvent::ContentPartDone { at, part: Answer::part(modality, &text) });
        self.tell(&ServerEvent::ItemDone { previous_item_id: previous.as_deref(), item: &item });
        let (response_id, output_index) = (place.response.as_str(), place.output_index);
        self.tell(&ServerEvent::OutputItemDone { response_id, output_index, item: &item });
        self.items.replace(item);
    }

    fn close_answer(&mut self, status: ResponseStatus, usage: Option<Usage>) {
        let whole = status == ResponseStatus::Completed;
        self.close_message(if whole { Status::Completed } else { Status::Incomplete });
        let Some(mut answer) = self.answer.take() else { return };
        let before = self.consumed;
        self.consumed = usage.unwrap_or(before);
        let tokens = usage.map(|usage| {
            (usage.input_tokens - before.input_tokens, usage.output_tokens - before.output_tokens)
        });
        answer.close(status, tokens);
        self.tell(&ServerEvent::ResponseDone { response: &answer.response });
        self.cancelling = false;
        if std::mem::take(&mut self.overridden) {
            let update = self.settings();
            self.ears.ask_now(DoorInput::Update(update));
        }
    }
}

/// How long a caller has to be silent; `None` leaves it to the agent.
fn silence(detection: &TurnDetection) -> Option<Duration> {
    match detection {
        TurnDetection::ServerVad(vad) => Some(Duration::from_millis(vad.silence_duration_ms)),
        // What the words say counts either way; this is for where they say nothing.
        TurnDetection::SemanticVad(vad) => match vad.eagerness {
            Eagerness::Low => Some(Duration::from_millis(900)),
            Eagerness::Medium | Eagerness::Auto => None,
            Eagerness::High => Some(Duration::from_millis(200)),
        },
    }
}

fn tool(tool: &super::wire::Tool) -> ToolSpec {
    ToolSpec {
        name: tool.name.clone(),
        description: tool.description.clone().unwrap_or_default(),
        parameters: tool
            .parameters
            .clone()
            .unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}})),
    }
}

fn not_in_transcription() -> EventError {
    let message = "A transcription session has no answers and no items but what was said.";
    EventError::new(Code::InvalidParameter, message).at("type")
}
