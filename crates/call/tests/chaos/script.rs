//! What may happen, as a proptest strategy.

use proptest::{collection::vec, prelude::*};
use seiketsu_call::{
    Acknowledgements, AnswerPlan, ClientAct, Input, Limits, Plan, PlanUpdate, Speaker, Turns,
};
use seiketsu_domain::{AudioFormat, Language, Message, ModelChoice, Pii, ToolChoice, ToolOutcome};
use std::{collections::BTreeMap, ops::Range, time::Duration};

#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) plan: Plan,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) wait_ms: u32,
    /// Timers that become due meanwhile fire on time; otherwise they are late.
    pub(crate) punctual: bool,
    pub(crate) act: Act,
}

/// Which request is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    /// One that waits for it.
    Live(u8),
    /// One that may have been asked at some time.
    Once(u8),
    /// One that was made up.
    Nobody(u64),
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Oblige { delay_ms: u16, tool: bool },
    Timeout,
    Input(Input),
    VoiceBegan { ago_ms: u16 },
    VoiceEnded { ago_ms: u16 },
    Heard { text: String, ago_ms: u16, settled: bool },
    HeardPartly { text: String, ago_ms: Option<u16> },
    HandedOver { on_record: bool },
    Text { whose: Whose, words: u8, end: &'static str },
    ToolCall { whose: Whose, name: &'static str },
    GenerationOver { whose: Whose, failed: bool },
    Audio { whose: Whose, length_ms: u16 },
    SpeechOver { whose: Whose, failed: bool },
    Tool { whose: Whose, outcome: ToolOutcome },
    Mark { whose: Whose },
}

pub(crate) fn scenario(length: Range<usize>) -> impl Strategy<Value = Scenario> {
    (plan(), vec(step(), length)).prop_map(|(plan, steps)| Scenario { plan, steps })
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![3 => Just(0), 8 => 1..300_u32, 3 => 300..3_000_u32, 1 => 3_000..70_000_u32];
    (wait, prop::bool::weighted(0.8), act()).prop_map(|(wait_ms, punctual, act)| Step {
        wait_ms,
        punctual,
        act,
    })
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![
        12 => any::<u8>().prop_map(Whose::Live),
        2 => any::<u8>().prop_map(Whose::Once),
        1 => prop_oneof![any::<u64>(), Just(u64::MAX)].prop_map(Whose::Nobody),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let failed = || prop::bool::weighted(0.3);
    let end = prop::sample::select(vec![". ", ", ", " ", "? ", ""]);
    prop_oneof![
        10 => (0..400_u16, prop::bool::weighted(0.2)).prop_map(|(delay_ms, tool)| Act::Oblige { delay_ms, tool }),
        6 => Just(Act::Timeout),
        6 => (0..100_u16).prop_map(|ago_ms| Act::VoiceBegan { ago_ms }),
        6 => (0..200_u16).prop_map(|ago_ms| Act::VoiceEnded { ago_ms }),
        6 => (text(), prop_oneof![0..400_u16, 0..9_000_u16], prop::bool::weighted(0.7))
            .prop_map(|(text, ago_ms, settled)| Act::Heard { text, ago_ms, settled }),
        3 => (text(), prop::option::of(0..400_u16)).prop_map(|(text, ago_ms)| Act::HeardPartly { text, ago_ms }),
        1 => Just(Act::Input(Input::RecogniserLost)),
        6 => (whose(), 1..12_u8, end).prop_map(|(whose, words, end)| Act::Text { whose, words, end }),
        2 => (whose(), tool()).prop_map(|(whose, name)| Act::ToolCall { whose, name }),
        2 => prop::bool::weighted(0.4).prop_map(|on_record| Act::HandedOver { on_record }),
        4 => (whose(), failed()).prop_map(|(whose, failed)| Act::GenerationOver { whose, failed }),
        6 => (whose(), prop_oneof![Just(0), 0..60_u16, 60..600_u16])
            .prop_map(|(whose, length_ms)| Act::Audio { whose, length_ms }),
        4 => (whose(), failed()).prop_map(|(whose, failed)| Act::SpeechOver { whose, failed }),
        3 => (whose(), outcome()).prop_map(|(whose, outcome)| Act::Tool { whose, outcome }),
        5 => whose().prop_map(|whose| Act::Mark { whose }),
        2 => prop::sample::select(vec!['0', '5', '#', 'A', 'x', '\u{7f}']).prop_map(|c| Act::Input(Input::Digit(c))),
        4 => client().prop_map(|act| Act::Input(Input::Client(act))),
        1 => update().prop_map(|update| Act::Input(Input::Update(update))),
        1 => prop_oneof![Just(Input::HungUp), Just(Input::Cut)].prop_map(Act::Input),
    ]
}

fn tool() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just("search"), 1 => Just("end_call"), 1 => Just("transfer_to_human")]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,6}( [a-z]{1,6}){0,5}", 1 => Just(String::new()), 1 => "[^\\x00]{0,80}"]
}

fn outcome() -> impl Strategy<Value = ToolOutcome> {
    prop_oneof![
        Just(ToolOutcome::Done(serde_json::json!({"ok": true}))),
        Just(ToolOutcome::Refused(serde_json::json!({"error": "taken"}))),
        Just(ToolOutcome::Failed("away".to_owned())),
    ]
}

