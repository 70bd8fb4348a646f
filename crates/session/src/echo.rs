//! Whether what comes in is the agent's own voice coming back.
//!
//! A telephone line sends some of what it is given back, 50 to 800 ms later and 10 to 50 dB softer. The far end is known:
//! the shell knows what it sends and when it is played. Two questions are asked of each frame of 16 ms, in this order.
//!
//! 1. *Can* it be echo? If the line returns a share `c` of what was played some lag ago, the line is never quieter than
//!    that. So the quietest frames heard while the agent was loud bounds the echo at that lag, whatever the
//!    caller said meanwhile; on a line without echo all bounds fall to the noise within a second. What is louder than
//!    every bound allows, by a margin, is the caller.
//! 2. *Does* it resemble? Where the levels leave it open, the energies of twelve bands over the last 416 ms
//!    are correlated with those of the agent's voice, at every lag the bounds leave possible.
//!
//! It is no echo canceller: the recogniser hears the echo still. Pure: time is an argument.
//! State is bounded: 13 bytes for each 16 ms that are sent ahead, 65 s at most (53 KB), and about 10 KB besides.

mod bands;

use bands::{Analyser, BANDS, Bands};
use seiketsu_audio::resample::{Ratio, Resampler};
use seiketsu_domain::{AudioFormat, CallTime};
use std::collections::VecDeque;

use crate::activity::decode;

/// Time goes in slots of one frame.
const SLOT_US: u64 = 16_000;
/// Samples of a slot at the rate of the far end, 8 kHz.
const SLOT_SAMPLES: usize = 128;
/// Echo is looked for up to 800 ms back.
const LAGS: usize = 51;
/// The agent's audio that may be known ahead of time: 65 s. What is sent beyond is not recognised when it comes back.
const QUEUE_SLOTS: usize = 4_096;

/// The agent is loud from here on.
const LOUD_DBFS: f32 = -45.0;
/// No line returns more than this; nothing less is assumed of a line that is not known yet.
const MOST_DB: f32 = -8.0;
/// Steps by which a bound follows the quietest frames, in dB a frame: it settles where one in sixteen is below.
const FALL_DB: f32 = 1.5;
/// See [`FALL_DB`].
const RISE_DB: f32 = 0.1;
/// Louder than the bounds allow by this is the caller.
const MARGIN_DB: f32 = 8.0;
/// Frames that are compared: 416 ms.
const COMPARED: usize = 26;
/// From this correlation on it is echo.
const RESEMBLES: f32 = 0.55;

/// Both directions of one line.
#[derive(Debug)]
pub struct Echo {
    far: Far,
    near: Analyser,
    /// What was heard, newest first.
    heard: VecDeque<Bands>,
    /// For each lag: how much of the far end the line returns at most, in dB.
    bounds: [f32; LAGS],
}

impl Echo {
    /// A line of which nothing is known, in this format.
    pub fn new(format: AudioFormat) -> Self {
        Self {
            far: Far::new(format),
            near: Analyser::new(2 * SLOT_SAMPLES),
            heard: VecDeque::with_capacity(COMPARED + 1),
            bounds: [MOST_DB; LAGS],
        }
    }

    /// This is sent now; it is played behind what was sent before.
    pub fn played(&mut self, audio: &[u8], now: CallTime) {
        self.far.played(audio, now);
    }

    /// What is not played yet will not be.
    pub fn cleared(&mut self, now: CallTime) {
        self.far.cleared(now);
    }

    /// Takes the next frame of the caller's side, 256 samples at 16 kHz, spoken at this time; says whether it is echo.
    /// Frames that are not `voiced` are learnt from, and the answer is no.
    pub fn is_echo(&mut self, frame: &[i16], at: CallTime, voiced: bool) -> bool {
        let slot = at.as_micros() / SLOT_US;
        self.far.forget_before(slot.saturating_sub((LAGS + COMPARED) as u64));
        if !self.far.reaches(slot.saturating_sub(LAGS as u64)) {
            self.heard.clear();
            self.near.skip(frame);
            return false;
        }
        let near = self.near.bands(frame);
        self.heard.push_front(near);
        self.heard.truncate(COMPARED);
        let around = self.far.levels_around(slot);
        let possible_dbfs = self.learn(&around, near.level_dbfs());
        voiced
            && near.level_dbfs() <= possible_dbfs + MARGIN_DB
            && self.resembles(slot, &around, near.level_dbfs())
    }

