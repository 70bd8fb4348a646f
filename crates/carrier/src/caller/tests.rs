//! A caller and an agent in virtual time, without a telephone between them.

use super::tests_support::{carrying_pcm, hum, silence, speech};
use super::*;
use crate::{
    exchange::ErrorLog,
    report::{EndedBy, TurnEnd},
};
use seiketsu_audio::subcarrier;
use std::time::Duration;

/// When the agent does what: plays this so long after the caller's n-th line has ended (0: after the call began).
struct Agent {
    answers: Vec<Vec<(u64, Vec<u8>)>>,
    /// Samples still to be played.
    queue: VecDeque<u8>,
    scheduled: VecDeque<(u64, Vec<u8>)>,
    /// The caller's lines that have ended.
    ended: usize,
    speaking: bool,
    silent_since: u64,
    /// Empties its queue when the caller speaks.
    yields: bool,
}

impl Agent {
    fn new(answers: Vec<Vec<(u64, Vec<u8>)>>) -> Self {
        let mut agent = Self {
            answers,
            queue: VecDeque::new(),
            scheduled: VecDeque::new(),
            ended: 0,
            speaking: false,
            silent_since: 0,
            yields: false,
        };
        agent.schedule(0);
        agent
    }

    fn schedule(&mut self, now: u64) {
        for (after_ms, sound) in self.answers.get(self.ended).cloned().unwrap_or_default() {
            self.scheduled.push_back((now + ms(after_ms), sound));
        }
    }

    fn play(&mut self, now: u64) -> Frame {
        while let Some((_, sound)) = self.scheduled.pop_front_if(|(at, _)| *at <= now) {
            self.queue.extend(sound);
        }
        let mut frame = SILENT_FRAME;
        for (slot, byte) in frame.iter_mut().zip(self.queue.drain(..FRAME_BYTES.min(self.queue.len()))) {
            *slot = byte;
        }
        frame
    }

    fn hear(&mut self, now: u64, audio: &Frame) {
        if *audio != SILENT_FRAME {
            self.speaking = true;
            self.silent_since = now + FRAME_BYTES as u64;
            if self.yields {
                self.queue.clear();
                self.scheduled.clear();
            }
        } else if self.speaking && now - self.silent_since >= ms(100) {
            self.speaking = false;
            self.ended += 1;
            self.schedule(self.silent_since);
        }
    }
}

fn line(text: &str) -> Step {
    Step::Say(Utterance::carrying(Some(text.to_owned()), &hum(text), &carrying_pcm(text)).unwrap())
}

/// Lets the two talk until the caller departs. Tells what happened, the digits, and everything the caller said.
fn talk(
    mut agent: Agent,
    steps: Vec<Step>,
    options: CallerOptions,
) -> (CallReport, Vec<CallerEvent>, String) {
    let (sender, mut receiver) = mpsc::channel(10_000);
    let options = CallerOptions { record_seconds: Some(120), ..options };
    let mut caller = Caller::new(steps, options, Some(sender));
    let (mut now, mut digits) = (0, String::new());
    let ended_by = loop {
        let heard = agent.play(now);
        let said = caller.frame(at(now), &heard);
        agent.hear(now, &said.audio);
        digits.extend(said.digit);
        now += FRAME_BYTES as u64;
        if said.departure == Some(Departure::HangUp) {
            break EndedBy::CallerHungUp;
        }
        assert!(now < ms(120_000), "the caller never hangs up");
    };
    let report = caller.finish(CallOutcome {
        call_sid: "CA00000000000000000000000000000000".parse().unwrap(),
        ended_by,
        duration: Duration::from_micros(now * 125),
        announcements: Vec::new(),
        dialled: Vec::new(),
        streams: 1,
        errors: ErrorLog::default(),
        clock_slip_max: Duration::ZERO,
    });
    let events = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
    (report, events, digits)
}

fn options() -> CallerOptions {
    CallerOptions { acknowledgements: vec!["One moment.".to_owned()], ..CallerOptions::default() }
}

