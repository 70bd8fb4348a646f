//! The agent's own voice coming back: does it stop the agent, and does a caller over it still?

use crate::{
    measure::{Stretch, Stretches, interrupts_us},
    tally::{INTERRUPTS_MS, mean, percent, quantile},
};
use seiketsu_domain::{AudioFormat, CallTime, Language};
use seiketsu_session::{
    activity::{AudioClock, FRAME_US, Frame, Frames, Gate, Settings},
    echo::Echo,
};
use seiketsu_testkit::corpus::{Corpus, EchoScene, EchoSpec, Kind, Noise};
use serde_json::{Value, json};
use std::{collections::BTreeMap, io, io::Write};

const LOSSES_DB: [u8; 6] = [15, 20, 25, 30, 35, 40];
const DELAYS_MS: [u16; 5] = [50, 100, 200, 300, 400];
const LANGUAGES: [Language; 3] = [Language::En, Language::Es, Language::Zh];
/// The voice is sent in pieces of 200 ms, a second before they are played.
const CHUNK: usize = 1_600;
const AHEAD_US: u64 = 1_000_000;
/// A stretch that begins this much before the caller is not the caller.
const EARLY_US: u64 = 150_000;

const USUAL: &str = "usual caller";
const SOFT: &str = "soft caller";
/// So much softer than usual, in dB.
const SOFT_DB: u8 = 8;

/// Counts of one condition.
#[derive(Debug, Default, Clone)]
struct Counts {
    scenes: u64,
    agent_us: u64,
    wrong: [u64; INTERRUPTS_MS.len()],
    callers: u64,
    missed: [u64; INTERRUPTS_MS.len()],
    after_ms: [Vec<i64>; INTERRUPTS_MS.len()],
}

pub(crate) struct Report {
    by_loss: BTreeMap<String, [Counts; 2]>,
    by_delay: BTreeMap<String, [Counts; 2]>,
    double_talk: BTreeMap<String, [Counts; 2]>,
}

impl Report {
    pub(crate) fn of(corpus: &Corpus, quick: bool) -> Self {
        let mut report =
            Self { by_loss: BTreeMap::new(), by_delay: BTreeMap::new(), double_talk: BTreeMap::new() };
        let losses = [None].into_iter().chain(LOSSES_DB.map(Some));
        let seeds = if quick { 1 } else { 6 };
        let mut seed = 0;
        for loss_db in losses {
            for delay_ms in DELAYS_MS {
                for noise in [None, Some((Noise::White, 30)), Some((Noise::Pink, 20))] {
                    for caller in [None, Some(Kind::Sentence), Some(Kind::Interruption)] {
                        for n in 0..seeds {
                            seed += 1;
                            let language = LANGUAGES[seed as usize % LANGUAGES.len()];
                            let soft = [0, SOFT_DB][usize::from(n % 2 == 1)];
                            let spec = EchoSpec {
                                loss_db,
                                delay_ms,
                                caller,
                                caller_soft_db: soft,
                                noise,
                                sentences: (n % 3) as u8,
                                language,
                                seed,
                            };
                            report.add(&spec, &corpus.echo_scene(&spec));
                        }
                    }
                }
            }
        }
        report
    }

    fn add(&mut self, spec: &EchoSpec, scene: &EchoScene) {
        let loss = spec.loss_db.map_or_else(|| "no echo".to_owned(), |db| format!("echo -{db} dB"));
        for (n, attentive) in [false, true].into_iter().enumerate() {
            let stretches = heard(scene, attentive);
            if spec.caller.is_some() {
                let caller = if spec.caller_soft_db > 0 { SOFT } else { USUAL };
                self.double_talk.entry(over(&loss, caller)).or_default()[n].add(scene, &stretches);
            } else {
                self.by_loss.entry(loss.clone()).or_default()[n].add(scene, &stretches);
                if spec.loss_db.is_some() {
                    let delay = format!("after {:3} ms", spec.delay_ms);
                    self.by_delay.entry(delay).or_default()[n].add(scene, &stretches);
                }
            }
        }
    }

    pub(crate) fn json(&self) -> Value {
        let table = |all: &BTreeMap<String, [Counts; 2]>| {
            all.iter()
                .map(|(name, [without, with])| {
                    json!({ "condition": name, "without": without.json(), "with": with.json() })
                })
                .collect::<Vec<_>>()
        };
        json!({
            "by_loss": table(&self.by_loss),
            "by_delay": table(&self.by_delay),
            "double_talk": table(&self.double_talk),
        })
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        self.print_summary(out)?;
        let chosen = INTERRUPTS_MS.map(|after| format!("| {after} ")).concat();
        writeln!(
            out,
            "\n## Echo alone: wrong interruptions per minute of the agent's speech, without -> with `Echo`\n"
        )?;
        writeln!(out, "| condition | scenes {chosen}|\n|---|---{}|", "|---".repeat(INTERRUPTS_MS.len()))?;
        for (name, [without, with]) in self.by_loss.iter().chain(&self.by_delay) {
            write!(out, "| {name} | {} ", with.scenes)?;
            for n in 0..INTERRUPTS_MS.len() {
                write!(out, "| {:.2} -> {:.2} ", without.wrong_per_minute(n), with.wrong_per_minute(n))?;
            }
            writeln!(out, "|")?;
        }
        writeln!(
            out,
            "\n## A caller over the agent: missed interruptions %, and ms until playback stops, mean / p95\n"
        )?;
        writeln!(
            out,
            "| condition | callers | missed at {0} ms, without -> with | stops after, without -> with | \
             missed at {1} ms, without -> with | stops after, without -> with |\n|---|---|---|---|---|---|",
            INTERRUPTS_MS[1], INTERRUPTS_MS[3],
        )?;
        for (name, [without, with]) in &self.double_talk {
            write!(out, "| {name} | {} ", with.callers)?;
            for n in [1, 3] {
                write!(
                    out,
                    "| {:.1} -> {:.1} | {:.0} / {} -> {:.0} / {} ",
                    percent(without.missed[n], without.callers),
                    percent(with.missed[n], with.callers),
                    mean(&without.after_ms[n]),
                    quantile(&without.after_ms[n], 0.95),
                    mean(&with.after_ms[n]),
                    quantile(&with.after_ms[n], 0.95),
                )?;
            }
            writeln!(out, "|")?;
        }
        Ok(())
    }
}

