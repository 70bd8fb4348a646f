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
    answer::{Answer, Own},
    ears::Ears,
    input::{self, Context},
    names::Names,
    player::Player,
    told::Told,
    transcript::Transcript,
    wire::{
        CancelReason, ClientEvent, Code, Eagerness, EventError, Format, IncompleteReason, Item, ItemBody,
        MaxTokens, Modality, NewItem, Part, Position, RateLimit, Received, ResponseRequest, ResponseStatus,
        Role, ServerEvent, Session, SessionKind, SessionUpdate, Status, ToolChoice, TranscriptionFailure,
        TurnDetection,
    },
};
use crate::access::{Allowance, Left};
use seiketsu_domain::{Message, Pii, ToolOutcome, ToolSpec, TurnOutcome, Usage};
use seiketsu_session::{
    AsideEvent, ClientAct, DoorInput, DoorOutput, DoorResponse, DoorUpdate, Finish, Progress, ResponsePlace,
    Shown, Turns,
};
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
/// Responses beside the conversation at once: as many as the engine takes (`Limits::asides`), refused here with a word.
const MAX_ASIDES: usize = 4;
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
    told: Told,
    allowance: Allowance,
    pub(super) ears: Ears,
    pub(super) player: Player,
    /// The format that the session runs in, once it runs.
    format: Option<Format>,
    voice: Voice,
    /// When the utterance that is being heard began, pauses in it notwithstanding.
    utterance_began: Option<Duration>,
    /// What the utterance that is being heard will be called.
    utterance: Option<String>,
    /// What was told of its words.
    transcript: Transcript,
    /// Items whose audio was committed and whose words are not known.
    unheard: VecDeque<(String, Duration)>,
    /// Audio appended since the last commit.
    uncommitted: Duration,
    /// Audio taken by commits before.
    committed: Duration,
    /// The response that is being given.
    answer: Option<Answer>,
    /// The one that the client has asked for and that no turn gives yet, and its number.
    awaited: Option<(u64, Answer)>,
    /// Responses beside the conversation, by their numbers.
    asides: BTreeMap<u64, Answer>,
    /// Responses that were asked for.
    asked: u64,
    /// The turn that is being answered, from its beginning to its end.
    turn: Option<u32>,
    /// What its responses have of their own.
    own_of_turn: Option<Own>,
    /// The client has answered tools of this turn, whose answer therefore goes on.
    goes_on: bool,
    /// Calls that the client has to answer, and the numbers of their runs.
    calls: VecDeque<(String, u64)>,
    /// What the caller said last, and in which turn.
    last_said: Option<(u32, String)>,
    /// The client asked to cancel.
    cancelling: bool,
    /// What the turn has consumed in responses that are over.
    consumed: Usage,
    /// What the client wrote for the model, beside the instructions.
    notes: Vec<String>,
    /// The agent ended the call.
    closed: bool,
}