#[test]
fn a_caller_waits_for_the_greeting_speaks_its_lines_in_turn_and_hangs_up() {
    let agent = Agent::new(vec![
        vec![(200, speech("hello there"))],
        vec![(800, speech("three houses"))],
        vec![(1_500, speech("it is free"))],
    ]);
    let (report, events, _) = talk(agent, vec![line("what do you have"), line("is it free")], options());
    assert_eq!(report.greeting_text, "hello there");
    assert!(report.greeting_first_audible_ms.is_some_and(|millis| millis.abs_diff(200) <= 5), "{report:?}");
    let [first, second] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!((first.heard_text.as_str(), first.end), ("three houses", TurnEnd::Answered));
    assert_eq!(second.heard_text, "it is free");
    assert_eq!(first.said.as_deref(), Some("what do you have"));
    for (turn, expected) in [(first, 800), (second, 1_500)] {
        let audible = turn.first_audible_ms.unwrap();
        // This agent answers from the end of the line's sound: the carrier's tail and the rest of a frame later.
        assert!((expected - 5..expected + 120).contains(&audible), "{audible} for {expected}");
        let from = turn.end_of_speech.as_micros() as usize / 125;
        let track = report.tracks.as_ref().unwrap().agent_pcm();
        let exact_ms = track[from..].iter().position(|sample| sample.unsigned_abs() > 40).unwrap() as u64 / 8;
        assert!(audible.abs_diff(exact_ms) <= 5, "{audible} is {exact_ms} in the recording");
        assert_eq!(turn.first_substantive_ms, Some(audible));
        assert!(turn.flags.is_empty() && turn.acknowledgement.is_none(), "{turn:?}");
    }
    assert_eq!(report.whole_agent_text, "hello there three houses it is free");
    let words = events.iter().filter(|event| matches!(event, CallerEvent::AgentWord { .. })).count();
    assert_eq!(words, 7);
    let order: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            CallerEvent::CallerSpeaks { turn, interrupting: false, .. } => Some(format!("speaks {turn}")),
            CallerEvent::CallerSilent { .. } => Some("silent".to_owned()),
            CallerEvent::AgentSilent { .. } => Some("agent silent".to_owned()),
            CallerEvent::TurnFinished(turn) => Some(format!("finished {}", turn.number)),
            CallerEvent::CallerSpeaks { interrupting: true, .. } => Some("interrupts".to_owned()),
            CallerEvent::AgentUnclear { .. } => Some("unclear".to_owned()),
            CallerEvent::AgentWord { .. }
            | CallerEvent::CallerPresses { .. }
            | CallerEvent::CallerMurmurs { .. } => None,
        })
        .collect();
    assert_eq!(
        order,
        [
            "agent silent",
            "speaks 1",
            "silent",
            "agent silent",
            "finished 1",
            "speaks 2",
            "silent",
            "agent silent",
            "finished 2"
        ]
    );
}

#[test]
fn what_was_recorded_can_be_read_again() {
    let agent = Agent::new(vec![vec![(0, speech("hello"))], vec![(500, speech("three houses"))]]);
    let (report, _, _) = talk(agent, vec![line("any houses")], options());
    let tracks = report.tracks.unwrap();
    assert_eq!(subcarrier::read(&tracks.agent_pcm()).text, report.whole_agent_text);
    assert_eq!(subcarrier::read(&tracks.caller_pcm()).text, "any houses");
}

#[test]
fn an_acknowledgement_buys_time_but_does_not_answer() {
    let agent = Agent::new(vec![
        vec![(0, speech("hello"))],
        vec![(1_200, speech("one moment")), (4_500, speech("the kitchen is new"))],
    ]);
    let (report, _, _) = talk(agent, vec![line("tell me about it")], options());
    let [turn] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!(turn.acknowledgement.as_deref(), Some("one moment"));
    assert!(turn.first_audible_ms.unwrap().abs_diff(1_200) <= 25, "{turn:?}");
    assert!(turn.first_substantive_ms.unwrap().abs_diff(4_500) <= 25, "{turn:?}");
    assert_eq!((turn.heard_text.as_str(), turn.end), ("one moment the kitchen is new", TurnEnd::Answered));
}

#[test]
fn an_acknowledgement_alone_is_waited_on_for_ten_seconds_and_nothing_either() {
    let agent = Agent::new(vec![vec![(0, speech("hello"))], vec![(1_000, speech("one moment"))], vec![]]);
    let (report, _, _) = talk(agent, vec![line("tell me"), line("are you there")], options());
    let [first, second] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!((first.end, first.first_substantive_ms), (TurnEnd::Missed, None));
    assert!(first.first_audible_ms.is_some());
    let acknowledged_until = first.end_of_speech.as_millis() + 1_000 + speech("one moment").len() as u64 / 8;
    assert!(second.started_at.as_millis().abs_diff(acknowledged_until + 10_000) < 400, "{second:?}");
    assert_eq!((second.end, second.first_audible_ms), (TurnEnd::Missed, None));
    let given_up_at = second.end_of_speech.as_millis() + 10_000;
    assert!(report.duration_ms.abs_diff(given_up_at) < 100, "{} {given_up_at}", report.duration_ms);
}

