use super::*;
use crate::AlignedChar;
use bytes::Bytes;

struct World {
    contexts: Contexts,
    out: Outbox,
}

impl World {
    fn new() -> Self {
        let voice =
            VoiceChoice { voice_id: "v".to_owned(), model: "m".to_owned(), stability: 0.5, similarity: 0.5 };
        Self { contexts: Contexts::new(voice, AudioFormat::Mulaw8k, 5_000), out: Outbox::default() }
    }
    fn speak(&mut self, id: u64) {
        self.contexts.speak(SynthesisId(id), format!("text {id}"), &mut self.out).unwrap();
    }
    fn cancel(&mut self, id: u64) {
        self.contexts.cancel(SynthesisId(id), &mut self.out).unwrap();
    }
    fn piece(&mut self, id: u64, milliseconds: usize, last: bool) {
        let audio = Bytes::from(vec![0xff; milliseconds * 8]);
        let alignment = vec![AlignedChar { character: 'x', start_ms: 5, duration_ms: 10 }];
        let alignment = if milliseconds == 0 { vec![] } else { alignment };
        let piece = Incoming::Piece { context: id.to_string(), audio, alignment, last };
        self.contexts.take(piece, &mut self.out).unwrap();
    }
    fn ticks(&mut self, count: u32) {
        for _ in 0..count {
            self.contexts.tick(&mut self.out).unwrap();
        }
    }
    /// The ids for which text has been sent since the last look.
    fn sent(&mut self) -> Vec<String> {
        let texts = self.out.messages.drain(..).filter_map(|message| {
            let message: serde_json::Value = serde_json::from_str(&message).unwrap();
            (message["flush"] == true).then(|| message["context_id"].as_str().unwrap().to_owned())
        });
        texts.collect()
    }
    /// The events since the last look, in short: `a1@0` audio of 1 whose character starts at 0 + 5 ms, `f1` finished,
    /// `x1:timeout` failed.
    fn events(&mut self) -> Vec<String> {
        let short = |event| match event {
            VoiceEvent::Audio { id, alignment, .. } => format!("a{}@{}", id.0, alignment[0].start_ms - 5),
            VoiceEvent::Finished { id } => format!("f{}", id.0),
            VoiceEvent::Failed { id, failure } => format!("x{}:{}", id.unwrap().0, failure.kind.name()),
        };
        self.out.events.drain(..).map(short).collect()
    }
}

#[test]
fn the_times_of_characters_run_from_the_start_of_the_synthesis() {
    let mut world = World::new();
    world.speak(1);
    world.speak(2);
    world.piece(1, 100, false);
    world.piece(2, 60, false);
    world.piece(1, 40, false);
    world.piece(1, 20, true);
    assert_eq!(world.events(), ["a1@0", "a2@0", "a1@100", "a1@140", "f1"]);
}

#[test]
fn at_most_four_contexts_are_open_and_the_others_follow_in_order() {
    let mut world = World::new();
    (1..=6).for_each(|id| world.speak(id));
    assert_eq!(world.sent(), ["1", "2", "3", "4"]);
    world.piece(2, 20, true);
    assert_eq!(world.sent(), ["5"]);
    world.piece(1, 0, true);
    world.piece(3, 0, true);
    assert_eq!(world.sent(), ["6"]);
    assert_eq!(world.events(), ["a2@0", "f2", "f1", "f3"]);
}

#[test]
fn the_queue_is_bounded() {
    let mut world = World::new();
    let full = (MAX_OPEN + MAX_WAITING) as u64;
    (1..=full).for_each(|id| world.speak(id));
    assert_eq!(world.events(), Vec::<String>::new());
    world.speak(full + 1);
    assert_eq!(world.events(), ["x37:rate_limited"]);
}

#[test]
fn a_cancelled_synthesis_is_heard_of_no_more_but_keeps_its_place_until_the_vendor_ends_it() {
    let mut world = World::new();
    (1..=5).for_each(|id| world.speak(id));
    assert_eq!(world.sent(), ["1", "2", "3", "4"]);
    world.piece(1, 20, false);
    world.cancel(1);
    let close: Vec<String> = world.out.messages.drain(..).collect();
    assert_eq!(close, [r#"{"context_id":"1","close_context":true}"#]);
    world.piece(1, 20, false);
    assert_eq!((world.events(), world.sent()), (vec![], vec![]));
    world.piece(1, 20, true);
    assert_eq!((world.events(), world.sent()), (vec![], vec!["5".to_owned()]));
}

#[test]
fn a_synthesis_cancelled_while_it_waits_is_never_sent() {
    let mut world = World::new();
    (1..=6).for_each(|id| world.speak(id));
    world.cancel(5);
    world.sent();
    world.piece(1, 0, true);
    assert_eq!(world.sent(), ["6"]);
}

#[test]
fn a_synthesis_without_progress_fails_alone_and_gives_its_place_up_at_last() {
    let mut world = World::new();
    (1..=5).for_each(|id| world.speak(id));
    world.sent();
    world.ticks(MAX_IDLE_TICKS);
    for id in 2..=4 {
        world.piece(id, 20, false);
    }
    world.events();
    world.ticks(1);
    assert_eq!(world.events(), ["x1:timeout"]);
    assert!(world.sent().is_empty());
    world.piece(1, 20, false);
    assert_eq!(world.events(), Vec::<String>::new());
    for _ in 0..=MAX_IDLE_TICKS {
        world.ticks(1);
        for id in 2..=4 {
            world.piece(id, 20, false);
        }
    }
    assert_eq!(world.sent(), ["5"]);
}

#[test]
fn an_error_of_one_context_fails_that_one_and_an_error_of_the_socket_everything() {
    let mut world = World::new();
    (1..=5).for_each(|id| world.speak(id));
    world.sent();
    let failure = Failure::new(Vendor::ElevenLabs, FailureKind::VendorFault, "x");
    let one = Incoming::Error { context: Some("2".to_owned()), failure: failure.clone() };
    world.contexts.take(one, &mut world.out).unwrap();
    assert_eq!(world.events(), ["x2:vendor_fault"]);
    assert_eq!(world.sent(), ["5"]);
    let all = Incoming::Error { context: None, failure: failure.clone() };
    assert_eq!(world.contexts.take(all, &mut world.out), Err(failure));
}

#[test]
fn nothing_to_say_is_said_at_once_and_what_cannot_be_said_is_refused() {
    let mut world = World::new();
    let mut speak = |id, text: &str| {
        world.contexts.speak(SynthesisId(id), text.to_owned(), &mut world.out).unwrap();
    };
    speak(1, " \n");
    speak(2, "hello");
    speak(2, "hello again");
    speak(3, &"x".repeat(MAX_TEXT_BYTES + 1));
    assert_eq!(world.events(), ["f1", "x2:bad_request", "x3:bad_request"]);
    assert_eq!(world.sent(), ["2"]);
}

#[test]
fn audio_of_an_unknown_context_is_dropped() {
    let mut world = World::new();
    world.piece(9, 20, true);
    assert!(world.out.events.is_empty());
    assert!(world.contexts.is_idle());
}
