//! Counts over many clips.

use crate::measure::{Stretch, Track, endpoints_us, interrupts_us};
use seiketsu_call::Limits;
use seiketsu_session::activity::Settings;
use seiketsu_testkit::corpus::Kind;
use serde_json::{Value, json};

/// Silences after which the caller counts as having finished, in milliseconds.
pub(crate) const SILENCES_MS: [u64; 10] = [200, 250, 300, 400, 500, 600, 700, 800, 1_000, 1_500];
/// Voice over the agent after which playback stops, in milliseconds.
pub(crate) const INTERRUPTS_MS: [u64; 8] = [100, 200, 300, 400, 500, 600, 700, 800];
/// A start this much before the caller's first sound still belongs to it.
const EARLY_US: u64 = 200_000;
/// Sound this long after the caller's last still belongs to it.
const LATE_US: u64 = 200_000;
/// An answer is audible about so long after the end of a turn was decided.
const ANSWER_US: u64 = 600_000;

/// The endpoint silence of the demo's agents.
const SILENCE_US: u64 = 300_000;
/// The recogniser is assumed to take so long to say that there were no words; the engine waits longer if it must.
const NO_WORDS_US: u64 = 300_000;
/// A voice without words is asked about from this length on, as the engine has it.
const ASKED_US: u64 = 800_000;

/// What became of the clips of one condition.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) clips: u64,
    non_speech_us: u64,
    false_starts: u64,
    holds: u64,
    held_us: u64,
    asked: u64,
    utterances: u64,
    missed: u64,
    start_delays_ms: Vec<i64>,
    placements_ms: Vec<i64>,
    ends_ms: Vec<i64>,
    silences: [Endpointing; SILENCES_MS.len()],
}

#[derive(Debug, Default, Clone)]
struct Endpointing {
    cut_off: u64,
    talked_over: u64,
    never: u64,
    waits_ms: Vec<i64>,
}

impl Tally {
    pub(crate) fn add(&mut self, track: &Track, settings: Settings) {
        let stretches = track.stretches(settings);
        self.clips += 1;
        let Some(utterance) = &track.utterance_us else {
            self.add_false(&stretches, track.length_us);
            return;
        };
        let belongs =
            |began: u64, ended: u64| ended + EARLY_US > utterance.start && began < utterance.end + LATE_US;
        let others: Vec<Stretch> =
            stretches.iter().filter(|s| !belongs(s.began_us, s.ended_us)).copied().collect();
        self.add_false(&others, track.length_us - (utterance.end - utterance.start) - LATE_US - EARLY_US);
        self.utterances += 1;
        let mut heard =
            stretches.iter().filter(|s| s.ended_us > utterance.start && s.began_us < utterance.end);
        let Some(first) = heard.next() else {
            self.missed += 1;
            return;
        };
        self.start_delays_ms.push(ms(first.began_known_us, utterance.start));
        self.placements_ms.push(ms(first.began_us, utterance.start));
        if let Some(last) = heard.next_back().or(Some(first)) {
            self.ends_ms.push(ms(last.ended_us, utterance.end));
        }
        for (counts, silence_ms) in self.silences.iter_mut().zip(SILENCES_MS) {
            let endpoints = endpoints_us(&stretches, silence_ms * 1_000, track.length_us);
            let during = |at: &&u64| (utterance.start..utterance.end).contains(*at);
            let early: Vec<u64> = endpoints.iter().filter(during).copied().collect();
            counts.cut_off += u64::from(!early.is_empty());
            let resumes = |at: u64| stretches.iter().map(|s| s.began_known_us).find(|began| *began > at);
            let over = |at: &u64| resumes(*at).is_none_or(|resumed| resumed > at + ANSWER_US);
            counts.talked_over += u64::from(early.iter().any(over));
            match endpoints.iter().find(|at| **at >= utterance.end) {
                Some(at) => counts.waits_ms.push(ms(*at, utterance.end)),
                None => counts.never += 1,
            }
        }
    }