#[test]
fn an_impatient_caller_interrupts_the_answer_proper_and_sees_how_soon_it_stops() {
    let long = speech("the garden is large and the kitchen is new and the street is quiet");
    let mut agent = Agent::new(vec![
        vec![(0, speech("hello"))],
        vec![(600, speech("one moment")), (2_000, long)],
        vec![(700, speech("sure"))],
    ]);
    agent.yields = true;
    let options = CallerOptions { interrupt_after_ms: Some(1_500), ..options() };
    let (report, events, _) = talk(agent, vec![line("tell me about it"), line("wait")], options);
    let [first, second] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!(first.end, TurnEnd::Interrupted);
    let into_answer = first.interrupted_at.unwrap().as_millis()
        - first.end_of_speech.as_millis()
        - first.first_substantive_ms.unwrap();
    assert!(into_answer.abs_diff(1_500) <= 40, "{into_answer}: not into the acknowledgement");
    assert!(first.playback_stopped_ms.is_some_and(|millis| millis <= 40), "{first:?}");
    assert!("one moment the garden is large and the kitchen".starts_with(&first.heard_text), "{first:?}");
    assert!(first.heard_text.len() > "one moment".len(), "{first:?}");
    assert_eq!((second.heard_text.as_str(), second.end), ("sure", TurnEnd::Answered));
    assert!(second.flags.is_empty(), "the cut is no fault of the second answer: {second:?}");
    let interrupting =
        |event: &&CallerEvent| matches!(event, CallerEvent::CallerSpeaks { interrupting: true, .. });
    assert_eq!(events.iter().filter(interrupting).count(), 1);
}

#[test]
fn a_caller_told_to_wait_goes_on_without_an_answer_and_that_turn_is_counted_apart() {
    let agent = Agent::new(vec![vec![(0, speech("hello"))], vec![], vec![(500, speech("two"))]]);
    let steps = vec![line("i want"), Step::Wait(300), line("two rooms"), Step::Wait(100), Step::HangUp];
    let (report, _, _) = talk(agent, steps, options());
    let ends: Vec<_> = report.turns.iter().map(|turn| turn.end).collect();
    assert_eq!(ends, [TurnEnd::Continued, TurnEnd::Abandoned]);
    let pause = report.turns[1].started_at.as_millis() - report.turns[0].end_of_speech.as_millis();
    assert!(pause.abs_diff(300) <= 140, "{pause}: the line's own silence and 300 ms");
}

#[test]
fn keys_are_pressed_one_after_the_other() {
    let agent = Agent::new(vec![vec![(0, speech("hello"))]]);
    let (report, _, digits) = talk(agent, vec![Step::Digits("12#".to_owned())], options());
    assert_eq!(digits, "12#");
    let [turn] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!((turn.keys.as_deref(), turn.end), (Some("12#"), TurnEnd::Keyed));
    assert!(!turn.end.counts(), "keys are in no latency figure");
}

/// The agent's answer of about four seconds to one line of the caller.
fn talkative() -> Agent {
    let long = speech("the garden is large and the kitchen is new and the street is quiet");
    Agent::new(vec![vec![(0, speech("hello"))], vec![(600, long)], vec![(700, speech("sure"))]])
}

fn murmur(text: &str, after_ms: u32) -> Step {
    let Step::Say(utterance) = line(text) else { unreachable!() };
    Step::Murmur { utterance, after_ms }
}

#[test]
fn a_murmur_is_made_while_the_agent_speaks_and_is_no_turn() {
    let steps = vec![line("tell me"), murmur("mm hm", 1_000), line("good")];
    let (report, events, _) = talk(talkative(), steps, options());
    let [first, second] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!((first.end, first.interrupted_at), (TurnEnd::Answered, None));
    assert_eq!(second.said.as_deref(), Some("good"));
    let [murmur] = report.murmurs.as_slice() else { panic!("{report:?}") };
    assert_eq!((murmur.turn, murmur.agent), (1, crate::report::AfterMurmur::WentOn));
    let into_answer =
        murmur.at.as_millis() - first.end_of_speech.as_millis() - first.first_substantive_ms.unwrap();
    assert!((1_000..1_060).contains(&into_answer), "{into_answer}");
    assert!(events.iter().any(|event| matches!(event, CallerEvent::CallerMurmurs { .. })));
}

