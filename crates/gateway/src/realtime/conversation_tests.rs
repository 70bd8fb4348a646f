use super::{
    conversation::Conversation,
    names::Names,
    wire::{self, Session, SessionKind},
};
use crate::access::{Allowance, Allowances, Payer, RatePerMinute};
use bytes::Bytes;
use seiketsu_domain::{Message, ToolChoice, ToolOutcome, TurnOutcome, Usage};
use seiketsu_session::{
    AsideEvent, ClientAct, DoorInput, DoorOutput, Finish, Progress, ResponsePlace, Shown, Speaker, Turns,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A conversation, the client's events on one side and the session's on the other.
struct Talk {
    conversation: Conversation,
    now: Duration,
    marks: Vec<DoorInput>,
}

/// Six responses and as many hundred tokens a minute.
fn allowance() -> Allowance {
    Allowances::new(RatePerMinute { requests: 6, tokens: 600 }).of(Payer::Key([1; 32]))
}

fn understood(turn: u32, text: &str) -> Progress {
    Progress::Understood { turn, text: text.to_owned(), is_whole: true }
}

fn answering(turn: u32, asked: Option<u64>) -> Progress {
    Progress::Answering { turn, asked }
}

fn taken(text: &str) -> Progress {
    Progress::Taken { text: text.to_owned(), is_whole: true }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Talk {
    fn new() -> Self {
        let session =
            Session::new("sess_1".into(), SessionKind::Realtime, "ava".into(), "voice".into(), 1_800_000_000);
        let conversation = Conversation::new(session, Names::new("x".into()), allowance());
        Self { conversation, now: ms(1_000), marks: Vec::new() }
    }

    /// With these settings, begun.
    fn with(session: &Value) -> Self {
        let mut talk = Self::new();
        let mut session = session.clone();
        session["type"] = json!("realtime");
        talk.client(&json!({"type": "session.update", "session": session}));
        talk.conversation.begins();
        assert!(!talk.kinds().contains(&"error".to_owned()));
        talk
    }

    fn client(&mut self, event: &Value) {
        match wire::parse(&event.to_string()) {
            Ok(received) => self.conversation.hears(received, self.now),
            Err(error) => self.conversation.refuse(&error),
        }
    }

    fn session(&mut self, output: DoorOutput) {
        self.marks.extend(self.conversation.says(output, self.now));
    }

    fn progress(&mut self, progress: Progress) {
        self.session(DoorOutput::Shown(Shown::Progress(progress)));
    }

    fn says(&mut self, turn: u32, id: u64, text: &str, length_ms: usize) {
        let id = serde_json::from_value(json!(id)).unwrap();
        self.progress(Progress::Saying { turn, id, text: text.to_owned() });
        self.session(DoorOutput::Audio(Bytes::from(vec![0; length_ms * 48])));
    }

    fn said(&mut self, turn: u32, tokens: u64) {
        let usage = Usage { input_tokens: tokens, output_tokens: tokens / 10, ..Usage::default() };
        self.progress(Progress::Said { turn, usage, finish: Finish::Whole });
    }

    fn events(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.conversation.event())
            .map(|event| serde_json::from_str(&event).unwrap())
            .collect()
    }

    fn kinds(&mut self) -> Vec<String> {
        self.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// What the session is given, audio and time left out.
    fn asked(&mut self) -> Vec<DoorInput> {
        std::iter::from_fn(|| self.conversation.ears.next(ms(1_000_000), true))
            .filter(|input| !matches!(input, DoorInput::Audio(_)))
            .collect()
    }

    fn error(&mut self) -> (String, String) {
        let events = self.events();
        let error = &events.iter().find(|event| event["type"] == "error").expect("an error")["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("code"), text("param"))
    }
}

/// One event, shortened to what tells it from others.
fn short(event: &Value) -> String {
    let mut line = event["type"].as_str().unwrap().to_owned();
    for name in ["item_id", "previous_item_id", "response_id", "transcript", "delta", "text", "arguments"] {
        let Some(text) = event[name].as_str() else { continue };
        let told = if text.len() < 60 { text.to_owned() } else { format!("({} characters)", text.len()) };
        line = format!("{line} {name}={told}");
    }
    for name in ["item", "response"] {
        if let Some(id) = event[name]["id"].as_str() {
            line = format!("{line} {id} {}", event[name]["status"].as_str().unwrap());
        }
    }
    line
}

const SPOKEN: &str = r#"{"audio": {"input": {"transcription": {"model": "any"}}}}"#;

fn spoken() -> Talk {
    Talk::with(&serde_json::from_str(SPOKEN).unwrap())
}

#[test]
fn a_spoken_turn_event_by_event() {
    let mut talk = spoken();
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
    talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(1_700) }));
    talk.progress(understood(1, "do you have homes"));
    talk.progress(answering(1, None));
    talk.says(1, 7, "We have three.", 900);
    talk.says(1, 8, "Which one?", 700);
    talk.said(1, 120);
    talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Answered });
    let events = talk.events();
    let lines: Vec<_> = events.iter().map(short).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    input_audio_buffer.speech_started item_id=item_x0003
    input_audio_buffer.speech_stopped item_id=item_x0003
    input_audio_buffer.committed item_id=item_x0003
    conversation.item.added item_x0003 completed
    conversation.item.done item_x0003 completed
    conversation.item.input_audio_transcription.delta item_id=item_x0003 delta=do you have homes
    conversation.item.input_audio_transcription.completed item_id=item_x0003 transcript=do you have homes
    response.created resp_x0011 in_progress
    rate_limits.updated
    response.output_item.added response_id=resp_x0011 item_x0014 in_progress
    conversation.item.added previous_item_id=item_x0003 item_x0014 in_progress
    response.content_part.added item_id=item_x0014 response_id=resp_x0011
    response.output_audio_transcript.delta item_id=item_x0014 response_id=resp_x0011 delta=We have three.
    response.output_audio.delta item_id=item_x0014 response_id=resp_x0011 delta=(57600 characters)
    response.output_audio_transcript.delta item_id=item_x0014 response_id=resp_x0011 delta= Which one?
    response.output_audio.delta item_id=item_x0014 response_id=resp_x0011 delta=(44800 characters)
    response.output_audio.done item_id=item_x0014 response_id=resp_x0011
    response.output_audio_transcript.done item_id=item_x0014 response_id=resp_x0011 transcript=We have three. Which one?
    response.content_part.done item_id=item_x0014 response_id=resp_x0011
    conversation.item.done previous_item_id=item_x0003 item_x0014 completed
    response.output_item.done response_id=resp_x0011 item_x0014 completed
    response.done resp_x0011 completed
    "#);
    let done = &events.last().unwrap()["response"];
    assert_eq!(done["usage"]["total_tokens"], 132);
    assert_eq!(done["output"][0]["content"][0]["transcript"], "We have three. Which one?");
}

