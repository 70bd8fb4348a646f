//! What happens to sound between a caller's mouth and the exchange's media stream, and on the way back: noise, echo,
//! clipped starts, clock drift, delay, jitter, gaps and bursts, frames lost, doubled, swapped, silenced. Without IO;
//! seeded, so that a run can be repeated.
//!
//! In this order: a line's start is clipped, the agent's echo and noise are added, the clocks drift apart, and what is
//! then cut into frames meets its faults on the way.

mod drift;
mod microphone;

use crate::{FRAME_MS, Frame, SILENT_FRAME, noise::Noise};
use drift::Drift;
use microphone::Microphone;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use seiketsu_domain::CallTime;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// The longest delay and the widest jitter that are simulated.
const MAX_DELAY_MS: u32 = 10_000;

/// How a line misbehaves. The default does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineEffects {
    /// One-way delay in each direction, at most ten seconds. What the caller hears is delayed by whole frames.
    pub delay_ms: u32,
    /// Further delay of each frame towards the platform, uniform from zero; frames stay in order. Towards the caller
    /// the carrier's own jitter buffer evens it out.
    pub jitter_ms: u32,
    /// What is heard beside the caller, all the time.
    pub noise: Option<Noise>,
    /// What is heard while the caller says nothing.
    pub background: Background,
    /// The agent's own voice, on its way back from the caller's loudspeaker.
    pub echo: Option<Echo>,
    /// So much of each line of the caller is cut off at its beginning, as gates and half-open channels do.
    pub clip_start_ms: u32,
    /// By how much the caller's clock is faster than the exchange's, in millionths; at most ten thousand.
    pub drift_ppm: i32,
    /// Stretches that never arrive.
    pub gaps: Option<Gaps>,
    /// Stretches that arrive late and all at once.
    pub bursts: Option<Bursts>,
    /// What happens to single frames of the caller's speech.
    pub faults: Vec<LineFault>,
    /// Seed of everything that is left to chance.
    pub seed: u64,
}

/// What a line carries while nobody speaks into it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Background {
    /// Digital silence.
    #[default]
    Silent,
    /// Comfort noise: gone while somebody speaks.
    Comfort {
        /// RMS of it.
        level_dbfs: i8,
    },
}

/// An echo of the agent's voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Echo {
    /// By how much it is softer than what the caller hears: -20, say.
    pub level_db: i8,
    /// How much later it comes, at most ten seconds.
    pub delay_ms: u32,
}

/// Gaps, at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gaps {
    /// One in so many milliseconds, on average.
    pub every_ms: u32,
    /// Frames of 20 ms that are missing each time.
    pub frames: u32,
}

/// Bursts, regularly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// From the beginning of one to that of the next.
    pub every_ms: u32,
    /// For so long nothing arrives; then all of it does.
    pub held_ms: u32,
}

/// One thing that goes wrong with one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineFault {
    /// Which frame.
    pub at: FaultPosition,
    /// What happens to it.
    pub kind: FaultKind,
}

/// The frame that a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultPosition {
    /// Counted from the start of the call.
    Call {
        /// 0 is the first.
        frame: u64,
    },
    /// Counted from the first frame of one of the caller's lines.
    Utterance {
        /// 0 is the first line.
        number: u64,
        /// 0 is the first.
        frame: u64,
    },
}

/// What can happen to a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It vanishes without a trace: what follows moves up, and no timestamp tells.
    Drop,
    /// It is heard twice: what follows moves back.
    Double,
    /// It and the one after it change places.
    Swap,
    /// It is replaced by silence.
    Zero,
    /// So many frames, beginning with it, are never sent; the stream's timestamps show the gap.
    Gap {
        /// How many.
        frames: u32,
    },
}

/// What comes out at the exchange's end of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFrame {
    /// 20 ms of sound.
    Audio(Frame),
    /// 20 ms of which nothing is known.
    Lost,
}

/// The line of one call.
#[derive(Debug)]
pub struct Line {
    microphone: Option<Microphone>,
    drift: Option<Drift>,
    gaps: Option<Gaps>,
    bursts: Option<Bursts>,
    delay: Duration,
    jitter_us: u64,
    faults: Vec<LineFault>,
    rng: StdRng,
    call_frame: u64,
    /// Lines the caller has begun, and the frame within the latest.
    utterances: u64,
    utterance_frame: u64,
    held_for_swap: Option<Frame>,
    gap_frames: u32,
    in_flight: VecDeque<(CallTime, LineFrame)>,
    towards_caller: VecDeque<Frame>,
}