#[test]
fn a_murmur_that_is_due_after_the_answer_is_not_made() {
    let steps = vec![line("tell me"), murmur("mm hm", 60_000), line("good")];
    let (report, _, _) = talk(talkative(), steps, options());
    assert!(report.murmurs.is_empty());
    assert_eq!(report.turns.len(), 2);
}

#[test]
fn a_step_that_interrupts_does_so_without_the_caller_being_impatient() {
    let mut agent = talkative();
    agent.yields = true;
    let Step::Say(utterance) = line("wait") else { unreachable!() };
    let steps = vec![line("tell me"), Step::Interrupt { utterance, after_ms: 1_500 }];
    let (report, _, _) = talk(agent, steps, options());
    let [first, second] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!((first.end, second.heard_text.as_str()), (TurnEnd::Interrupted, "sure"));
}

#[test]
fn a_caller_on_hold_waits_until_the_agent_speaks_again() {
    let agent = Agent::new(vec![
        vec![(0, speech("hello"))],
        vec![(600, speech("i put you through")), (9_000, speech("nobody is there"))],
        vec![(600, speech("fine"))],
    ]);
    let steps = vec![line("a person please"), Step::Hold(60_000), line("take a message")];
    let (report, _, _) = talk(agent, steps, options());
    let [first, second] = report.turns.as_slice() else { panic!("{report:?}") };
    assert_eq!(first.heard_text, "i put you through nobody is there");
    assert_eq!(second.heard_text, "fine");
    let waited = second.started_at.as_millis() - first.end_of_speech.as_millis();
    assert!((9_000..13_000).contains(&waited), "{waited}");
}

#[test]
fn a_ringing_tone_is_nothing_that_a_caller_waits_to_end() {
    let ringing: Vec<u8> =
        (0..100).flat_map(|frame| crate::tone::ringing(Duration::from_millis(frame * 20))).collect();
    let agent = Agent::new(vec![
        vec![(0, speech("hello"))],
        // It rings as soon as the agent has spoken.
        vec![
            (600, [speech("i put you through"), silence(100), ringing].concat()),
            (9_000, speech("nobody is there")),
        ],
        vec![(600, speech("fine"))],
    ]);
    let steps = vec![line("a person please"), Step::Hold(60_000), line("take a message")];
    let (report, _, _) = talk(agent, steps, options());
    assert_eq!(report.turns[0].heard_text, "i put you through nobody is there");
    let waited = report.turns[1].started_at.as_millis() - report.turns[0].end_of_speech.as_millis();
    assert!((9_000..13_000).contains(&waited), "{waited}: until the agent came back");
}

#[test]
fn a_caller_who_is_silent_in_its_turn_speaks_only_later() {
    let agent =
        Agent::new(vec![vec![(0, speech("hello"))], vec![(600, speech("yes"))], vec![(600, speech("ok"))]]);
    let (report, _, _) = talk(agent, vec![line("hi"), Step::Silence(5_000), line("more")], options());
    let pause = report.turns[1].started_at.as_millis() - report.turns[0].end_of_speech.as_millis();
    assert!((5_600..8_000).contains(&pause), "{pause}");
    assert_eq!(report.turns[0].end, TurnEnd::Answered);
}

#[test]
fn a_caller_hangs_up_in_the_end_however_long_the_agent_talks() {
    let hum: Vec<u8> =
        silence(90_000).iter().enumerate().map(|(n, _)| if n % 9 < 4 { 0x20 } else { 0xA0 }).collect();
    let agent = Agent::new(vec![vec![(0, hum)]]);
    let options = CallerOptions { hearing: Hearing::Energy, max_call_ms: 20_000, ..options() };
    let (report, _, _) = talk(agent, vec![line("hello")], options);
    assert!(report.duration_ms.abs_diff(20_000) <= 40, "{}", report.duration_ms);
    assert_eq!((report.lines_unspoken, report.turns.len()), (1, 0));
}