#[test]
fn an_interruption_is_told_when_it_is_one_and_cancels_the_response() {
    let mut talk = spoken();
    talk.progress(answering(1, None));
    talk.says(1, 1, "We have three homes in Riverside.", 3_000);
    talk.events();
    talk.now += ms(800);
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(2_000) }));
    assert_eq!(talk.kinds(), Vec::<String>::new(), "it may be a cough");
    talk.session(DoorOutput::Mark(3));
    talk.session(DoorOutput::Clear);
    assert_eq!(talk.kinds(), ["input_audio_buffer.speech_started"]);
    assert_eq!(talk.marks, [DoorInput::Mark(3)]);
    talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Interrupted });
    let events = talk.events();
    let done = &events.last().unwrap()["response"];
    assert_eq!(
        (&done["status"], &done["status_details"]["reason"]),
        (&json!("cancelled"), &json!("turn_detected"))
    );
    assert_eq!(done["output"][0]["status"], "incomplete");
}

#[test]
fn a_murmur_over_the_agent_is_not_told() {
    let mut talk = spoken();
    talk.progress(answering(1, None));
    talk.says(1, 1, "We have three homes in Riverside.", 3_000);
    talk.events();
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(2_000) }));
    talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(2_300) }));
    assert_eq!(talk.kinds(), Vec::<String>::new());
}

#[test]
fn a_tool_of_the_client_ends_a_response_and_its_output_begins_the_next() {
    let mut talk = spoken();
    talk.progress(answering(1, None));
    talk.session(DoorOutput::Shown(Shown::ToolWanted {
        number: 4,
        name: "weather".into(),
        arguments: r#"{"city":"Austin"}"#.into(),
    }));
    let usage = Usage { input_tokens: 100, output_tokens: 9, ..Usage::default() };
    talk.progress(Progress::AwaitsTools { turn: 1, usage });
    let events = talk.events();
    let lines: Vec<_> = events.iter().map(short).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    response.created resp_x0003 in_progress
    rate_limits.updated
    response.output_item.added response_id=resp_x0003 item_x0007 in_progress
    conversation.item.added item_x0007 in_progress
    response.function_call_arguments.delta item_id=item_x0007 response_id=resp_x0003 delta={"city":"Austin"}
    response.function_call_arguments.done item_id=item_x0007 response_id=resp_x0003 arguments={"city":"Austin"}
    conversation.item.done item_x0007 completed
    response.output_item.done response_id=resp_x0003 item_x0007 completed
    response.done resp_x0003 completed
    "#);
    let call_id = events.last().unwrap()["response"]["output"][0]["call_id"].as_str().unwrap().to_owned();

    let item = json!({"type": "function_call_output", "call_id": call_id, "output": "{\"rain\":true}"});
    talk.client(&json!({"type": "conversation.item.create", "item": item}));
    let outcome = ToolOutcome::Done(json!({"rain": true}));
    assert_eq!(talk.asked(), [DoorInput::ToolAnswer { number: 4, outcome }]);
    talk.client(&json!({"type": "response.create"}));
    assert_eq!(talk.asked(), [], "the turn goes on by itself");
    talk.says(1, 2, "It rains.", 500);
    talk.client(&json!({"type": "response.create"}));
    assert!(!talk.kinds().contains(&"error".to_owned()), "some ask once for each tool");
    talk.said(1, 250);
    let events = talk.events();
    assert_eq!(events.last().unwrap()["response"]["usage"]["input_tokens"], 150, "what came since");
    talk.client(&json!({"type": "conversation.item.create", "item": item}));
    assert_eq!(talk.error(), ("invalid_parameter".into(), "item.call_id".into()), "one output for a call");
    talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Answered });
    talk.client(&json!({"type": "response.create"}));
    assert_eq!(talk.asked(), [DoorInput::Respond(Box::default())], "a question of its own");
}