impl Line {
    /// A line with these effects.
    pub fn new(effects: &LineEffects) -> Self {
        let delay_ms = effects.delay_ms.min(MAX_DELAY_MS);
        let delay_frames = u64::from(delay_ms).div_ceil(FRAME_MS) as usize;
        Self {
            microphone: Microphone::new(effects),
            drift: Drift::new(effects.drift_ppm),
            gaps: effects.gaps,
            bursts: effects.bursts,
            delay: Duration::from_millis(delay_ms.into()),
            jitter_us: u64::from(effects.jitter_ms.min(MAX_DELAY_MS)) * 1_000,
            faults: effects.faults.clone(),
            rng: StdRng::seed_from_u64(effects.seed),
            call_frame: 0,
            utterances: 0,
            utterance_frame: 0,
            held_for_swap: None,
            gap_frames: 0,
            in_flight: VecDeque::new(),
            towards_caller: std::iter::repeat_n(SILENT_FRAME, delay_frames).collect(),
        }
    }

    /// The caller has spoken a frame, complete at `spoken_at`.
    pub fn speak(&mut self, spoken_at: CallTime, frame: Frame, starts_utterance: bool) {
        if starts_utterance {
            self.utterances += 1;
            self.utterance_frame = 0;
        }
        let frame = match &mut self.microphone {
            Some(microphone) => microphone.pick_up(&frame, starts_utterance),
            None => frame,
        };
        if self.drift.is_none() {
            return self.send(spoken_at, frame);
        }
        if let Some(drift) = &mut self.drift {
            drift.push(&frame);
        }
        while let Some(frame) = self.drift.as_mut().and_then(Drift::pop) {
            self.send(spoken_at, frame);
        }
    }

    /// A frame leaves for the exchange.
    fn send(&mut self, spoken_at: CallTime, frame: Frame) {
        let fault = self.fault();
        self.call_frame += 1;
        self.utterance_frame += 1;

        let jitter = if self.jitter_us == 0 { 0 } else { self.rng.random_range(0..=self.jitter_us) };
        let due = self.released(spoken_at) + self.delay + Duration::from_micros(jitter);
        let due = self.in_flight.back().map_or(due, |(last, _)| due.max(*last));
        if let Some(gaps) = self.gaps
            && self.gap_frames == 0
            && self.rng.random_ratio(FRAME_MS as u32, gaps.every_ms.max(FRAME_MS as u32))
        {
            self.gap_frames = gaps.frames;
        }
        let mut send = |frame| self.in_flight.push_back((due, frame));

        if let Some(first) = self.held_for_swap.take() {
            send(LineFrame::Audio(frame));
            send(LineFrame::Audio(first));
            return;
        }
        if self.gap_frames > 0 {
            self.gap_frames -= 1;
            send(LineFrame::Lost);
            return;
        }
        match fault {
            None => send(LineFrame::Audio(frame)),
            Some(FaultKind::Drop) => {}
            Some(FaultKind::Double) => {
                send(LineFrame::Audio(frame));
                send(LineFrame::Audio(frame));
            }
            Some(FaultKind::Swap) => self.held_for_swap = Some(frame),
            Some(FaultKind::Zero) => send(LineFrame::Audio(SILENT_FRAME)),
            Some(FaultKind::Gap { frames }) => {
                self.gap_frames = frames.saturating_sub(1);
                send(if frames == 0 { LineFrame::Audio(frame) } else { LineFrame::Lost });
            }
        }
    }

    /// The next frame that has reached the exchange by `now`.
    pub fn poll_arrived(&mut self, now: CallTime) -> Option<LineFrame> {
        self.in_flight.pop_front_if(|(due, _)| *due <= now).map(|(_, frame)| frame)
    }

    /// When the next frame reaches the exchange.
    pub fn next_arrival(&self) -> Option<CallTime> {
        self.in_flight.front().map(|(due, _)| *due)
    }

    /// What reaches the caller's ear while the exchange plays `played`.
    pub fn hear(&mut self, played: Frame) -> Frame {
        self.towards_caller.push_back(played);
        let heard = self.towards_caller.pop_front().unwrap_or(played);
        if let Some(microphone) = &mut self.microphone {
            microphone.overhear(&heard);
        }
        heard
    }

    /// When a frame spoken then is let go by whatever holds it up.
    fn released(&self, spoken_at: CallTime) -> CallTime {
        let Some(Bursts { every_ms, held_ms }) = self.bursts.filter(|bursts| bursts.every_ms > 0) else {
            return spoken_at;
        };
        let into_ms = spoken_at.as_millis() % u64::from(every_ms);
        let held_ms = u64::from(held_ms.min(every_ms));
        if into_ms < held_ms { spoken_at + Duration::from_millis(held_ms - into_ms) } else { spoken_at }
    }