    /// Stretches that are not the caller's, within so much time without the caller.
    fn add_false(&mut self, stretches: &[Stretch], non_speech_us: u64) {
        let limits = Limits::default();
        let (after_us, resume_us) =
            (limits.interrupt_after.as_micros() as u64, limits.resume_after.as_micros() as u64);
        self.non_speech_us += non_speech_us;
        self.false_starts += stretches.len() as u64;
        for stretch in stretches {
            if let Some(held_us) = interrupts_us(stretch, after_us) {
                self.holds += 1;
                let settled_us = endpoint_us(stretch) + NO_WORDS_US;
                self.held_us += settled_us.min(held_us + resume_us) - held_us;
            }
        }
        // One utterance to the engine: what begins again before the recogniser has said that there was nothing.
        let utterances = stretches.chunk_by(|a, b| b.began_known_us < endpoint_us(a) + NO_WORDS_US);
        let lasts = |all: &[Stretch]| {
            all.first().zip(all.last()).map_or(0, |(first, last)| last.ended_us - first.began_us)
        };
        self.asked += utterances.filter(|all| lasts(all) >= ASKED_US).count() as u64;
    }

    pub(crate) fn false_starts_per_hour(&self) -> f64 {
        self.per_minute(self.false_starts) * 60.0
    }

    /// How often playback would wait in a minute of the agent's speech, if nobody but the background spoke.
    pub(crate) fn holds_per_minute(&self) -> f64 {
        self.per_minute(self.holds)
    }

    /// The share of the agent's speech that would be spent waiting, in percent of its own length.
    pub(crate) fn held_percent(&self) -> f64 {
        percent(self.held_us, self.non_speech_us)
    }

    /// How often an agent that waits for the caller would say that it did not catch that, in a minute of waiting.
    pub(crate) fn asked_per_minute(&self) -> f64 {
        self.per_minute(self.asked)
    }

    pub(crate) fn minutes_without_speech(&self) -> f64 {
        self.non_speech_us as f64 / 60e6
    }

    fn per_minute(&self, count: u64) -> f64 {
        count as f64 * 60e6 / self.non_speech_us.max(1) as f64
    }

    pub(crate) fn missed_percent(&self) -> f64 {
        percent(self.missed, self.utterances)
    }

    pub(crate) fn cut_off_percent(&self, silence: usize) -> f64 {
        percent(self.silences[silence].cut_off, self.utterances)
    }

    pub(crate) fn talked_over_percent(&self, silence: usize) -> f64 {
        percent(self.silences[silence].talked_over, self.utterances)
    }

    pub(crate) fn never_percent(&self, silence: usize) -> f64 {
        percent(self.silences[silence].never, self.utterances)
    }

    /// Mean and 95th percentile of the wait after the true end.
    pub(crate) fn wait_ms(&self, silence: usize) -> (f64, i64) {
        (mean(&self.silences[silence].waits_ms), quantile(&self.silences[silence].waits_ms, 0.95))
    }

    pub(crate) fn start_delay_ms(&self) -> (f64, i64) {
        (mean(&self.start_delays_ms), quantile(&self.start_delays_ms, 0.95))
    }

    /// The median of the same: a mean says little where a noise was taken for the caller long before.
    pub(crate) fn start_delay_median_ms(&self) -> i64 {
        quantile(&self.start_delays_ms, 0.5)
    }

    /// How far the placed beginning and end are from the true ones: mean, 5th and 95th percentile.
    pub(crate) fn placement_ms(&self) -> [(f64, i64, i64); 2] {
        [&self.placements_ms, &self.ends_ms].map(|all| (mean(all), quantile(all, 0.05), quantile(all, 0.95)))
    }