fn wants_weather(talk: &mut Talk) -> String {
    talk.progress(answering(1, None));
    let (name, arguments) = ("weather".to_owned(), "{}".to_owned());
    talk.session(DoorOutput::Shown(Shown::ToolWanted { number: 4, name, arguments }));
    talk.progress(Progress::AwaitsTools { turn: 1, usage: Usage::default() });
    let events = talk.events();
    events.last().unwrap()["response"]["output"][0]["call_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_bridge_that_is_said_while_a_tool_of_the_client_runs_takes_nothing_from_its_output() {
    let mut talk = spoken();
    let call_id = wants_weather(&mut talk);
    talk.says(1, 9, "One moment.", 800);
    assert!(talk.kinds().contains(&"response.created".to_owned()), "what is said belongs to a response");
    let item = json!({"type": "function_call_output", "call_id": call_id, "output": "sunny"});
    talk.client(&json!({"type": "conversation.item.create", "item": item}));
    talk.client(&json!({"type": "response.create"}));
    let outcome = ToolOutcome::Done(json!("sunny"));
    assert_eq!(talk.asked(), [DoorInput::ToolAnswer { number: 4, outcome }]);
    assert!(!talk.kinds().contains(&"error".to_owned()));
}

#[test]
fn an_interruption_behind_a_tool_closes_the_response_that_told_of_it() {
    let mut talk = spoken();
    let call_id = wants_weather(&mut talk);
    let item = json!({"type": "function_call_output", "call_id": call_id, "output": "sunny"});
    talk.client(&json!({"type": "conversation.item.create", "item": item}));
    talk.client(&json!({"type": "response.create"}));
    talk.says(1, 2, "It is sunny.", 900);
    talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Interrupted });
    let events = talk.events();
    let done = events.iter().find(|event| event["type"] == "response.done").expect("it is closed");
    assert_eq!(done["response"]["status"], "cancelled");
}

#[test]
fn a_response_that_was_only_asked_for_can_be_cancelled() {
    let mut talk = Talk::with(&json!({"audio": {"input": {"turn_detection": null}}}));
    talk.client(&json!({"type": "response.create"}));
    talk.client(&json!({"type": "response.cancel"}));
    assert!(talk.asked().contains(&DoorInput::Client(ClientAct::CancelRequest(0))));
    let events = talk.events();
    let done = &events.last().unwrap()["response"];
    assert_eq!(
        (&done["status"], &done["status_details"]["reason"]),
        (&json!("cancelled"), &json!("client_cancelled"))
    );
    talk.client(&json!({"type": "response.create"}));
    assert!(!talk.kinds().contains(&"error".to_owned()), "and another asked for");
}

#[test]
fn what_is_said_first_is_heard_once_the_session_runs() {
    let mut talk = Talk::new();
    let audio = base64_simd::STANDARD.encode_to_string(vec![0; 48 * 40]);
    talk.client(&json!({"type": "input_audio_buffer.append", "audio": audio}));
    talk.conversation.begins();
    assert!(matches!(talk.conversation.ears.next(ms(1_000), false), Some(DoorInput::Audio(_))));
}

#[test]
fn words_that_come_again_are_in_the_conversation_once() {
    let mut talk = spoken();
    talk.progress(understood(1, "do you have"));
    talk.progress(answering(1, None));
    talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Continued });
    assert!(talk.kinds().contains(&"conversation.item.deleted".to_owned()));
    talk.progress(understood(2, "do you have homes"));
    let events = talk.events();
    let added = events.iter().find(|event| event["type"] == "conversation.item.added").expect("an item");
    assert_eq!(added["previous_item_id"], Value::Null);
}

#[test]
fn a_client_that_drives_turns_commits_what_it_appended() {
    let mut talk =
        Talk::with(&json!({"audio": {"input": {"turn_detection": null, "transcription": {"model": "m"}}}}));
    talk.client(&json!({"type": "input_audio_buffer.commit"}));
    assert_eq!(talk.error().0, "input_audio_buffer_commit_empty");
    let audio = base64_simd::STANDARD.encode_to_string(vec![0; 48 * 400]);
    talk.client(&json!({"type": "input_audio_buffer.append", "audio": audio}));
    talk.client(&json!({"type": "input_audio_buffer.commit"}));
    talk.client(&json!({"type": "response.create", "response": {"metadata": {"a": "b"}}}));
    assert_eq!(talk.asked(), [DoorInput::Client(ClientAct::Commit), DoorInput::Respond(Box::default())]);
    talk.progress(taken("hello"));
    talk.progress(answering(0, Some(0)));
    talk.says(0, 1, "Hi.", 300);
    talk.client(&json!({"type": "response.create"}));
    assert_eq!(talk.error().0, "conversation_already_has_active_response");
    talk.said(0, 10);
    let events = talk.events();
    let transcript =
        events.iter().find(|event| event["type"] == "response.done").expect("a response is done");
    assert_eq!(transcript["response"]["metadata"], json!({"a": "b"}));
    talk.client(&json!({"type": "response.cancel"}));
    assert_eq!(talk.error().0, "response_cancel_not_active");
}