    /// Follows the bounds; returns the loudest echo that they allow now.
    fn learn(&mut self, around: &Around, near_dbfs: f32) -> f32 {
        let mut possible_dbfs = f32::NEG_INFINITY;
        for ((bound, least), most) in self.bounds.iter_mut().zip(&around.least).zip(&around.most) {
            if *least > LOUD_DBFS {
                let returned = near_dbfs - least;
                *bound = if returned < *bound {
                    (*bound - FALL_DB).max(returned)
                } else {
                    (*bound + RISE_DB).min(MOST_DB)
                };
            }
            if *most > LOUD_DBFS {
                possible_dbfs = possible_dbfs.max(most + *bound);
            }
        }
        possible_dbfs
    }

    /// Whether the last frames look like the agent's voice at a lag that the bounds leave possible.
    fn resembles(&self, slot: u64, around: &Around, near_dbfs: f32) -> bool {
        let (near, far) = (Recent::of(&self.heard), Past::of(&self.far, slot));
        let possible = |lag: usize| around.most[lag] + self.bounds[lag] + MARGIN_DB >= near_dbfs;
        (0..LAGS).any(|lag| possible(lag) && far.correlation(&near, lag) >= RESEMBLES)
    }
}

/// The least and the greatest level of the far end around each lag: frames of the two sides do not begin at the same
/// moment.
struct Around {
    least: [f32; LAGS],
    most: [f32; LAGS],
}

/// What was heard, in one row of memory, newest first.
struct Recent {
    shapes: [i16; COMPARED * BANDS],
    energies: [i32; COMPARED],
    frames: usize,
}

impl Recent {
    fn of(heard: &VecDeque<Bands>) -> Self {
        let mut recent = Self { shapes: [0; COMPARED * BANDS], energies: [0; COMPARED], frames: heard.len() };
        let rows = recent.shapes.as_chunks_mut::<BANDS>().0.iter_mut().zip(&mut recent.energies);
        for ((shape, energy), bands) in rows.zip(heard) {
            *shape = bands.shape().map(i16::from);
            *energy = dot(shape, shape);
        }
        recent
    }

    fn shapes(&self) -> &[i16] {
        &self.shapes[..self.frames * BANDS]
    }
}

/// The far end at every slot that can be compared with what was heard, in one row of memory, newest first: each lag is a
/// stretch of it. Sums of it are of whole numbers, hence exact in any order.
struct Past {
    shapes: [i16; Self::SLOTS * BANDS],
    /// Whether the far end is known there.
    known: [bool; Self::SLOTS],
}

impl Past {
    const SLOTS: usize = LAGS + COMPARED - 1;

    fn of(far: &Far, slot: u64) -> Self {
        let mut past = Self { shapes: [0; Self::SLOTS * BANDS], known: [false; Self::SLOTS] };
        let rows = past.shapes.as_chunks_mut::<BANDS>().0.iter_mut().zip(&mut past.known);
        for (age, (shape, known)) in (0..).zip(rows) {
            if let Some(bands) = far.at(slot.saturating_sub(age)) {
                *shape = bands.shape().map(i16::from);
                *known = true;
            }
        }
        past
    }

    /// How much the far end resembled, so long ago, what was heard since: -1 to 1.
    fn correlation(&self, near: &Recent, lag: usize) -> f32 {
        let near_shapes = near.shapes();
        let far_shapes = &self.shapes[lag * BANDS..lag * BANDS + near_shapes.len()];
        let (ours, theirs) = (&near.energies[..near.frames], &self.known[lag..]);
        let ours: i32 = ours.iter().zip(theirs).filter(|(_, known)| **known).map(|(energy, _)| energy).sum();
        let theirs = dot(far_shapes, far_shapes);
        dot(near_shapes, far_shapes) as f32 / (ours as f32 * theirs as f32).sqrt().max(1.0)
    }
}

/// Sum of products, in 16 bits for 32: compilers have an instruction for that.
fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