    pub(crate) fn json(&self) -> Value {
        let (start_mean, start_p95) = self.start_delay_ms();
        let silences: Vec<Value> = SILENCES_MS
            .iter()
            .enumerate()
            .map(|(n, silence_ms)| {
                let (wait_mean, wait_p95) = self.wait_ms(n);
                json!({
                    "silence_ms": silence_ms,
                    "cut_off_percent": self.cut_off_percent(n),
                    "talked_over_percent": self.talked_over_percent(n),
                    "never_percent": self.never_percent(n),
                    "wait_mean_ms": wait_mean,
                    "wait_p95_ms": wait_p95,
                })
            })
            .collect();
        json!({
            "clips": self.clips,
            "utterances": self.utterances,
            "minutes_without_speech": self.minutes_without_speech(),
            "false_starts_per_hour": self.false_starts_per_hour(),
            "holds_per_minute": self.holds_per_minute(),
            "held_percent": self.held_percent(),
            "asked_per_minute": self.asked_per_minute(),
            "missed_percent": self.missed_percent(),
            "start_delay_median_ms": self.start_delay_median_ms(),
            "start_delay_mean_ms": start_mean,
            "start_delay_p95_ms": start_p95,
            "silences": silences,
        })
    }
}

/// For each threshold: how many of the clips of a kind would have stopped the agent.
#[derive(Debug, Default, Clone)]
pub(crate) struct Interruptions {
    pub(crate) clips: u64,
    stopped: [u64; INTERRUPTS_MS.len()],
    after_ms: [Vec<i64>; INTERRUPTS_MS.len()],
    pub(crate) lengths_ms: Vec<i64>,
}

impl Interruptions {
    pub(crate) fn add(&mut self, track: &Track, settings: Settings) {
        let Some(sounds) = &track.sounds_us else { return };
        let near = |began: u64, ended: u64| ended > sounds.start && began < sounds.end;
        let stretches: Vec<_> =
            track.stretches(settings).into_iter().filter(|s| near(s.began_us, s.ended_us)).collect();
        self.clips += 1;
        let longest = stretches.iter().map(|s| ms(s.ended_us, s.began_us)).max();
        self.lengths_ms.push(longest.unwrap_or(0));
        for (n, after_ms) in INTERRUPTS_MS.into_iter().enumerate() {
            if let Some(at) = stretches.iter().find_map(|s| interrupts_us(s, after_ms * 1_000)) {
                self.stopped[n] += 1;
                self.after_ms[n].push(ms(at, sounds.start));
            }
        }
    }

    pub(crate) fn stopped_percent(&self, threshold: usize) -> f64 {
        percent(self.stopped[threshold], self.clips)
    }

    pub(crate) fn json(&self) -> Value {
        let rows: Vec<Value> = INTERRUPTS_MS
            .iter()
            .enumerate()
            .map(|(n, after)| {
                json!({
                    "interrupt_after_ms": after,
                    "stopped_percent": self.stopped_percent(n),
                    "stopped_after_mean_ms": mean(&self.after_ms[n]),
                })
            })
            .collect();
        json!({
            "clips": self.clips,
            "longest_stretch_p50_ms": quantile(&self.lengths_ms, 0.5),
            "longest_stretch_p95_ms": quantile(&self.lengths_ms, 0.95),
            "thresholds": rows,
        })
    }
}

/// The kinds that are answered.
pub(crate) fn is_turn(kind: Kind) -> bool {
    match kind {
        Kind::Sentence
        | Kind::ShortAnswer
        | Kind::Digits
        | Kind::Thinking
        | Kind::Trailing
        | Kind::Interruption => true,
        Kind::Backchannel | Kind::Cough | Kind::Breath | Kind::Clicks | Kind::Nothing => false,
    }
}

/// What figures over several kinds are taken from: a murmur is neither answered nor silence, and a cough is loud.
pub(crate) fn is_usual(kind: Kind) -> bool {
    is_turn(kind) || !kind.is_speech() && kind != Kind::Cough
}

/// When the end of this stretch is the end of a turn, if nothing follows.
fn endpoint_us(stretch: &Stretch) -> u64 {
    (stretch.ended_us + SILENCE_US).max(stretch.ended_known_us)
}

fn ms(at_us: u64, from_us: u64) -> i64 {
    (at_us as i64 - from_us as i64) / 1_000
}

pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

pub(crate) fn mean(all: &[i64]) -> f64 {
    all.iter().sum::<i64>() as f64 / all.len().max(1) as f64
}

/// The smallest value that this share of all does not exceed; 0 of none.
pub(crate) fn quantile(all: &[i64], share: f64) -> i64 {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}