#[test]
fn utterances_that_nobody_answers_are_items_and_wait_for_a_response_to_be_asked_for() {
    let mut talk = Talk::with(&json!({"audio": {"input": {"transcription": {"model": "any"},
        "turn_detection": {"type": "semantic_vad", "create_response": false}}}}));
    for (at, text) in [(500, "do you have homes"), (4_000, "with a garden")] {
        talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(at) }));
        talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(at + 900) }));
        talk.progress(taken(text));
        let kinds = talk.kinds();
        let expected =
            ["speech_started", "speech_stopped", "committed", "added", "done", "delta", "completed"];
        assert!(kinds.iter().zip(expected).all(|(kind, end)| kind.ends_with(end)), "{kinds:?}");
    }
    talk.client(&json!({"type": "response.create"}));
    assert_eq!(talk.asked(), [DoorInput::Respond(Box::default())]);
}

#[test]
fn what_one_side_said_in_a_turn_that_is_over_can_be_deleted() {
    let mut talk = spoken();
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
    talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(1_700) }));
    talk.progress(understood(1, "my number is four"));
    talk.progress(answering(1, None));
    talk.says(1, 7, "Very well.", 900);
    let ids: Vec<String> = talk
        .events()
        .iter()
        .filter(|event| event["type"] == "conversation.item.added")
        .map(|event| event["item"]["id"].as_str().unwrap().to_owned())
        .collect();
    let [question, answer] = &ids[..] else { panic!("{ids:?}") };
    let delete = |id: &str| json!({"type": "conversation.item.delete", "item_id": id});
    talk.client(&delete(question));
    assert_eq!(talk.error().1, "item_id", "the turn is not over");
    talk.said(1, 10);
    talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Answered });
    talk.events();
    talk.client(&delete(question));
    talk.client(&delete(answer));
    assert_eq!(talk.kinds(), ["conversation.item.deleted", "conversation.item.deleted"]);
    let forget = |speaker| DoorInput::Client(ClientAct::Forget { turn: 1, speaker });
    assert_eq!(talk.asked(), [forget(Speaker::Caller), forget(Speaker::Agent)]);
    talk.client(&delete(question));
    assert_eq!(talk.error().0, "item_delete_invalid_item_id");
    // Two things that were typed are one turn of the caller.
    for text in ["homes", "with a garden"] {
        let content = json!([{"type": "input_text", "text": text}]);
        talk.client(&json!({"type": "conversation.item.create",
            "item": {"id": text.split(' ').next(), "type": "message", "role": "user", "content": content}}));
    }
    talk.progress(answering(2, None));
    talk.progress(Progress::Over { turn: 2, outcome: TurnOutcome::Answered });
    talk.client(&delete("homes"));
    assert_eq!(talk.error().0, "invalid_parameter");
}

#[test]
fn a_transcription_session_writes_down_and_answers_nothing() {
    let session = Session::new(
        "sess_1".into(),
        SessionKind::Transcription,
        "ava".into(),
        "voice".into(),
        1_800_000_000,
    );
    let mut talk = Talk {
        conversation: Conversation::new(session, Names::new("x".into()), allowance()),
        now: ms(0),
        marks: Vec::new(),
    };
    talk.client(&json!({"type": "session.update", "session": {"type": "transcription",
        "audio": {"input": {"transcription": {"model": "any"}, "turn_detection": {"type": "server_vad"}}}}}));
    let (_, update) = talk.conversation.begins();
    assert_eq!(update.turns, Some(Turns::Unanswered));
    let events = talk.events();
    assert_eq!(events[0]["session"]["type"], "transcription");
    assert_eq!(events[1]["type"], "session.updated");
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
    talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(900) }));
    talk.progress(taken("hello"));
    assert_eq!(talk.events().last().unwrap()["transcript"], "hello");
    let typed = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]});
    for refused in [
        json!({"type": "response.create"}),
        json!({"type": "conversation.item.create", "item": typed}),
        json!({"type": "session.update", "session": {"type": "realtime"}}),
    ] {
        talk.client(&refused);
        assert_eq!(talk.error().0, "invalid_parameter", "{refused}");
    }
    assert_eq!(talk.asked(), []);
}

#[test]
fn text_goes_in_and_out_where_text_is_wanted() {
    let mut talk =
        Talk::with(&json!({"output_modalities": ["text"], "audio": {"input": {"turn_detection": null}}}));
    let content = json!([{"type": "input_text", "text": "homes?"}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    talk.client(&json!({"type": "conversation.item.create", "item": item}));
    talk.client(&json!({"type": "response.create"}));
    let asked = talk.asked();
    assert!(
        matches!(&asked[..], [DoorInput::Client(ClientAct::CreateItem(Message::Caller { text })), _] if text.expose() == "homes?"),
        "{asked:?}"
    );
    talk.progress(answering(0, None));
    let id = serde_json::from_value(json!(1)).unwrap();
    talk.progress(Progress::Saying { turn: 0, id, text: "We have three.".into() });
    talk.said(0, 10);
    let events = talk.events();
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"response.output_text.delta") && kinds.contains(&"response.output_text.done"));
    assert!(!kinds.iter().any(|kind| kind.contains("audio")), "{kinds:?}");
    assert_eq!(events.last().unwrap()["response"]["output"][0]["content"][0]["text"], "We have three.");
}

