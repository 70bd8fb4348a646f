//! From a clip to what voice activity makes of it.

use seiketsu_domain::CallTime;
use seiketsu_session::activity::{AudioClock, Change, FRAME_US, Frame, Frames, Gate, Settings};
use seiketsu_testkit::corpus::{Clip, Spec};
use std::ops::Range;

/// A clip, scored once; every setting of the gate is tried on the same scores.
pub(crate) struct Track {
    pub(crate) spec: Spec,
    pub(crate) utterance_us: Option<Range<u64>>,
    pub(crate) sounds_us: Option<Range<u64>>,
    pub(crate) length_us: u64,
    frames: Vec<Scored>,
}

struct Scored {
    frame: Frame,
    /// Call time of the frame's first sample minus its position.
    origin_us: i64,
    /// When the frame was there.
    known_us: u64,
}

/// A stretch of voice, as the server sees it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the unit is part of each name")]
pub(crate) struct Stretch {
    /// When it began, and when that was known.
    pub(crate) began_us: u64,
    pub(crate) began_known_us: u64,
    /// When it ended, and when that was known; the end of the clip if it did not.
    pub(crate) ended_us: u64,
    pub(crate) ended_known_us: u64,
}

impl Track {
    pub(crate) fn of(spec: Spec, clip: &Clip) -> Self {
        let mut scorer = Frames::new(clip.format);
        let mut clock = AudioClock::default();
        let mut frames = Vec::new();
        for arrival in &clip.arrivals {
            clock
                .received(clip.format.duration_us(arrival.audio.len()), CallTime::from_micros(arrival.at_us));
            scorer.push(&arrival.audio, |samples, score| {
                let position = frames.len() as u64 * FRAME_US;
                frames.push(Scored {
                    frame: Frame { score, level: seiketsu_audio::level::rms(samples), echo: false },
                    origin_us: clock.at(position).as_micros() as i64 - position as i64,
                    known_us: arrival.at_us,
                });
            });
        }
        let utterance_us = clip.utterance_us();
        Self { spec, utterance_us, sounds_us: clip.sounds_us.clone(), length_us: clip.length_us, frames }
    }

    pub(crate) fn stretches(&self, settings: Settings) -> Vec<Stretch> {
        let mut gate = Gate::new(settings);
        let mut stretches = Stretches::default();
        for scored in &self.frames {
            let at = |position: u64| position.saturating_add_signed(scored.origin_us);
            stretches.take(gate.frame(scored.frame), at, scored.known_us);
        }
        stretches.until(self.length_us)
    }
}

/// Puts beginnings and ends together.
#[derive(Debug, Default)]
pub(crate) struct Stretches {
    done: Vec<Stretch>,
    open: Option<(u64, u64)>,
}

impl Stretches {
    pub(crate) fn take(&mut self, change: Option<Change>, at: impl Fn(u64) -> u64, known_us: u64) {
        match change {
            Some(Change::Began { position_us }) => self.open = Some((at(position_us), known_us)),
            Some(Change::Ended { position_us }) => {
                if let Some((began_us, began_known_us)) = self.open.take() {
                    let ended_us = at(position_us);
                    self.done.push(Stretch { began_us, began_known_us, ended_us, ended_known_us: known_us });
                }
            }
            None => {}
        }
    }

    pub(crate) fn until(mut self, end_us: u64) -> Vec<Stretch> {
        if let Some((began_us, began_known_us)) = self.open {
            self.done.push(Stretch { began_us, began_known_us, ended_us: end_us, ended_known_us: end_us });
        }
        self.done
    }
}

/// When the server decides that the caller has finished: so long after the end of a stretch, unless the next begins.
pub(crate) fn endpoints_us(stretches: &[Stretch], silence_us: u64, end_us: u64) -> Vec<u64> {
    let next = stretches.iter().skip(1).map(|next| next.began_known_us).chain([u64::MAX]);
    stretches
        .iter()
        .zip(next)
        .filter_map(|(stretch, next_us)| {
            let due = (stretch.ended_us + silence_us).max(stretch.ended_known_us);
            (due < next_us && due <= end_us && stretch.ended_us < end_us).then_some(due)
        })
        .collect()
}

/// When a stretch counts as an interruption, if it does: voice is on since then.
pub(crate) fn interrupts_us(stretch: &Stretch, after_us: u64) -> Option<u64> {
    let due = (stretch.began_us + after_us).max(stretch.began_known_us);
    (due < stretch.ended_known_us).then_some(due)
}