/// What the agent says, in slots of call time.
#[derive(Debug)]
struct Far {
    format: AudioFormat,
    to_8k: Option<Resampler>,
    analyser: Analyser,
    decoded: Vec<i16>,
    pending: Vec<i16>,
    /// Slot of the first entry.
    first: u64,
    slots: VecDeque<Bands>,
    /// When everything sent will have been played.
    until: CallTime,
}

impl Far {
    fn new(format: AudioFormat) -> Self {
        let to_8k = match format {
            AudioFormat::Mulaw8k | AudioFormat::Alaw8k => None,
            AudioFormat::Pcm16k => Some(Resampler::new(Ratio::Down2)),
            AudioFormat::Pcm24k => Some(Resampler::new(Ratio::Down3)),
        };
        Self {
            format,
            to_8k,
            analyser: Analyser::new(SLOT_SAMPLES),
            decoded: Vec::new(),
            pending: Vec::with_capacity(SLOT_SAMPLES),
            first: 0,
            slots: VecDeque::new(),
            until: CallTime::ZERO,
        }
    }

    fn played(&mut self, audio: &[u8], now: CallTime) {
        if now > self.until {
            self.begin_at(now);
        }
        self.until = self.until + std::time::Duration::from_micros(self.format.duration_us(audio.len()));
        self.decoded.clear();
        decode(self.format, audio, &mut self.decoded);
        if let Some(resampler) = &mut self.to_8k {
            let mut narrow = Vec::with_capacity(self.decoded.len() / 2);
            resampler.process(&self.decoded, &mut narrow);
            self.decoded = narrow;
        }
        let decoded = std::mem::take(&mut self.decoded);
        for piece in decoded.chunks(SLOT_SAMPLES) {
            self.add(piece);
        }
        self.decoded = decoded;
    }

    /// Playback was idle and begins again.
    fn begin_at(&mut self, now: CallTime) {
        let slot = now.as_micros() / SLOT_US;
        if !self.pending.is_empty() {
            let missing = SLOT_SAMPLES - self.pending.len();
            self.add(&vec![0; missing]);
        }
        let next = self.first + self.slots.len() as u64;
        if self.slots.is_empty() || slot.saturating_sub(next) > (LAGS + COMPARED) as u64 {
            self.slots.clear();
            self.first = slot;
        } else {
            (next..slot).for_each(|_| self.slots.push_back(Bands::SILENCE));
        }
        self.analyser.forget();
        // The first sample lies somewhere within its slot.
        let into = (now.as_micros() % SLOT_US / 125) as usize;
        self.pending.resize(into.min(SLOT_SAMPLES - 1), 0);
        self.until = now;
    }

    fn add(&mut self, mut samples: &[i16]) {
        while !samples.is_empty() {
            let taken = (SLOT_SAMPLES - self.pending.len()).min(samples.len());
            self.pending.extend_from_slice(&samples[..taken]);
            samples = &samples[taken..];
            if self.pending.len() == SLOT_SAMPLES {
                let bands = self.analyser.bands(&self.pending);
                self.pending.clear();
                if self.slots.len() < QUEUE_SLOTS {
                    self.slots.push_back(bands);
                }
            }
        }
    }

    fn cleared(&mut self, now: CallTime) {
        let slot = now.as_micros() / SLOT_US;
        self.slots.truncate(slot.saturating_sub(self.first).saturating_add(1) as usize);
        self.pending.clear();
        self.until = self.until.min(now);
    }

    fn forget_before(&mut self, slot: u64) {
        let old = slot.saturating_sub(self.first).min(self.slots.len() as u64);
        self.slots.drain(..old as usize);
        self.first += old;
        if self.slots.is_empty() {
            self.slots.shrink_to_fit();
        }
    }

    fn reaches(&self, slot: u64) -> bool {
        !self.slots.is_empty() && self.first + self.slots.len() as u64 > slot
    }

    fn at(&self, slot: u64) -> Option<&Bands> {
        self.slots.get(slot.checked_sub(self.first)? as usize)
    }