#[test]
fn a_truncated_answer_is_cut_in_its_turn_where_the_client_stopped() {
    let mut talk = spoken();
    talk.progress(answering(1, None));
    talk.says(1, 1, "We have three homes in Riverside.", 3_000);
    let item = talk.events().iter().find_map(|event| event["item_id"].as_str().map(str::to_owned)).unwrap();
    let cut = |at: u64| json!({"type": "conversation.item.truncate", "item_id": item, "content_index": 0, "audio_end_ms": at});
    talk.client(&cut(3_001));
    assert_eq!(talk.error(), ("invalid_value".into(), "audio_end_ms".into()));
    talk.client(&cut(1_200));
    assert_eq!(talk.kinds(), ["conversation.item.truncated"]);
    assert_eq!(talk.asked(), [DoorInput::Client(ClientAct::Truncate { heard: ms(1_200) })]);
    let other =
        json!({"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1});
    talk.client(&other);
    assert_eq!(talk.error().1, "item_id");
}

#[test]
fn what_cannot_be_is_refused_by_name_and_changes_nothing() {
    let mut talk = spoken();
    for (event, param) in [
        (json!({"type": "input_audio_buffer.commit"}), "type"),
        (json!({"type": "conversation.item.retrieve", "item_id": "nobody"}), "item_id"),
        (json!({"type": "conversation.item.delete", "item_id": "nobody"}), "item_id"),
        (
            json!({"type": "session.update", "session": {"type": "realtime", "audio": {
                "input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcmu"}}}}}),
            "session.audio.input.format",
        ),
        (
            json!({"type": "session.update", "session": {"type": "realtime", "audio": {
                "output": {"format": {"type": "audio/pcma"}}}}}),
            "session.audio.output.format",
        ),
    ] {
        talk.client(&event);
        assert_eq!(talk.error().1, param, "{event}");
    }
    assert_eq!(talk.asked(), []);
}

/// One spoken turn, one with a tool of the client, a response beside the conversation that is cut off, and a voice that
/// nobody understood, as they go over the wire. The schema types of published client
/// libraries are checked against this file (`crates/seiketsu/tests/it/api_door.rs`).
#[test]
fn a_turn_in_full_for_the_libraries_to_read() {
    let mut talk = Talk::new();
    talk.client(&json!({"type": "session.update", "session": {"type": "realtime",
        "audio": {"input": {"transcription": {"model": "any"}}},
        "tools": [{"type": "function", "name": "weather", "description": "The weather.",
                   "parameters": {"type": "object", "properties": {}}}]}}));
    talk.conversation.begins();
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
    for unsettled in ["do you", "do you have"] {
        talk.session(hearing("", unsettled));
    }
    talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(1_700) }));
    talk.progress(understood(1, "do you have homes"));
    talk.progress(answering(1, None));
    talk.says(1, 7, "We have three.", 20);
    talk.says(1, 8, "Which one?", 20);
    talk.said(1, 120);
    talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Answered });
    talk.now += ms(100);
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(3_000) }));
    talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(3_900) }));
    talk.progress(understood(2, "how is the weather"));
    talk.progress(answering(2, None));
    let arguments = r#"{"city":"Austin"}"#.to_owned();
    talk.session(DoorOutput::Shown(Shown::ToolWanted { number: 4, name: "weather".into(), arguments }));
    let usage = Usage { input_tokens: 100, output_tokens: 9, ..Usage::default() };
    talk.progress(Progress::AwaitsTools { turn: 2, usage });
    let aside = json!({"conversation": "none", "output_modalities": ["text"], "max_output_tokens": 1,
        "metadata": {"topic": "classification"}});
    talk.client(&json!({"type": "response.create", "response": aside}));
    talk.progress(Progress::Aside { number: 0, event: AsideEvent::Text("a".into()) });
    let usage = Some(Usage { input_tokens: 40, output_tokens: 1, ..Usage::default() });
    let event = AsideEvent::Finished { usage, finish: Finish::TooLong };
    talk.progress(Progress::Aside { number: 0, event });
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(5_000) }));
    talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(6_000) }));
    talk.progress(Progress::Understood { turn: 3, text: String::new(), is_whole: false });
    let lines: Vec<String> = std::iter::from_fn(|| talk.conversation.event()).collect();
    insta::assert_binary_snapshot!("turn.jsonl", (lines.join("\n") + "\n").into_bytes());
}

#[test]
fn an_utterance_with_a_pause_in_it_is_as_long_as_all_of_it() {
    let mut talk = spoken();
    for (began, ended) in [(200, 900), (1_200, 2_600)] {
        talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(began) }));
        talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(ended) }));
    }
    talk.progress(understood(1, "a house with a garden"));
    let events = talk.events();
    let completed =
        events.iter().find(|event| event["type"].as_str().unwrap().ends_with("transcription.completed"));
    assert_eq!(completed.unwrap()["usage"]["seconds"], 2.4);
}

// ---- one response of its own ---------------------------------------------------------------------------------

fn by_client() -> Talk {
    Talk::with(&json!({"audio": {"input": {"turn_detection": null}}}))
}