impl Conversation {
    pub(super) fn new(session: Session, names: Names, allowance: Allowance) -> Self {
        let (session_format, bytes_per_ms) = (session.input_format, session.input_format.bytes_per_ms());
        let mut conversation = Self {
            session,
            told: Told::new(names),
            allowance,
            ears: Ears::new(session_format),
            player: Player::new(bytes_per_ms),
            format: None,
            voice: Voice::default(),
            utterance_began: None,
            utterance: None,
            transcript: Transcript::default(),
            unheard: VecDeque::new(),
            uncommitted: Duration::ZERO,
            committed: Duration::ZERO,
            answer: None,
            awaited: None,
            asides: BTreeMap::new(),
            asked: 0,
            turn: None,
            own_of_turn: None,
            goes_on: false,
            calls: VecDeque::new(),
            last_said: None,
            cancelling: false,
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
        self.answer.is_none()
            && self.awaited.is_none()
            && self.asides.is_empty()
            && self.turn.is_none()
            && !self.player.is_playing(now)
    }

    /// The next event for the client.
    pub(super) fn event(&mut self) -> Option<String> {
        self.told.next()
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
        self.told.tell(event);
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
                let found = self.told.items.get(&item_id).cloned();
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
                if self.told.items.get(&item_id).is_none() {
                    return Err(EventError::no_such_item(Code::DeleteInvalidItem, "item_id", &item_id));
                }
                let Some((turn, speaker)) =
                    self.told.items.said(&item_id).filter(|(turn, _)| self.turn != Some(*turn))
                else {
                    let message = "Only what one side has said in a turn that is over can be deleted.";
                    return Err(EventError::new(Code::InvalidParameter, message).at("item_id"));
                };
                self.ears.ask(DoorInput::Client(ClientAct::Forget { turn, speaker }));
                self.told.items.remove(&item_id);
                self.tell(&ServerEvent::ItemDeleted { item_id: &item_id });
                Ok(())
            }
            ClientEvent::CreateResponse(request) => self.create_response(*request, now),
            ClientEvent::CancelResponse { response_id } => self.cancel(response_id.as_deref(), now),
        }
    }

    /// Ends the response with this id; without one, that of the conversation.
    fn cancel(&mut self, response_id: Option<&str>, now: Duration) -> Result<(), EventError> {
        let is_meant = |answer: &Answer| response_id.is_none_or(|id| id == answer.response.id);
        let by_client = ResponseStatus::Cancelled(CancelReason::ClientCancelled);
        if let Some(turn) = self.answer.as_ref().filter(|answer| is_meant(answer)).map(|answer| answer.turn) {
            self.ears.ask_now(DoorInput::Client(ClientAct::CancelResponse { turn }));
            self.cancelling = turn.is_some(); // its end says so
            if !self.cancelling {
                self.close_answer(by_client, None, now);
            }
            return Ok(());
        }
        if let Some((number, answer)) = self.awaited.take_if(|(_, answer)| is_meant(answer)) {
            self.ears.ask(DoorInput::Client(ClientAct::CancelRequest(number)));
            answer.close(&mut self.told, by_client, None);
            return Ok(());
        }
        let beside = self.asides.iter().find(|(_, aside)| response_id.is_some() && is_meant(aside));
        let number = beside.map(|(number, _)| *number).ok_or_else(EventError::cancel_not_active)?;
        self.ears.ask(DoorInput::Client(ClientAct::CancelAside(number)));
        self.close_aside(number, by_client, None, now);
        Ok(())
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
        check_choice(&next.tool_choice, &next.tools, "session.tool_choice")?;
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
            tool_choice: Some(choice(&session.tool_choice)),
            max_tokens: Some(tokens(session.max_output_tokens)),
            turns: Some(self.turns()),
            is_interruptible: Some(self.is_interruptible()),
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

    /// Whether the caller's voice ends a response.
    fn is_interruptible(&self) -> bool {
        match &self.session.turn_detection {
            None => true,
            Some(TurnDetection::ServerVad(vad)) => vad.interrupt_response,
            Some(TurnDetection::SemanticVad(vad)) => vad.interrupt_response,
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
        let id = self.told.names.item();
        self.told.items.heard(&id);
        self.add_spoken(&id);
        self.unheard.push_back((id, length));
        self.ears.ask(DoorInput::Client(ClientAct::Commit));
        Ok(())
    }

    /// What the caller said becomes an item; its words may come later.
    fn add_spoken(&mut self, id: &str) {
        let previous = self.told.items.last();
        self.tell(&ServerEvent::AudioCommitted { item_id: id, previous_item_id: previous.as_deref() });
        let content = vec![Part::InputAudio { audio: None, transcript: None }];
        let body = ItemBody::Message { role: Role::User, content };
        self.told.add(Item { id: id.to_owned(), status: Status::Completed, body });
    }

    fn create_item(&mut self, new: NewItem, position: &Position) -> Result<(), EventError> {
        if !self.has_answers() {
            return Err(not_in_transcription());
        }
        let at_the_end = match position {
            Position::Last => true,
            Position::First => self.told.items.is_empty(),
            Position::After(id) => {
                if self.told.items.get(id).is_none() {
                    return Err(EventError::no_such_item(
                        Code::CreateInvalidPreviousItem,
                        "previous_item_id",
                        id,
                    ));
                }
                self.told.items.last().as_ref() == Some(id)
            }
        };
        if !at_the_end {
            let message = "Items can only be added at the end of the conversation.";
            return Err(EventError::new(Code::InvalidParameter, message).at("previous_item_id"));
        }
        if new.id.as_ref().is_some_and(|id| self.told.items.get(id).is_some()) {
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
        let names = &mut self.told.names;
        let item = new.named(|| names.item());
        match &item.body {
            ItemBody::Message { role: Role::User, .. } => self.told.items.heard(&item.id),
            // It stands between what was said before and what will be: the turn does not have both any more.
            ItemBody::Message { role: Role::Assistant, .. } => self.told.items.mix(),
            ItemBody::Message { role: Role::System, .. }
            | ItemBody::FunctionCall { .. }
            | ItemBody::FunctionCallOutput { .. } => {}
        }
        self.told.add(item);
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
        let length_ms = self.told.items.sound(item_id).ok_or_else(no_such_item)?.as_millis() as u64;
        if content_index > 0 {
            let message = "An item has one part with sound, of index 0.";
            return Err(EventError::new(Code::InvalidValue, message).at("content_index"));
        }
        if audio_end_ms > length_ms {
            let message = format!("Audio of {length_ms} ms cannot be cut at {audio_end_ms} ms.");
            return Err(EventError::new(Code::InvalidValue, message).at("audio_end_ms"));
        }
        let is_under_way = self.answer.as_ref().is_some_and(|answer| answer.is_saying(item_id));
        if is_under_way || (self.told.items.is_last_spoken(item_id) && self.player.is_playing(now)) {
            // Where in the turn: an answer of several items is heard item by item.
            let before = self.told.items.sound_of_turn_before(item_id);
            let heard = before + Duration::from_millis(audio_end_ms);
            self.ears.ask_now(DoorInput::Client(ClientAct::Truncate { heard }));
        }
        self.told.items.forget_words(item_id);
        self.tell(&ServerEvent::ItemTruncated { item_id, content_index, audio_end_ms });
        Ok(())
    }

    fn create_response(&mut self, request: ResponseRequest, now: Duration) -> Result<(), EventError> {
        if !self.has_answers() {
            return Err(not_in_transcription());
        }
        let own = Own {
            modality: request.output.unwrap_or(self.session.output),
            max_output_tokens: request.max_output_tokens.unwrap_or(self.session.max_output_tokens),
            metadata: request.metadata,
            is_aside: request.out_of_band,
        };
        // There is one voice: what is spoken has to wait for its turn, in the conversation or not.
        let is_beside = own.is_aside && own.modality == Modality::Text;
        if !is_beside && self.goes_on {
            // The turn whose tools were answered goes on by itself; this is what the client asks for.
            if self.answer.is_none() {
                let of_turn = self.own_of_turn.clone().unwrap_or_else(|| Own::of(&self.session));
                self.open_answer(self.turn, Own { metadata: own.metadata, ..of_turn }, now);
            }
            return Ok(());
        }
        let open = self.answer.as_ref().or(self.awaited.as_ref().map(|(_, answer)| answer));
        if !is_beside && let Some(answer) = open {
            return Err(EventError::already_active(&answer.response.id));
        }
        if is_beside && self.asides.len() >= MAX_ASIDES {
            let message =
                format!("At most {MAX_ASIDES} responses are given beside the conversation at once.");
            return Err(EventError::new(Code::RateLimitExceeded, message).at("response.conversation"));
        }
        let tools = request.tools.as_deref().unwrap_or(&self.session.tools);
        if let Some(choice) = &request.tool_choice {
            check_choice(choice, tools, "response.tool_choice")?;
        }
        let context = request.input.map(|input| input::context(input, &self.told.items)).transpose()?;
        self.allowance.ask(now).map_err(|wait| {
            let seconds = wait.as_secs_f64().ceil();
            let message = format!("This key has used up its responses or tokens; try again in {seconds} s.");
            EventError::new(Code::RateLimitExceeded, message)
        })?;
        let (messages, notes) = match context {
            Some(Context { messages, notes }) => (Some(messages), notes),
            None => (None, Vec::new()),
        };
        let instructions = (request.instructions.is_some() || !notes.is_empty()).then(|| {
            let own = request.instructions.as_ref().unwrap_or(&self.session.instructions);
            let all: Vec<&str> = std::iter::once(own).chain(&notes).map(String::as_str).collect();
            self.instructions(&all.join("\n\n"))
        });
        let place = match (is_beside, own.is_aside) {
            (true, _) => ResponsePlace::Beside,
            (false, true) => ResponsePlace::Unremembered,
            (false, false) => ResponsePlace::Conversation,
        };
        let number = self.asked;
        self.asked += 1;
        let response = DoorResponse {
            number,
            place,
            instructions,
            messages,
            tools: request.tools.map(|tools| tools.iter().map(tool).collect()),
            tool_choice: request.tool_choice.as_ref().map(choice),
            max_tokens: request.max_output_tokens.map(tokens),
            speaks: request.output.map(|output| output == Modality::Audio),
        };
        self.ears.ask(DoorInput::Respond(Box::new(response)));
        let answer = self.begin_answer(None, own, now);
        if is_beside {
            self.asides.insert(number, answer);
        } else {
            self.awaited = Some((number, answer));
        }
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
            DoorOutput::Close => self.close(now),
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
                // Clients stop their playback when they are told.
                if !self.player.is_playing(now) || !self.is_interruptible() {
                    self.tell_speech_started();
                }
            }
            Shown::VoiceEnded { at } => {
                self.voice.ended = Some(at);
                if self.voice.told {
                    self.tell_speech_stopped();
                }
            }
            Shown::Hearing { settled, unsettled } => self.hears_words(&settled, &unsettled),
            Shown::ToolWanted { number, name, arguments } => {
                self.wants_tool(number, &name, &arguments, now);
            }
            Shown::Progress(progress) => self.progress(progress, now),
        }
    }

    /// The name of the utterance that is being heard.
    fn utterance(&mut self) -> String {
        let names = &mut self.told.names;
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

    fn progress(&mut self, progress: Progress, now: Duration) {
        match progress {
            Progress::Understood { turn, text, is_whole } => {
                self.heard((&text, is_whole), Some(turn));
            }
            Progress::Taken { text, is_whole } => {
                if let Some((id, length)) = self.unheard.pop_front() {
                    self.understood(&id, (&text, is_whole), length);
                } else if !self.client_drives() {
                    self.heard((&text, is_whole), None);
                }
            }
            Progress::Aside { number, event } => self.says_aside(number, event, now),
            Progress::Disregarded => {
                if self.voice.began.is_some() && self.voice.ended.is_none() {
                    return; // somebody speaks: what they say is not that
                }
                // Nobody waits for it any more, whether it was told of or not.
                (self.voice, self.utterance_began, self.utterance) = (Voice::default(), None, None);
                self.transcript = Transcript::default();
            }
            Progress::Answering { turn, asked } => {
                self.told.items.new_turn(turn);
                self.consumed = Usage::default();
                (self.turn, self.goes_on) = (Some(turn), false);
                self.close_answer(ResponseStatus::Cancelled(CancelReason::TurnDetected), None, now);
                match self.awaited.take_if(|(number, _)| asked == Some(*number)) {
                    Some((_, mut answer)) => {
                        answer.turn = Some(turn);
                        self.answer = Some(answer);
                    }
                    // It was asked for, and then taken back: its end is on the way.
                    None if asked.is_some() => {}
                    None => self.open_answer(Some(turn), Own::of(&self.session), now),
                }
                self.own_of_turn = self.answer.as_ref().map(Answer::own);
            }
            Progress::Saying { turn, id, text } => {
                self.answer_of(Some(turn), now);
                if let Some(answer) = &mut self.answer {
                    answer.say(&mut self.told, id.0, &text);
                }
            }
            Progress::AwaitsTools { usage, .. } => {
                if self.answer.as_ref().is_some_and(Answer::has_calls) {
                    self.close_answer(ResponseStatus::Completed, Some(usage), now);
                }
            }
            Progress::Said { turn, usage, finish } => {
                self.goes_on &= self.turn != Some(turn);
                self.close_answer(ended(finish), Some(usage), now);
            }
            Progress::Over { turn, outcome } => {
                let is_open = self.answer.as_ref().is_some_and(|answer| answer.turn == Some(turn));
                if self.turn == Some(turn) {
                    (self.turn, self.goes_on, self.own_of_turn) = (None, false, None);
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
                            self.close_answer(ResponseStatus::Cancelled(reason), None, now);
                        }
                        self.tell_speech_started();
                        match self.last_said.as_ref() {
                            // It stays, and waits for an answer that is asked for.
                            Some((said_in, id)) if *said_in == turn && cancelled => {
                                if outcome == TurnOutcome::Continued {
                                    self.told.items.heard(id);
                                }
                            }
                            Some(_) if outcome == TurnOutcome::Continued => self.forget_said(turn),
                            Some(_) | None => {}
                        }
                    }
                    TurnOutcome::Answered | TurnOutcome::Failed | TurnOutcome::HungUp => {
                        if is_open {
                            self.close_answer(ResponseStatus::Completed, None, now);
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
    fn heard(&mut self, words: (&str, bool), turn: Option<u32>) {
        self.tell_speech_started();
        let id = self.utterance();
        self.utterance = None;
        let length = self.utterance_began.take().zip(self.voice.ended);
        let length = length.map_or(Duration::ZERO, |(began, ended)| ended.saturating_sub(began));
        self.voice = Voice::default();
        self.last_said = turn.map(|turn| (turn, id.clone()));
        self.told.items.heard(&id);
        if let Some(turn) = turn {
            self.told.items.answers(turn);
        }
        self.add_spoken(&id);
        self.understood(&id, words, length);
    }

    /// Words of the utterance that is being heard.
    fn hears_words(&mut self, settled: &str, unsettled: &str) {
        let item_id = match self.unheard.front() {
            Some((id, _)) => id.clone(),
            None if self.voice.told => self.utterance(),
            None => return, // the client knows of no item yet
        };
        if self.session.transcription.is_some()
            && let Some(delta) = self.transcript.hears(settled, unsettled)
        {
            let (item_id, delta) = (item_id.as_str(), delta.as_str());
            self.tell(&ServerEvent::TranscriptionDelta { item_id, content_index: 0, delta });
        }
    }

    /// What was said in this turn comes again, at the beginning of the next.
    fn forget_said(&mut self, turn: u32) {
        if let Some((_, id)) = self.last_said.take_if(|(said_in, _)| *said_in == turn) {
            self.told.items.remove(&id);
            self.tell(&ServerEvent::ItemDeleted { item_id: &id });
        }
    }

    /// All that the recogniser has to say about an item, and whether it has said so.
    fn understood(&mut self, item_id: &str, (text, is_whole): (&str, bool), length: Duration) {
        self.told.items.set_words(item_id, text);
        let transcript = std::mem::take(&mut self.transcript);
        if self.session.transcription.is_none() {
            return;
        }
        if text.is_empty() && !is_whole {
            let message = "There was a voice, and no recogniser has said in time what it said.";
            let error = TranscriptionFailure { code: "audio_unintelligible", message };
            return self.tell(&ServerEvent::TranscriptionFailed { item_id, content_index: 0, error });
        }
        if let Some(delta) = &transcript.ends(text) {
            self.tell(&ServerEvent::TranscriptionDelta { item_id, content_index: 0, delta });
        }
        let audio_seconds = length.as_secs_f64();
        self.tell(&ServerEvent::TranscriptionCompleted {
            item_id,
            content_index: 0,
            transcript: text,
            audio_seconds,
        });
    }

    // ---- answers ---------------------------------------------------------------------------------------------

    /// A response begins that nobody has asked for: somebody waits for it, whatever the key has used up.
    fn open_answer(&mut self, turn: Option<u32>, own: Own, now: Duration) {
        self.allowance.take(now);
        self.answer = Some(self.begin_answer(turn, own, now));
    }

    fn begin_answer(&mut self, turn: Option<u32>, own: Own, now: Duration) -> Answer {
        let limits = self.limits(now);
        Answer::begin(&mut self.told, turn, &self.session, own, &limits)
    }

    /// The response in which this turn is answered, opened if need be: as the turn's first one was.
    fn answer_of(&mut self, turn: Option<u32>, now: Duration) {
        match &mut self.answer {
            None => {
                let own = self.own_of_turn.clone().unwrap_or_else(|| Own::of(&self.session));
                self.open_answer(turn, own, now);
            }
            Some(answer) => answer.turn = answer.turn.or(turn),
        }
    }

    fn limits(&self, now: Duration) -> [RateLimit; 2] {
        let [requests, tokens] = self.allowance.left(now);
        [("requests", requests), ("tokens", tokens)].map(|(name, left)| {
            let Left { limit, remaining, reset } = left;
            let reset_seconds = reset.as_secs_f64();
            RateLimit { name, limit: limit.into(), remaining: remaining.into(), reset_seconds }
        })
    }

    fn plays(&mut self, audio: &[u8], now: Duration) {
        self.answer_of(self.turn, now);
        let length = self.player.length(audio.len());
        if let Some(answer) = &mut self.answer {
            answer.sound(&mut self.told, audio, length);
        }
        self.player.sent(audio.len(), now);
    }

    fn wants_tool(&mut self, number: u64, name: &str, arguments: &str, now: Duration) {
        self.answer_of(self.turn, now);
        let Some(answer) = &mut self.answer else { return };
        let call_id = answer.call(&mut self.told, name, arguments);
        self.calls.push_back((call_id, number));
        if self.calls.len() > MAX_OPEN_CALLS {
            self.calls.pop_front(); // the engine has long given it up
        }
    }

    fn close_answer(&mut self, status: ResponseStatus, usage: Option<Usage>, now: Duration) {
        let Some(answer) = self.answer.take() else { return };
        let before = self.consumed;
        self.consumed = usage.unwrap_or(before);
        let tokens = usage.map(|usage| {
            let since = |now: u64, before: u64| now.saturating_sub(before);
            (since(usage.input_tokens, before.input_tokens), since(usage.output_tokens, before.output_tokens))
        });
        self.spend(tokens, now);
        answer.close(&mut self.told, status, tokens);
        self.cancelling = false;
    }

    fn spend(&self, tokens: Option<(u64, u64)>, now: Duration) {
        if let Some((input, output)) = tokens {
            self.allowance.spend(input.saturating_add(output), now);
        }
    }

    // ---- beside the conversation -----------------------------------------------------------------------------

    fn says_aside(&mut self, number: u64, event: AsideEvent, now: Duration) {
        let Some(answer) = self.asides.get_mut(&number) else { return };
        match event {
            AsideEvent::Text(text) => answer.write(&mut self.told, &text),
            AsideEvent::ToolCall { name, arguments } => {
                answer.call(&mut self.told, &name, &arguments);
            }
            AsideEvent::Finished { usage, finish } => {
                let tokens = usage.map(|usage| (usage.input_tokens, usage.output_tokens));
                self.close_aside(number, ended(finish), tokens, now);
            }
            AsideEvent::Failed => {
                let message = "The language model did not answer.".to_owned();
                let status = ResponseStatus::Failed { code: "server_error".to_owned(), message };
                self.close_aside(number, status, None, now);
            }
        }
    }

    /// The agent has ended the call: nothing more is answered.
    fn close(&mut self, now: Duration) {
        self.closed = true;
        let over = || {
            let message = "The agent has ended the call.".to_owned();
            ResponseStatus::Failed { code: "call_ended".to_owned(), message }
        };
        self.close_answer(over(), None, now);
        if let Some((_, answer)) = self.awaited.take() {
            answer.close(&mut self.told, over(), None);
        }
        for number in self.asides.keys().copied().collect::<Vec<_>>() {
            self.close_aside(number, over(), None, now);
        }
    }

    fn close_aside(
        &mut self,
        number: u64,
        status: ResponseStatus,
        tokens: Option<(u64, u64)>,
        now: Duration,
    ) {
        if let Some(answer) = self.asides.remove(&number) {
            self.spend(tokens, now);
            answer.close(&mut self.told, status, tokens);
        }
    }
}

/// How a response ends whose text does so like that.
fn ended(finish: Finish) -> ResponseStatus {
    match finish {
        Finish::Whole => ResponseStatus::Completed,
        Finish::TooLong => ResponseStatus::Incomplete(IncompleteReason::MaxOutputTokens),
        Finish::Withheld => ResponseStatus::Incomplete(IncompleteReason::ContentFilter),
    }
}

/// A tool that has to be asked for is one of the client's: of others it knows nothing.
fn check_choice(choice: &ToolChoice, tools: &[super::wire::Tool], param: &str) -> Result<(), EventError> {
    match choice {
        ToolChoice::Function(name) if !tools.iter().any(|tool| tool.name == *name) => {
            let message = format!("There is no tool '{name}' among the 'tools' of the client.");
            Err(EventError::new(Code::InvalidValue, message).at(param))
        }
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Required | ToolChoice::Function(_) => Ok(()),
    }
}

fn choice(choice: &ToolChoice) -> seiketsu_domain::ToolChoice {
    match choice {
        ToolChoice::Auto => seiketsu_domain::ToolChoice::Auto,
        ToolChoice::None => seiketsu_domain::ToolChoice::None,
        ToolChoice::Required => seiketsu_domain::ToolChoice::Required,
        ToolChoice::Function(name) => seiketsu_domain::ToolChoice::Named(name.clone()),
    }
}

fn tokens(most: MaxTokens) -> u32 {
    match most {
        MaxTokens::Infinite => u32::MAX,
        MaxTokens::Limit(tokens) => tokens.into(),
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
