//! What the engine costs: `cargo bench -p seiketsu-call`.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run must fail loudly")]

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput};
use seiketsu_call::{
    Acknowledgements, AlignedChar, Call, Finish, GenerationEvent, Input, Limits, Output, Plan,
    SynthesisEvent, Turns, VoiceActivity, ledger::Ledger, phrase::Phraser,
};
use seiketsu_domain::{AudioFormat, CallTime, Language, Message, ModelChoice, Pii, ToolChoice};
use std::{collections::BTreeMap, hint::black_box, time::Duration};

const QUESTION: &str = "i am looking for a three bedroom house in riverside with a garden";
const ANSWER: &str = "Sure, I can help with that. I have three homes in Riverside with at least three bedrooms. \
    The first is on Maple Street, with a large garden and two bathrooms. Would you like to see it this week?";
/// The voice delivers so much audio at a time.
const CHUNK_MS: usize = 100;
const MS_PER_CHARACTER: usize = 60;

fn plan(history: usize) -> Plan {
    let history = (0..history).map(|n| {
        let text = Pii::new(format!("message {n}: {QUESTION}"));
        if n % 2 == 0 { Message::Caller { text } } else { Message::Agent { text } }
    });
    Plan {
        system: "You are Ava, the receptionist of a brokerage. ".repeat(40),
        model: ModelChoice { model: "m".to_owned(), temperature: 0.0, max_tokens: 200 },
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: u32::MAX,
        ending_tool: None,
        format: AudioFormat::Mulaw8k,
        speaks: true,
        greeting: String::new(),
        goodbye: "Goodbye.".to_owned(),
        apology: "I am sorry.".to_owned(),
        unclear: "Sorry?".to_owned(),
        putting_through: "I will put you through.".to_owned(),
        not_put_through: "Nobody could take your call.".to_owned(),
        reprompts: vec!["Are you there?".to_owned()],
        acknowledgements: Acknowledgements {
            looking: vec!["One moment.".to_owned()],
            ..Acknowledgements::default()
        },
        menu: BTreeMap::new(),
        asks_to_record: false,
        records: false,
        transferring_tool: None,
        language: Language::En,
        history: history.collect(),
        first_turn: 0,
        endpoint_silence: Duration::from_millis(250),
        turns: Turns::ByVoice,
        is_interruptible: true,
        limits: Limits::default(),
    }
}

/// One turn as a shell would drive it: a question of 4 seconds, an answer token by token, its audio in chunks, every
/// mark returned. Returns how many inputs and timeouts that took.
fn turn(call: &mut Call) -> u64 {
    let mut inputs = 0;
    let mut now = CallTime::from_millis(1_000);
    let mut generation = None;
    let mut marks = Vec::new();
    let mut speeches = Vec::new();
    let mut step = |call: &mut Call, now: CallTime, input: Option<Input>| {
        inputs += 1;
        match input {
            Some(input) => call.handle(input, now),
            None => call.handle_timeout(now),
        }
        let mut asked = (None, Vec::new(), Vec::new());
        while let Some(output) = call.poll_output() {
            if let Output::Generate { id, .. } = output {
                asked.0 = Some(id);
            } else if let Output::Speak { id, text, .. } = output {
                asked.1.push((id, text));
            } else if let Output::Mark(mark) = output {
                asked.2.push(mark);
            } else {
                black_box(output);
            }
        }
        asked
    };
    step(call, now, Some(Input::Voice(VoiceActivity::Began { at: now })));
    for n in 1..=8 {
        now = now + Duration::from_millis(500);
        let text = QUESTION.chars().take(QUESTION.len() * n / 8).collect();
        step(call, now, Some(Input::HeardPartly { text, until: Some(now) }));
    }
    step(call, now, Some(Input::Heard { text: QUESTION.to_owned(), until: now, settled: true }));
    step(call, now, Some(Input::Voice(VoiceActivity::Ended { at: now })));
    now = now + Duration::from_millis(250);
    generation = step(call, now, None).0.or(generation);
    let id = generation.expect("the model was asked");
    let tokens = ANSWER.split_inclusive(' ').map(|token| GenerationEvent::Text(token.to_owned()));
    for event in tokens.chain([GenerationEvent::Finished {
        input_tokens: 900,
        output_tokens: 60,
        finish: Finish::Whole,
    }]) {
        now = now + Duration::from_millis(12);
        let asked = step(call, now, Some(Input::Generation { id, event }));
        speeches.extend(asked.1);
        marks.extend(asked.2);
    }
    while !speeches.is_empty() {
        for (id, text) in std::mem::take(&mut speeches) {
            let characters: Vec<char> = text.chars().collect();
            let per_chunk = CHUNK_MS / MS_PER_CHARACTER + 1;
            for (n, chunk) in characters.chunks(per_chunk).enumerate() {
                let audio = Bytes::from(vec![0x55; chunk.len() * MS_PER_CHARACTER * 8]);
                let alignment = chunk
                    .iter()
                    .enumerate()
                    .map(|(i, &character)| {
                        let start_ms = ((n * per_chunk + i) * MS_PER_CHARACTER) as u32;
                        AlignedChar { character, start_ms, end_ms: start_ms + MS_PER_CHARACTER as u32 }
                    })
                    .collect();
                let event = SynthesisEvent::Audio { audio, alignment };
                marks.extend(step(call, now, Some(Input::Synthesis { id, event })).2);
            }
            let asked = step(call, now, Some(Input::Synthesis { id, event: SynthesisEvent::Finished }));
            speeches.extend(asked.1);
            marks.extend(asked.2);
        }
    }
    for mark in marks {
        now = now + Duration::from_millis(400);
        step(call, now, Some(Input::Mark(mark)));
    }
    inputs
}

fn engine(criterion: &mut Criterion) {
    let fresh = |history| {
        move || {
            let mut call = Call::new(plan(history), CallTime::ZERO);
            while call.poll_output().is_some() {}
            call
        }
    };
    let mut group = criterion.benchmark_group("engine");
    for history in [0, 40, 200] {
        let inputs = turn(&mut fresh(history)());
        group.throughput(Throughput::Elements(inputs));
        group.bench_function(format!("one turn of {inputs} inputs after {history} messages"), |bencher| {
            bencher.iter_batched_ref(fresh(history), turn, BatchSize::SmallInput);
        });
    }
    group.finish();
    criterion.bench_function("engine/an input that changes nothing", |bencher| {
        let mut call = fresh(0)();
        bencher.iter(|| {
            call.handle(Input::HeardPartly { text: String::new(), until: None }, CallTime::from_millis(1));
            black_box(call.poll_timeout())
        });
    });
}

fn parts(criterion: &mut Criterion) {
    criterion.bench_function("ledger/sent, marked and returned", |bencher| {
        let mut ledger = Ledger::default();
        let mut now = CallTime::ZERO;
        bencher.iter(|| {
            now = now + Duration::from_millis(100);
            ledger.send(now, 100_000);
            let mark = ledger.mark();
            black_box(ledger.playhead(now));
            ledger.returned(now + Duration::from_millis(99), mark)
        });
    });
    let mut group = criterion.benchmark_group("phraser");
    group.throughput(Throughput::Bytes(ANSWER.len() as u64));
    group.bench_function("an answer, token by token", |bencher| {
        bencher.iter(|| {
            let mut phraser = Phraser::default();
            for token in ANSWER.split_inclusive(' ') {
                black_box(phraser.push(token));
            }
            phraser.finish()
        });
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    engine(&mut criterion);
    parts(&mut criterion);
    criterion.final_summary();
}