#[test]
fn a_response_has_settings_of_its_own() {
    let mut talk = by_client();
    let weather = json!({"type": "function", "name": "weather"});
    let input = json!([
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "In verse."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Is it cold?"}]},
    ]);
    talk.client(&json!({"type": "response.create", "response": {
        "instructions": "Be brief.", "output_modalities": ["text"], "tools": [weather], "max_output_tokens": 20,
        "tool_choice": {"type": "function", "name": "weather"}, "input": input, "metadata": {"why": "test"},
    }}));
    let asked = talk.asked();
    let [DoorInput::Respond(response)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(response.instructions.as_deref(), Some("Be brief.\n\nIn verse."));
    assert_eq!(response.tools.as_ref().unwrap()[0].name, "weather");
    assert_eq!(response.tool_choice, Some(ToolChoice::Named("weather".into())));
    assert_eq!((response.max_tokens, response.speaks), (Some(20), Some(false)));
    assert_eq!(response.place, ResponsePlace::Conversation);
    assert!(
        matches!(response.messages.as_deref(), Some([Message::Caller { text }]) if text.expose() == "Is it cold?")
    );
    let events = talk.events();
    let created = &events[0]["response"];
    assert_eq!(created["max_output_tokens"], 20);
    assert_eq!(created["output_modalities"], json!(["text"]));
    talk.progress(answering(0, Some(0)));
    let usage = Usage { input_tokens: 30, output_tokens: 20, ..Usage::default() };
    talk.says(0, 1, "It is", 0);
    talk.progress(Progress::Said { turn: 0, usage, finish: Finish::TooLong });
    let events = talk.events();
    let done = &events.last().unwrap()["response"];
    let details = json!({"type": "incomplete", "reason": "max_output_tokens"});
    assert_eq!((&done["status"], &done["status_details"]), (&json!("incomplete"), &details));
    assert_eq!(done["metadata"], json!({"why": "test"}));
}

#[test]
fn settings_that_cannot_be_are_refused_and_nothing_is_asked() {
    let mut talk = by_client();
    for (response, code, param) in [
        (json!({"tool_choice": {"type": "function", "name": "x"}}), "invalid_value", "response.tool_choice"),
        (json!({"input": [{"type": "item_reference", "id": "x"}]}), "invalid_value", "response.input[0].id"),
    ] {
        talk.client(&json!({"type": "response.create", "response": response}));
        assert_eq!(talk.error(), (code.into(), param.into()));
    }
    let choice = json!({"tool_choice": {"type": "function", "name": "x"}, "type": "realtime"});
    talk.client(&json!({"type": "session.update", "session": choice}));
    assert_eq!(talk.error(), ("invalid_value".into(), "session.tool_choice".into()));
    assert_eq!(talk.asked(), []);
}

#[test]
fn settings_of_the_session_reach_the_session() {
    let session = json!({"tools": [{"type": "function", "name": "weather"}], "tool_choice": "required",
        "max_output_tokens": 50, "audio": {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": false}}}});
    let mut talk = Talk::with(&session);
    let (_, update) = talk.conversation.begins();
    assert_eq!((update.tool_choice, update.max_tokens), (Some(ToolChoice::Required), Some(50)));
    assert_eq!((update.turns, update.is_interruptible), (Some(Turns::ByVoice), Some(false)));
    // Nothing stops, so there is nothing to wait for.
    talk.progress(answering(1, None));
    talk.says(1, 1, "We have three homes.", 3_000);
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
    assert_eq!(talk.kinds().last().unwrap(), "input_audio_buffer.speech_started");
}

#[test]
fn a_response_beside_the_conversation_leaves_no_item_and_disturbs_no_other() {
    let mut talk = by_client();
    talk.client(&json!({"type": "response.create"}));
    talk.events();
    let aside =
        json!({"conversation": "none", "output_modalities": ["text"], "metadata": {"topic": "class"}});
    talk.client(&json!({"type": "response.create", "response": aside}));
    let asked = talk.asked();
    let [_, DoorInput::Respond(response)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(response.place, ResponsePlace::Beside);
    let created = talk.events()[0]["response"].clone();
    assert_eq!((&created["conversation_id"], &created["metadata"]["topic"]), (&Value::Null, &json!("class")));

    talk.progress(Progress::Aside { number: 1, event: AsideEvent::Text("a ".into()) });
    talk.progress(Progress::Aside { number: 1, event: AsideEvent::Text("question".into()) });
    let (name, arguments) = ("note".to_owned(), "{}".to_owned());
    talk.progress(Progress::Aside { number: 1, event: AsideEvent::ToolCall { name, arguments } });
    let usage = Some(Usage { input_tokens: 7, output_tokens: 2, ..Usage::default() });
    let event = AsideEvent::Finished { usage, finish: Finish::Whole };
    talk.progress(Progress::Aside { number: 1, event });
    let events = talk.events();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert!(!kinds.iter().any(|kind| kind.starts_with("conversation.item")), "{kinds:?}");
    let done = &events.last().unwrap()["response"];
    assert_eq!(done["output"][0]["content"][0]["text"], "a question");
    assert_eq!(done["output"][1]["name"], "note");
    assert_eq!((&done["status"], &done["usage"]["total_tokens"]), (&json!("completed"), &json!(9)));
    let item = done["output"][0]["id"].clone();
    talk.client(&json!({"type": "conversation.item.retrieve", "item_id": item}));
    assert_eq!(talk.error().0, "item_retrieve_invalid_item_id");
    talk.progress(answering(0, Some(0)));
    talk.says(0, 1, "Hello.", 200);
    talk.said(0, 10);
    assert_eq!(talk.events().last().unwrap()["response"]["status"], "completed", "the other goes on");
}

#[test]
fn responses_beside_the_conversation_are_few_can_be_cancelled_and_may_fail() {
    let mut talk = by_client();
    let aside = json!({"type": "response.create",
        "response": {"conversation": "none", "output_modalities": ["text"]}});
    let mut ids = Vec::new();
    for _ in 0..4 {
        talk.client(&aside);
        ids.push(talk.events()[0]["response"]["id"].as_str().unwrap().to_owned());
    }
    talk.client(&aside);
    assert_eq!(talk.error(), ("rate_limit_exceeded".into(), "response.conversation".into()));
    talk.client(&json!({"type": "response.cancel"}));
    assert_eq!(
        talk.error().0,
        "response_cancel_not_active",
        "without an id that of the conversation is meant"
    );
    talk.client(&json!({"type": "response.cancel", "response_id": ids[1]}));
    assert_eq!(talk.events().last().unwrap()["response"]["status_details"]["reason"], "client_cancelled");
    assert_eq!(talk.asked().last(), Some(&DoorInput::Client(ClientAct::CancelAside(1))));
    talk.progress(Progress::Aside { number: 0, event: AsideEvent::Failed });
    let events = talk.events();
    assert_eq!(events.last().unwrap()["response"]["status"], "failed");
    talk.progress(Progress::Aside { number: 1, event: AsideEvent::Text("late".into()) });
    assert_eq!(talk.kinds(), [""; 0]);
}

#[test]
fn what_is_spoken_beside_the_conversation_waits_for_its_turn_and_leaves_no_item() {
    let mut talk = by_client();
    let aside = json!({"type": "response.create", "response": {"conversation": "none"}});
    talk.client(&aside);
    let asked = talk.asked();
    let [DoorInput::Respond(response)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(response.place, ResponsePlace::Unremembered);
    talk.client(&aside);
    assert_eq!(talk.error().0, "conversation_already_has_active_response");
    talk.progress(answering(0, Some(0)));
    talk.says(0, 1, "Hello.", 200);
    talk.said(0, 10);
    let events = talk.events();
    assert!(events.iter().any(|event| event["type"] == "response.output_audio.delta"));
    assert!(!events.iter().any(|event| event["type"].as_str().unwrap().starts_with("conversation.item")));
}

#[test]
fn a_turn_that_is_not_the_awaited_one_has_a_response_of_its_own() {
    let mut talk = spoken();
    talk.client(&json!({"type": "response.create", "response": {"metadata": {"mine": "yes"}}}));
    talk.progress(answering(1, None));
    talk.says(1, 1, "Are you there?", 500);
    talk.said(1, 0);
    talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Answered });
    let events = talk.events();
    assert_eq!(events.last().unwrap()["response"]["metadata"], Value::Null, "nobody asked for that");
    talk.progress(answering(2, Some(0)));
    talk.says(2, 2, "Hello.", 200);
    talk.said(2, 10);
    let events = talk.events();
    assert!(!events.iter().any(|event| event["type"] == "response.created"), "it was told long ago");
    assert_eq!(events.last().unwrap()["response"]["metadata"], json!({"mine": "yes"}));
}

#[test]
fn a_turn_that_goes_on_after_a_tool_is_made_of_what_it_began_with() {
    let mut talk = by_client();
    let own = json!({"output_modalities": ["text"], "tools": [{"type": "function", "name": "weather"}]});
    talk.client(&json!({"type": "response.create", "response": own}));
    talk.progress(answering(0, Some(0)));
    let (name, arguments) = ("weather".to_owned(), "{}".to_owned());
    talk.session(DoorOutput::Shown(Shown::ToolWanted { number: 4, name, arguments }));
    talk.progress(Progress::AwaitsTools { turn: 0, usage: Usage::default() });
    let call_id = talk.events().last().unwrap()["response"]["output"][0]["call_id"].clone();
    let item = json!({"type": "function_call_output", "call_id": call_id, "output": "sunny"});
    talk.client(&json!({"type": "conversation.item.create", "item": item}));
    talk.client(&json!({"type": "response.create", "response": {"metadata": {"second": "yes"}}}));
    let id = serde_json::from_value(json!(1)).unwrap();
    talk.progress(Progress::Saying { turn: 0, id, text: "It is sunny.".into() });
    talk.said(0, 10);
    let done = talk.events().last().unwrap()["response"].clone();
    assert_eq!(done["output"][0]["content"][0]["type"], "output_text");
    assert_eq!(done["metadata"], json!({"second": "yes"}));
    // All of it was said; what is asked for now is something else, although the turn is still heard.
    talk.asked();
    talk.client(&json!({"type": "response.create"}));
    assert!(matches!(&talk.asked()[..], [DoorInput::Respond(_)]));
}

#[test]
fn every_response_ends_with_the_call() {
    let mut talk = by_client();
    for response in [json!({}), json!({"conversation": "none", "output_modalities": ["text"]})] {
        talk.client(&json!({"type": "response.create", "response": response}));
    }
    talk.events();
    talk.session(DoorOutput::Close);
    let events = talk.events();
    let ends: Vec<_> = events.iter().map(|event| event["response"]["status"].as_str().unwrap()).collect();
    assert_eq!(ends, ["failed", "failed"]);
}

#[test]
fn a_question_whose_answer_the_client_cancels_stays_and_one_that_goes_on_comes_again() {
    for by_client in [true, false] {
        let mut talk = spoken();
        talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
        talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(900) }));
        talk.progress(understood(1, "do you have homes"));
        talk.progress(answering(1, None));
        if by_client {
            talk.client(&json!({"type": "response.cancel"}));
        }
        talk.progress(Progress::Over { turn: 1, outcome: TurnOutcome::Continued });
        let deleted = talk.kinds().contains(&"conversation.item.deleted".to_owned());
        assert_eq!(deleted, !by_client);
    }
}

// ---- words, and limits ---------------------------------------------------------------------------------------

fn hearing(settled: &str, unsettled: &str) -> DoorOutput {
    DoorOutput::Shown(Shown::Hearing { settled: settled.to_owned(), unsettled: unsettled.to_owned() })
}

#[test]
fn words_are_told_while_they_are_spoken_and_add_up_to_the_transcript() {
    let mut talk = spoken();
    talk.session(hearing("", "do"));
    assert_eq!(talk.kinds().iter().filter(|kind| kind.contains("transcription")).count(), 0, "no item yet");
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
    for (settled, unsettled) in [("", "do you"), ("", "do you have"), ("do you have", "ho")] {
        talk.session(hearing(settled, unsettled));
    }
    talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(1_500) }));
    talk.progress(understood(1, "do you have homes"));
    let events = talk.events();
    let told = |kind: &str, name: &str| {
        let kind = format!("conversation.item.input_audio_transcription.{kind}");
        let told = events.iter().filter(|event| event["type"] == kind);
        told.map(|event| event[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told("delta", "delta"), ["do you", " have", " homes"]);
    assert_eq!(told("completed", "transcript"), ["do you have homes"]);
    let items: std::collections::BTreeSet<_> = told("delta", "item_id").into_iter().collect();
    assert_eq!(items.len(), 1);
    let position =
        |kind: &str| events.iter().position(|event| event["type"].as_str().unwrap().ends_with(kind));
    assert!(position("transcription.delta") < position("speech_stopped"), "not only at the end");

    // Without a wish for transcripts there are none.
    let mut talk = Talk::with(&json!({}));
    talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
    talk.session(hearing("do you", ""));
    assert!(!talk.kinds().iter().any(|kind| kind.contains("transcription")));
}

#[test]
fn a_murmur_that_was_told_of_takes_nothing_from_the_utterance_after_it() {
    let mut talk = Talk::with(&json!({"audio": {"input": {"transcription": {"model": "any"},
        "turn_detection": {"type": "server_vad", "interrupt_response": false}}}}));
    let mut items = Vec::new();
    for words in ["mm-hm", "do you have homes"] {
        talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
        talk.session(hearing(words, ""));
        let events = talk.events();
        let started = events.iter().find(|event| event["type"] == "input_audio_buffer.speech_started");
        items.push(started.unwrap()["item_id"].clone());
        assert_eq!(events.last().unwrap()["delta"], words);
        talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(900) }));
        if words == "mm-hm" {
            talk.progress(Progress::Disregarded);
        }
    }
    assert_ne!(items[0], items[1]);
}