    fn levels_around(&self, slot: u64) -> Around {
        // From the slot before the oldest lag to the one after the newest.
        let first = slot.saturating_sub(LAGS as u64);
        let mut levels = [Bands::SILENCE_DBFS; LAGS + 2];
        for (slot, level) in (first..).zip(&mut levels) {
            *level = self.at(slot).map_or(Bands::SILENCE_DBFS, Bands::level_dbfs);
        }
        let mut around = Around { least: [0.0; LAGS], most: [0.0; LAGS] };
        for (lag, (least, most)) in around.least.iter_mut().zip(&mut around.most).enumerate() {
            let centre = (slot.saturating_sub(lag as u64) - first) as usize;
            let (before, at, after) = (levels[centre.saturating_sub(1)], levels[centre], levels[centre + 1]);
            *least = before.min(at).min(after);
            *most = before.max(at).max(after);
        }
        around
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::{Activity, AudioClock};
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    use seiketsu_call::VoiceActivity;
    use seiketsu_domain::Language;
    use seiketsu_testkit::corpus::{Corpus, EchoScene, EchoSpec, Kind};

    fn spec(loss_db: Option<u8>, delay_ms: u16, caller: Option<Kind>) -> EchoSpec {
        EchoSpec {
            loss_db,
            delay_ms,
            caller,
            caller_soft_db: 0,
            noise: None,
            sentences: 1,
            language: Language::En,
            seed: 17,
        }
    }

    /// Stretches of voice of at least this length, as the server sees them, if the agent's voice is sent half a second ahead:
    /// when each began, in milliseconds.
    fn beginnings(scene: &EchoScene, at_least_ms: u64) -> Vec<u64> {
        let format = AudioFormat::Mulaw8k;
        let (mut activity, mut clock) = (Activity::new(format), AudioClock::default());
        let mut began = Vec::new();
        let mut pieces = scene.agent.chunks(800);
        pieces.by_ref().take(5).for_each(|piece| activity.played(piece, CallTime::ZERO));
        for (n, arrival) in scene.arrivals.iter().enumerate() {
            let now = CallTime::from_micros(arrival.at_us);
            if n % 5 == 4 {
                pieces.next().into_iter().for_each(|piece| activity.played(piece, now));
            }
            clock.received(format.duration_us(arrival.audio.len()), now);
            activity.push(&arrival.audio, &clock, |change| match change {
                VoiceActivity::Began { at } => began.push(at.as_millis()),
                VoiceActivity::Ended { .. } => {
                    began.pop_if(|at| now.as_millis() - *at < at_least_ms);
                }
            });
        }
        began
    }

    #[test]
    fn the_agents_own_voice_coming_back_is_not_the_caller() {
        let corpus = Corpus::new();
        // A soft echo is near the codec's own noise: a word of it may pass, too short to be taken for an interruption.
        for (loss_db, at_least_ms) in [(15, 200), (20, 200), (25, 200), (30, 400)] {
            for delay_ms in [50, 200, 400] {
                let scene = corpus.echo_scene(&spec(Some(loss_db), delay_ms, None));
                assert_eq!(beginnings(&scene, at_least_ms), [0; 0], "-{loss_db} dB after {delay_ms} ms");
            }
        }
    }

    #[test]
    fn a_caller_who_talks_over_the_echo_is_heard() {
        let corpus = Corpus::new();
        for loss_db in [None, Some(30), Some(20), Some(15)] {
            for delay_ms in [50, 300] {
                let scene = corpus.echo_scene(&spec(loss_db, delay_ms, Some(Kind::Sentence)));
                let speaks = scene.caller_us.first().map_or(0, |range| range.start / 1_000);
                let began = beginnings(&scene, 200);
                let first = began.first().copied().unwrap_or(0);
                assert!(
                    first.abs_diff(speaks) <= 250,
                    "{loss_db:?} dB after {delay_ms} ms: {began:?} for {speaks}"
                );
            }
        }
    }

    #[test]
    fn the_same_words_are_the_callers_where_the_agent_was_silent() {
        let corpus = Corpus::new();
        let mut scene = corpus.echo_scene(&spec(Some(15), 200, None));
        scene.agent.clear();
        assert!(!beginnings(&scene, 200).is_empty(), "without a far end it is a voice like any other");
    }

    /// What [`Far::levels_around`] means for one lag.
    fn plain_levels(far: &Far, slot: u64, lag: usize) -> [f32; 3] {
        let centre = slot.saturating_sub(lag as u64);
        [centre.saturating_sub(1), centre, centre + 1]
            .map(|slot| far.at(slot).map_or(Bands::SILENCE_DBFS, Bands::level_dbfs))
    }

    /// What [`Past::correlation`] means.
    fn plain_correlation(echo: &Echo, slot: u64, lag: usize) -> f32 {
        let (mut both, mut ours, mut theirs) = (0_i32, 0_i32, 0_i32);
        for (age, near) in echo.heard.iter().enumerate() {
            let Some(far) = echo.far.at(slot.saturating_sub((lag + age) as u64)) else { continue };
            for (near, far) in near.shape().iter().zip(far.shape()) {
                let (near, far) = (i32::from(*near), i32::from(*far));
                both += near * far;
                ours += near * near;
                theirs += far * far;
            }
        }
        both as f32 / (ours as f32 * theirs as f32).sqrt().max(1.0)
    }

    #[test]
    fn every_lag_is_judged_by_the_plain_sums_over_its_frames() {
        let mut rng = StdRng::seed_from_u64(8);
        let mut echo = Echo::new(AudioFormat::Mulaw8k);
        let mut compared = [0; 2];
        for n in 0..1_500_u64 {
            let now = CallTime::from_millis(n * 16);
            // Stretches of every length with pauses between, some of them cut off.
            if rng.random_bool(0.02) {
                let loudness = rng.random_range(0..=0x7F_u8);
                let sent: Vec<u8> =
                    (0..rng.random_range(1..12_000)).map(|_| rng.random::<u8>() | loudness).collect();
                echo.played(&sent, now);
            }
            if rng.random_bool(0.004) {
                echo.cleared(now);
            }
            let loudness = rng.random_range(1..8_000);
            let frame: Vec<i16> = (0..256).map(|_| rng.random_range(-loudness..loudness)).collect();
            echo.is_echo(&frame, now, rng.random());
            let slot = now.as_micros() / SLOT_US;
            let (around, near) = (echo.far.levels_around(slot), Recent::of(&echo.heard));
            let past = Past::of(&echo.far, slot);
            for lag in 0..LAGS {
                let levels = plain_levels(&echo.far, slot, lag);
                let least = levels.into_iter().fold(f32::INFINITY, f32::min);
                let most = levels.into_iter().fold(f32::NEG_INFINITY, f32::max);
                let correlation = plain_correlation(&echo, slot, lag);
                let fast = [around.least[lag], around.most[lag], past.correlation(&near, lag)];
                let plain = [least, most, correlation];
                assert_eq!(fast.map(f32::to_bits), plain.map(f32::to_bits), "frame {n}, lag {lag}");
                compared[usize::from(correlation != 0.0)] += 1;
            }
        }
        assert!(compared[0] > 1_000 && compared[1] > 10_000, "both silence and sound: {compared:?}");
    }

    #[test]
    fn what_was_cleared_is_not_looked_for() {
        let mut echo = Echo::new(AudioFormat::Mulaw8k);
        echo.played(&vec![0x80; 80_000], CallTime::ZERO);
        assert_eq!(echo.far.slots.len(), 625);
        echo.cleared(CallTime::from_millis(160));
        assert_eq!(echo.far.slots.len(), 11);
        // What is sent next is played at once.
        echo.played(&[0x80; 1_280], CallTime::from_millis(320));
        assert_eq!(echo.far.first + echo.far.slots.len() as u64, 30);
    }

    #[test]
    fn an_endless_answer_is_not_remembered_endlessly() {
        let mut echo = Echo::new(AudioFormat::Pcm24k);
        for _ in 0..200 {
            echo.played(&vec![1; 48_000], CallTime::ZERO);
        }
        assert_eq!(echo.far.slots.len(), QUEUE_SLOTS);
        echo.is_echo(&[0; 256], CallTime::from_millis(1_000_000), true);
        assert!(echo.far.slots.is_empty());
    }

    #[test]
    fn a_frame_of_another_length_harms_nothing() {
        let mut echo = Echo::new(AudioFormat::Mulaw8k);
        echo.played(&[0x80; 8_000], CallTime::ZERO);
        for length in [0, 1, 255, 257, 4_000] {
            echo.is_echo(&vec![9_000; length], CallTime::from_millis(500), true);
        }
    }
}