impl Report {
    /// By how soft the echo is, at one length of voice.
    fn print_summary(&self, out: &mut impl Write) -> io::Result<()> {
        let after = 1;
        writeln!(out, "\n## Echo, at {} ms of voice, without -> with `Echo`\n", INTERRUPTS_MS[after])?;
        writeln!(
            out,
            "| echo | wrong interruptions in a minute of the agent's speech | usual callers over it missed % | \
             callers {SOFT_DB} dB softer missed % |\n|---|---|---|---|"
        )?;
        for (name, [without, with]) in &self.by_loss {
            write!(
                out,
                "| {name} | {:.1} -> {:.1} ",
                without.wrong_per_minute(after),
                with.wrong_per_minute(after)
            )?;
            for caller in [USUAL, SOFT] {
                let [without, with] = self.double_talk.get(&over(name, caller)).cloned().unwrap_or_default();
                write!(
                    out,
                    "| {:.1} -> {:.1} ",
                    percent(without.missed[after], without.callers),
                    percent(with.missed[after], with.callers)
                )?;
            }
            writeln!(out, "|")?;
        }
        Ok(())
    }
}

impl Counts {
    fn add(&mut self, scene: &EchoScene, stretches: &[Stretch]) {
        self.scenes += 1;
        self.agent_us += scene.agent_us.iter().map(|range| range.end - range.start).sum::<u64>();
        let caller =
            scene.caller_us.first().zip(scene.caller_us.last()).map(|(first, last)| first.start..last.end);
        self.callers += u64::from(caller.is_some());
        for (n, after_ms) in INTERRUPTS_MS.into_iter().enumerate() {
            let mut stopped = None;
            for stretch in stretches {
                let Some(at) = interrupts_us(stretch, after_ms * 1_000) else { continue };
                match &caller {
                    Some(caller) if at >= caller.start && stretch.began_us + EARLY_US >= caller.start => {
                        if stretch.began_us < caller.end {
                            stopped.get_or_insert(at - caller.start);
                        }
                    }
                    Some(_) | None => self.wrong[n] += 1,
                }
            }
            match stopped {
                Some(after_us) => self.after_ms[n].push(after_us as i64 / 1_000),
                None => self.missed[n] += u64::from(caller.is_some()),
            }
        }
    }

    fn wrong_per_minute(&self, n: usize) -> f64 {
        self.wrong[n] as f64 * 60e6 / self.agent_us.max(1) as f64
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = INTERRUPTS_MS
            .iter()
            .enumerate()
            .map(|(n, after)| {
                json!({
                    "interrupt_after_ms": after,
                    "wrong_per_agent_minute": self.wrong_per_minute(n),
                    "missed_percent": percent(self.missed[n], self.callers),
                    "stops_after_mean_ms": mean(&self.after_ms[n]),
                    "stops_after_p95_ms": quantile(&self.after_ms[n], 0.95),
                })
            })
            .collect();
        json!({ "scenes": self.scenes, "callers": self.callers, "thresholds": rows })
    }
}

fn over(echo: &str, caller: &str) -> String {
    format!("{echo}, {caller}")
}

/// Runs a scene in its own time.
fn heard(scene: &EchoScene, attentive: bool) -> Vec<Stretch> {
    let format = AudioFormat::Mulaw8k;
    let (mut frames, mut echo) = (Frames::new(format), Echo::new(format));
    let (mut gate, mut clock) = (Gate::new(Settings::CALLS), AudioClock::default());
    let mut stretches = Stretches::default();
    let mut chunks = scene.agent.chunks(CHUNK).enumerate().peekable();
    let mut position_us = 0;
    for arrival in &scene.arrivals {
        let now = CallTime::from_micros(arrival.at_us);
        while let Some((_, chunk)) = chunks.next_if(|(n, _)| *n as u64 * 200_000 <= arrival.at_us + AHEAD_US)
        {
            // The first is played at once; what is sent ahead waits behind it.
            echo.played(chunk, if position_us == 0 { CallTime::ZERO } else { now });
        }
        clock.received(format.duration_us(arrival.audio.len()), now);
        frames.push(&arrival.audio, |samples, score| {
            let at = clock.at(position_us);
            position_us += FRAME_US;
            let echo = attentive && echo.is_echo(samples, at, gate.may_be_voiced(score));
            let frame = Frame { score, level: seiketsu_audio::level::rms(samples), echo };
            stretches.take(gate.frame(frame), |position| clock.at(position).as_micros(), arrival.at_us);
        });
    }
    stretches.until(scene.length_us)
}