#[test]
fn a_voice_whose_words_nobody_knows_is_a_transcription_that_failed_and_silence_is_an_empty_one() {
    for (is_whole, expected) in [(false, "failed"), (true, "completed")] {
        let mut talk = spoken();
        talk.session(DoorOutput::Shown(Shown::VoiceBegan { at: ms(500) }));
        talk.session(DoorOutput::Shown(Shown::VoiceEnded { at: ms(1_500) }));
        talk.progress(Progress::Understood { turn: 1, text: String::new(), is_whole });
        let events = talk.events();
        let last = events.last().unwrap();
        assert_eq!(last["type"], format!("conversation.item.input_audio_transcription.{expected}"));
        if !is_whole {
            assert_eq!(last["error"]["code"], "audio_unintelligible");
        }
    }
}

#[test]
fn a_key_that_has_used_up_what_it_may_asks_in_vain_and_callers_are_answered() {
    let mut talk = by_client();
    let limits = |events: &[Value]| {
        let updated = events.iter().find(|event| event["type"] == "rate_limits.updated").unwrap();
        updated["rate_limits"].clone()
    };
    for turn in 0..6 {
        talk.client(&json!({"type": "response.create"}));
        let events = talk.events();
        let [requests, tokens] = [0, 1].map(|at| limits(&events)[at].clone());
        assert_eq!((&requests["name"], &requests["limit"]), (&json!("requests"), &json!(6)));
        assert_eq!(requests["remaining"], 5 - turn, "{requests}");
        assert_eq!((&tokens["name"], &tokens["remaining"]), (&json!("tokens"), &json!(600 - 11 * turn)));
        talk.progress(answering(turn, Some(turn.into())));
        talk.said(turn, 10);
        talk.progress(Progress::Over { turn, outcome: TurnOutcome::Answered });
        talk.events();
    }
    talk.asked();
    talk.client(&json!({"type": "response.create"}));
    assert_eq!(talk.error().0, "rate_limit_exceeded");
    assert_eq!(talk.asked(), []);
    talk.progress(answering(6, None));
    talk.said(6, 10);
    assert!(talk.kinds().contains(&"response.done".to_owned()), "what was said is answered");
    talk.now += Duration::from_secs(30);
    talk.client(&json!({"type": "response.create"}));
    assert!(talk.kinds().contains(&"response.created".to_owned()), "some of it is back");
}