fn client() -> impl Strategy<Value = ClientAct> {
    prop_oneof![
        3 => Just(ClientAct::Commit),
        1 => Just(ClientAct::Clear),
        1 => text().prop_map(|text| ClientAct::CreateItem(Message::Caller { text: Pii::new(text) })),
        3 => (0..6_u64, answer_plan())
            .prop_map(|(number, plan)| ClientAct::CreateResponse { number, plan: Box::new(plan) }),
        1 => (0..6_u64).prop_map(ClientAct::CancelRequest),
        1 => (0..6_u64, answer_plan())
            .prop_map(|(number, plan)| ClientAct::Ask { number, plan: Box::new(plan) }),
        1 => (0..6_u64).prop_map(ClientAct::CancelAside),
        1 => Just(ClientAct::CancelResponse { turn: None }),
        1 => (0..6_u32, prop_oneof![Just(Speaker::Caller), Just(Speaker::Agent)])
            .prop_map(|(turn, speaker)| ClientAct::Forget { turn, speaker }),
        1 => prop_oneof![0..2_000_u64, Just(u64::MAX)]
            .prop_map(|ms| ClientAct::Truncate { heard: Duration::from_micros(ms.saturating_mul(1_000)) }),
    ]
}

fn answer_plan() -> impl Strategy<Value = AnswerPlan> {
    let messages =
        prop::option::weighted(0.3, Just(vec![Message::Caller { text: Pii::new("x".to_owned()) }]));
    let choice = prop::option::weighted(0.3, Just(ToolChoice::Required));
    (prop::bool::weighted(0.3), messages, choice).prop_map(|(is_aside, messages, tool_choice)| AnswerPlan {
        messages,
        tool_choice,
        is_aside,
        ..AnswerPlan::default()
    })
}

fn turns() -> impl Strategy<Value = Turns> {
    prop_oneof![3 => Just(Turns::ByVoice), 1 => Just(Turns::Unanswered), 1 => Just(Turns::ByClient)]
}

fn update() -> impl Strategy<Value = PlanUpdate> {
    let silence = prop::option::of((0..2_000_u64).prop_map(Duration::from_millis));
    let system = prop::option::of(Just("You are Bob.".to_owned()));
    let is_interruptible = prop::option::of(any::<bool>());
    (system, silence, prop::option::of(turns()), is_interruptible).prop_map(
        |(system, endpoint_silence, turns, is_interruptible)| PlanUpdate {
            system,
            endpoint_silence,
            turns,
            is_interruptible,
            ..PlanUpdate::default() // checks count sound; text has tests of its own
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    let greeting = prop::sample::select(vec!["", "g1 g2 g3 g4."]);
    let acknowledgements = prop::sample::select(vec![vec![], vec!["a1 a2."], vec!["a1 a2.", "c1 c2."]]);
    let conduct = (turns(), prop::bool::weighted(0.8));
    (greeting, acknowledgements, limits(), conduct, 0..4_u32, 0..30_usize, 0..800_u64).prop_map(
        |(greeting, acknowledgements, limits, (turns, is_interruptible), first_turn, history, silence_ms)| {
            Plan {
                system: "You are Ava.".to_owned(),
                model: ModelChoice { model: "m".to_owned(), temperature: 0.0, max_tokens: 200 },
                tools: Vec::new(),
                tool_choice: ToolChoice::Auto,
                max_tokens: u32::MAX,
                ending_tool: Some("end_call".to_owned()),
                format: AudioFormat::Mulaw8k,
                speaks: true,
                greeting: greeting.to_owned(),
                goodbye: "b1 b2 b3.".to_owned(),
                apology: "p1 p2 p3.".to_owned(),
                unclear: "u1 u2 u3.".to_owned(),
                putting_through: "t1 t2.".to_owned(),
                not_put_through: "n1 n2 n3.".to_owned(),
                reprompts: vec!["r1 r2.".to_owned()],
                acknowledgements: Acknowledgements {
                    looking: acknowledgements.into_iter().map(str::to_owned).collect(),
                    waiting: vec!["l1 l2.".to_owned()],
                    ..Acknowledgements::default()
                },
                menu: BTreeMap::from([('0', "m1 m2".to_owned())]),
                asks_to_record: first_turn % 2 == 1,
                records: false,
                transferring_tool: Some("transfer_to_human".to_owned()),
                language: Language::En,
                history: (0..history).map(|n| Message::Caller { text: Pii::new(format!("h{n}")) }).collect(),
                first_turn,
                endpoint_silence: Duration::from_millis(silence_ms),
                turns,
                is_interruptible,
                limits,
            }
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let small = (1..4_usize, 1..4_usize, 0..3_usize, 1..4_usize, 20..300_usize, 10..200_usize, 2..20_usize);
    let sizes = (small, 400..8_000_usize, 0..3_000_u64, 1..200_u64).prop_map(
        |((tools, rounds, retries, ahead, answer, utterance, context), waiting, acknowledge_ms, call_s)| {
            Limits {
                call: Duration::from_secs(call_s),
                acknowledge_after: Duration::from_millis(acknowledge_ms),
                tools_per_turn: tools,
                rounds_per_turn: rounds,
                retries_per_turn: retries,
                answer_characters: answer,
                utterance_characters: utterance,
                phrases_ahead: ahead,
                waiting_audio_bytes: waiting,
                context_messages: context,
                ..Limits::default()
            }
        },
    );
    prop_oneof![1 => Just(Limits::default()), 2 => sizes]
}
