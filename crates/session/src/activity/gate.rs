//! From scored frames to stretches of voice: pure, one frame at a time.

use seiketsu_audio::level;
use std::collections::VecDeque;

/// One frame of the gate: 16 ms.
pub const FRAME_US: u64 = 16_000;
/// Frames whose levels are remembered.
const HISTORY: usize = 16;

/// What decides when speech has begun and ended. [`Settings::CALLS`] is what calls use; the corpus is what chose it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// A frame is voiced from this score on while nobody speaks.
    pub onset_score: f32,
    /// And from this score on while somebody does.
    pub hold_score: f32,
    /// Speech has begun when this many of the last [`Settings::onset_window`] frames are voiced.
    pub onset_frames: u32,
    /// See [`Settings::onset_frames`]; at most 32.
    pub onset_window: u32,
    /// Speech has ended when this many frames in a row are not voiced.
    pub release_frames: u32,
    /// While nobody speaks, a voiced frame is louder than the noise of the line by so many dB ...
    pub onset_above_noise_db: f32,
    /// ... and by so many while somebody does.
    pub hold_above_noise_db: f32,
    /// The noise follows a quieter frame by so many dB a frame ...
    pub noise_fall_db: f32,
    /// ... and a louder one by so many: with the fall it settles at the level that one frame in so many is below.
    pub noise_rise_db: f32,
    /// The detector's memory calls some 80 ms after the last sound voiced still; a frame that is quieter than the
    /// loudest of the stretch by this factor is not.
    pub faded: f32,
    /// It also takes a while to believe in a soft first consonant: a beginning is moved back over up to
    /// [`Settings::onset_reach`] frames that are at least this loud in comparison with the loudest.
    pub onset_sound: f32,
    /// See [`Settings::onset_sound`].
    pub onset_reach: usize,
}

impl Settings {
    /// What calls use.
    pub const CALLS: Self = Self {
        onset_score: 0.5,
        hold_score: 0.35,
        onset_frames: 3,
        onset_window: 4,
        release_frames: 6,
        onset_above_noise_db: 9.0,
        hold_above_noise_db: 3.0,
        noise_fall_db: 0.3,
        noise_rise_db: 0.1,
        faded: 0.018,       // 35 dB
        onset_sound: 0.056, // 25 dB
        onset_reach: 4,
    };
}

/// The loudest frame is forgotten slowly (2.7 dB a second), so that a bang does not make the rest of a sentence faint.
const LOUDEST_DECAY: f32 = 0.995;
/// The noise of a line lies between these: a few steps of the codec, and a level that a voice still exceeds.
const LEAST_NOISE_DBFS: f32 = -68.0;
const MOST_NOISE_DBFS: f32 = -20.0;
/// In the first second of a line the noise is followed faster, so that it is known before the caller speaks and a caller
/// who speaks at once is not taken for it.
const OPENING_FRAMES: u64 = 62;
const OPENING_FACTOR: f32 = 4.0;

/// A frame, as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// How much it resembles voice, 0 to 1.
    pub score: f32,
    /// Its RMS in sample units.
    pub level: f32,
    /// It is the agent's own voice coming back.
    pub echo: bool,
}

/// A change, at a position in the caller's audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Speech has begun there.
    Began {
        /// First voiced sample, in microseconds of audio.
        position_us: u64,
    },
    /// Speech has ended there.
    Ended {
        /// Last voiced sample, in microseconds of audio.
        position_us: u64,
    },
}

/// Decides from frame to frame.
#[derive(Debug, Clone)]
pub struct Gate {
    settings: Settings,
    position_us: u64,
    /// Whether the last frames were voiced, the newest in the lowest bit.
    recent: u32,
    unvoiced_run: u32,
    speaking: bool,
    last_voiced_us: u64,
    loudest: f32,
    /// The level of the line without the caller; unknown before the first frame.
    noise_dbfs: Option<f32>,
    /// Levels of the frames before this one, newest first; 0 for echo.
    levels: VecDeque<f32>,
}

impl Gate {
    /// A gate on a quiet line.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            position_us: 0,
            recent: 0,
            unvoiced_run: 0,
            speaking: false,
            last_voiced_us: 0,
            loudest: 0.0,
            noise_dbfs: None,
            levels: VecDeque::with_capacity(HISTORY + 1),
        }
    }

    /// Whether somebody speaks.
    pub fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// Whether a frame of this score could be voiced.
    pub fn may_be_voiced(&self, score: f32) -> bool {
        score >= if self.speaking { self.settings.hold_score } else { self.settings.onset_score }
    }

    /// Takes the next frame.
    pub fn frame(&mut self, frame: Frame) -> Option<Change> {
        let level = if frame.echo { 0.0 } else { frame.level };
        self.loudest = level.max(self.loudest * LOUDEST_DECAY);
        let audible = self.audible();
        if !frame.echo {
            self.follow_noise(20.0 * (level / level::FULL_SCALE).log10());
        }
        let voiced = self.may_be_voiced(frame.score) && !frame.echo && level >= audible;
        let change = self.decide(voiced);
        self.levels.push_front(level);
        self.levels.truncate(HISTORY);
        change
    }

    /// What is softer than this is not the caller, in sample units.
    fn audible(&self) -> f32 {
        let Settings { onset_above_noise_db, hold_above_noise_db, faded, .. } = self.settings;
        let above_db = if self.speaking { hold_above_noise_db } else { onset_above_noise_db };
        let noise_dbfs = self.noise_dbfs.unwrap_or(LEAST_NOISE_DBFS);
        (self.loudest * faded).max(level::FULL_SCALE * level::from_db(noise_dbfs + above_db))
    }

    fn follow_noise(&mut self, dbfs: f32) {
        let Settings { noise_fall_db, noise_rise_db, .. } = self.settings;
        let faster = if self.position_us < OPENING_FRAMES * FRAME_US { OPENING_FACTOR } else { 1.0 };
        let next = match self.noise_dbfs {
            None => dbfs,
            Some(noise) if dbfs < noise => (noise - noise_fall_db * faster).max(dbfs),
            Some(noise) => (noise + noise_rise_db * faster).min(dbfs),
        };
        self.noise_dbfs = Some(next.clamp(LEAST_NOISE_DBFS, MOST_NOISE_DBFS));
    }

    fn decide(&mut self, voiced: bool) -> Option<Change> {
        let start = self.position_us;
        self.position_us += FRAME_US;
        let window = u32::MAX >> (32 - self.settings.onset_window.clamp(1, 32));
        self.recent = (self.recent << 1 | u32::from(voiced)) & window;
        if voiced {
            self.unvoiced_run = 0;
            self.last_voiced_us = self.position_us;
            if !self.speaking && self.recent.count_ones() >= self.settings.onset_frames {
                self.speaking = true;
                let voiced_before = self.recent.ilog2() as usize;
                let threshold = (self.loudest * self.settings.onset_sound).max(self.audible());
                let sounds = |level: &&f32| **level >= threshold;
                let reach = self.levels.iter().skip(voiced_before).take(self.settings.onset_reach);
                let before = reach.take_while(sounds).count();
                let position_us = start.saturating_sub(FRAME_US * (voiced_before + before) as u64);
                return Some(Change::Began { position_us });
            }
            return None;
        }
        self.unvoiced_run += 1;
        if self.speaking && self.unvoiced_run >= self.settings.release_frames {
            self.speaking = false;
            self.recent = 0;
            return Some(Change::Ended { position_us: self.last_voiced_us });
        }
        None
    }
}