    fn fault(&self) -> Option<FaultKind> {
        let hit = |position: &FaultPosition| match position {
            FaultPosition::Call { frame } => *frame == self.call_frame,
            FaultPosition::Utterance { number, frame } => {
                *number + 1 == self.utterances && *frame == self.utterance_frame
            }
        };
        self.faults.iter().find(|fault| hit(&fault.at)).map(|fault| fault.kind)
    }
}

#[cfg(test)]
mod effects_tests;

#[cfg(test)]
mod tests {
    use super::*;

    /// What arrives of frames 1, 2, 3... with their arrival times in milliseconds.
    pub(super) fn arrivals(
        effects: &LineEffects,
        frames: u8,
        utterance_starts_at: u8,
    ) -> Vec<(u64, Option<u8>)> {
        let mut line = Line::new(effects);
        let mut arrived = Vec::new();
        for millis in 0..2_000 {
            let now = CallTime::from_millis(millis);
            let frame = (millis / FRAME_MS) as u8;
            if millis % FRAME_MS == 0 && frame < frames {
                line.speak(now, [frame + 1; 160], frame == utterance_starts_at);
            }
            while let Some(frame) = line.poll_arrived(now) {
                arrived.push((
                    millis,
                    match frame {
                        LineFrame::Audio(frame) => Some(frame[0]),
                        LineFrame::Lost => None,
                    },
                ));
            }
        }
        assert_eq!(line.next_arrival(), None);
        arrived
    }

    fn heard(kind: FaultKind, at: FaultPosition) -> Vec<Option<u8>> {
        let effects = LineEffects { faults: vec![LineFault { at, kind }], ..LineEffects::default() };
        arrivals(&effects, 5, 1).into_iter().map(|(_, frame)| frame).collect()
    }

    #[test]
    fn each_fault_does_to_its_frame_what_its_name_says() {
        let at = FaultPosition::Call { frame: 2 };
        let some = |frames: &[u8]| frames.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(heard(FaultKind::Drop, at), some(&[1, 2, 4, 5]));
        assert_eq!(heard(FaultKind::Double, at), some(&[1, 2, 3, 3, 4, 5]));
        assert_eq!(heard(FaultKind::Swap, at), some(&[1, 2, 4, 3, 5]));
        assert_eq!(heard(FaultKind::Zero, at), some(&[1, 2, 0xFF, 4, 5]));
        assert_eq!(heard(FaultKind::Gap { frames: 2 }, at), [Some(1), Some(2), None, None, Some(5)]);
    }

    #[test]
    fn a_fault_can_be_aimed_at_a_frame_of_a_line_that_is_spoken_later() {
        let at = FaultPosition::Utterance { number: 0, frame: 2 };
        assert_eq!(heard(FaultKind::Zero, at), [Some(1), Some(2), Some(3), Some(0xFF), Some(5)]);
        let never = FaultPosition::Utterance { number: 1, frame: 0 };
        assert_eq!(heard(FaultKind::Drop, never).len(), 5);
    }

    #[test]
    fn delay_moves_both_directions_and_a_plain_line_moves_nothing() {
        let plain = arrivals(&LineEffects::default(), 3, 0);
        assert_eq!(plain, [(0, Some(1)), (20, Some(2)), (40, Some(3))]);
        let effects = LineEffects { delay_ms: 50, ..LineEffects::default() };
        assert_eq!(arrivals(&effects, 2, 0), [(50, Some(1)), (70, Some(2))]);
        let mut line = Line::new(&effects);
        let heard: Vec<u8> = (1..=5).map(|frame| line.hear([frame; 160])[0]).collect();
        assert_eq!(heard, [0xFF, 0xFF, 0xFF, 1, 2], "50 ms are three frames");
    }

    #[test]
    fn jitter_keeps_the_order_stays_within_its_bound_and_repeats_from_its_seed() {
        let effects = |seed| LineEffects { jitter_ms: 60, seed, ..LineEffects::default() };
        let run = arrivals(&effects(1), 40, 0);
        let order: Vec<_> = run.iter().map(|(_, frame)| *frame).collect();
        assert_eq!(order, (1..=40).map(Some).collect::<Vec<_>>());
        let late: Vec<u64> = run.iter().zip(0..).map(|((at, _), frame)| at - frame * 20).collect();
        assert!(late.iter().all(|late| *late <= 61), "{late:?}");
        assert!(late.iter().any(|late| *late > 20), "{late:?}");
        assert_eq!(run, arrivals(&effects(1), 40, 0));
        assert_ne!(run, arrivals(&effects(2), 40, 0));
    }
}
