//! The caller's end of the line before anything is sent.

use super::{Background, LineEffects, MAX_DELAY_MS};
use crate::{
    FRAME_BYTES, Frame, SILENT_FRAME,
    noise::{Noise, NoiseKind, NoiseSource},
};
use seiketsu_audio::{g711, level};
use std::collections::VecDeque;

/// Softer than this, a frame is no part of speech.
const VOICED_DBFS: f32 = -50.0;

/// What the caller's microphone makes of caller, room and loudspeaker.
#[derive(Debug)]
pub(super) struct Microphone {
    noise: Option<NoiseSource>,
    comfort: Option<NoiseSource>,
    echo_gain: f32,
    echo_delay_samples: usize,
    /// What the loudspeaker has played and the microphone has not yet heard again.
    overheard: VecDeque<i16>,
    clip_samples: usize,
    /// Samples of the line that begins that are still to be clipped.
    to_clip: usize,
    pcm: Vec<i16>,
}

impl Microphone {
    /// `None` if it adds nothing and takes nothing away.
    pub(super) fn new(effects: &LineEffects) -> Option<Self> {
        let LineEffects { noise, background, echo, clip_start_ms, .. } = effects;
        let comfort = match background {
            Background::Silent => None,
            Background::Comfort { level_dbfs } => {
                Some(Noise { kind: NoiseKind::Hiss, level_dbfs: *level_dbfs })
            }
        };
        if noise.is_none() && comfort.is_none() && echo.is_none() && *clip_start_ms == 0 {
            return None;
        }
        let source = |noise: Noise, salt| NoiseSource::new(noise, effects.seed.wrapping_add(salt));
        let echo_delay_samples = echo.map_or(0, |echo| echo.delay_ms.min(MAX_DELAY_MS) as usize * 8);
        Some(Self {
            noise: noise.map(|noise| source(noise, 1)),
            comfort: comfort.map(|noise| source(noise, 2)),
            echo_gain: echo.map_or(0.0, |echo| level::from_db(echo.level_db.into())),
            echo_delay_samples,
            overheard: std::iter::repeat_n(0, echo_delay_samples).collect(),
            clip_samples: (*clip_start_ms).min(MAX_DELAY_MS) as usize * 8,
            to_clip: 0,
            pcm: Vec::with_capacity(FRAME_BYTES),
        })
    }

    /// The loudspeaker plays this.
    pub(super) fn overhear(&mut self, heard: &Frame) {
        if self.echo_gain > 0.0 {
            self.overheard.extend(heard.iter().map(|sample| g711::mulaw_to_linear(*sample)));
            let longest = self.echo_delay_samples + 2 * FRAME_BYTES;
            let excess = self.overheard.len().saturating_sub(longest);
            self.overheard.drain(..excess);
        }
    }

    /// The caller speaks into it.
    pub(super) fn pick_up(&mut self, frame: &Frame, starts_utterance: bool) -> Frame {
        self.pcm.clear();
        g711::mulaw_decode(frame, &mut self.pcm);
        let speaks = level::rms_dbfs(&self.pcm) > VOICED_DBFS;
        if starts_utterance {
            self.to_clip = self.clip_samples;
        }
        if self.to_clip > 0 && (speaks || self.to_clip < self.clip_samples) {
            let clipped = self.to_clip.min(self.pcm.len());
            self.pcm[..clipped].fill(0);
            self.to_clip -= clipped;
        }
        let mut picked_up = SILENT_FRAME;
        for (sample, slot) in self.pcm.iter().zip(&mut picked_up) {
            let mut mixed = f32::from(*sample);
            if self.echo_gain > 0.0 {
                mixed += f32::from(self.overheard.pop_front().unwrap_or(0)) * self.echo_gain;
            }
            if let Some(noise) = &mut self.noise {
                mixed += noise.next_sample();
            }
            if let Some(comfort) = self.comfort.as_mut().filter(|_| !speaks) {
                mixed += comfort.next_sample();
            }
            *slot = g711::mulaw_from_linear(mixed.clamp(i16::MIN.into(), i16::MAX.into()) as i16);
        }
        picked_up
    }
}
