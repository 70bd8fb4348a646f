//! How loud twelve bands of the telephone are, frame by frame.

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex};
use std::{
    f32::consts::TAU,
    fmt,
    sync::{Arc, LazyLock},
};

/// Bands between 250 and 3,400 Hz.
pub(super) const BANDS: usize = 12;
/// Their edges, in bins of 31.25 Hz: about equally wide for the ear.
const EDGES: [usize; BANDS + 1] = [8, 13, 18, 22, 29, 35, 43, 53, 64, 75, 86, 98, 109];
/// What a band's energy is compared with: its own over about half a second.
const FOLLOW: f32 = 0.03;
/// Energies below this are noise of the codec, in dBFS.
const FLOOR_DBFS: f32 = -75.0;

/// One frame: its level, and how much louder each band is than it was of late, in decibels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bands {
    level_dbfs: i8,
    shape: [i8; BANDS],
}

impl Bands {
    pub(super) const SILENCE_DBFS: f32 = -100.0;
    pub(super) const SILENCE: Self = Self { level_dbfs: Self::SILENCE_DBFS as i8, shape: [0; BANDS] };

    /// The level between 250 and 3,400 Hz.
    pub(super) fn level_dbfs(&self) -> f32 {
        f32::from(self.level_dbfs)
    }

    pub(super) fn shape(&self) -> &[i8; BANDS] {
        &self.shape
    }
}

/// Bands over windows of two frames, one frame apart.
pub(super) struct Analyser {
    fft: Arc<dyn RealToComplex<f32>>,
    window: &'static [f32],
    before: Vec<i16>,
    input: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    usual_db: [f32; BANDS],
}

impl fmt::Debug for Analyser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analyser").field("frame", &self.before.len()).finish_non_exhaustive()
    }
}

struct Transform {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
}

impl Transform {
    fn of(length: usize) -> Self {
        let window = (0..length).map(|n| 0.5 - 0.5 * (TAU * n as f32 / length as f32).cos()).collect();
        Self { fft: RealFftPlanner::new().plan_fft_forward(length), window }
    }
}

/// The far end's windows: 32 ms at 8 kHz.
static NARROW: LazyLock<Transform> = LazyLock::new(|| Transform::of(256));
/// The near end's: 32 ms at 16 kHz.
static WIDE: LazyLock<Transform> = LazyLock::new(|| Transform::of(512));

impl Analyser {
    /// For frames of 128 samples at 8 kHz or of 256 at 16 kHz.
    pub(super) fn new(frame: usize) -> Self {
        let transform: &'static Transform = if frame <= 128 { &NARROW } else { &WIDE };
        Self {
            fft: Arc::clone(&transform.fft),
            window: &transform.window,
            before: vec![0; transform.window.len() / 2],
            input: transform.fft.make_input_vec(),
            spectrum: transform.fft.make_output_vec(),
            scratch: transform.fft.make_scratch_vec(),
            usual_db: [FLOOR_DBFS; BANDS],
        }
    }

    /// Forgets what was before.
    pub(super) fn forget(&mut self) {
        self.before.fill(0);
        self.usual_db = [FLOOR_DBFS; BANDS];
    }

    /// Takes a frame without looking at it.
    pub(super) fn skip(&mut self, frame: &[i16]) {
        if frame.len() == self.before.len() {
            self.before.copy_from_slice(frame);
        }
    }

    /// The bands of this frame and the one before it.
    pub(super) fn bands(&mut self, frame: &[i16]) -> Bands {
        let half = self.before.len();
        let (older, newer) = self.input.split_at_mut(half);
        let (fade_in, fade_out) = self.window.split_at(half);
        windowed(older, &self.before, fade_in);
        windowed(newer, frame, fade_out);
        self.skip(frame);
        if self.fft.process_with_scratch(&mut self.input, &mut self.spectrum, &mut self.scratch).is_err() {
            return Bands::SILENCE; // only for buffers of another length than the plan's own
        }
        // A full-scale square wave is at 0 dBFS; the window takes 3/8 of the energy.
        let half = self.window.len() as f32 / 2.0;
        let scale = 1.0 / (half * half * 2.0 * 0.375 * 32_768.0 * 32_768.0);
        let mut all = 0.0;
        let mut shape = [0; BANDS];
        for (band, edges) in EDGES.windows(2).enumerate() {
            let energy: f32 =
                self.spectrum[edges[0]..edges[1]].iter().map(Complex::norm_sqr).sum::<f32>() * scale;
            all += energy;
            let db = decibels(energy).max(FLOOR_DBFS);
            shape[band] = (db - self.usual_db[band]).clamp(-40.0, 40.0) as i8;
            self.usual_db[band] += (db - self.usual_db[band]) * FOLLOW;
        }
        Bands { level_dbfs: decibels(all).clamp(Bands::SILENCE_DBFS, 0.0) as i8, shape }
    }
}

fn windowed(input: &mut [f32], samples: &[i16], window: &[f32]) {
    for ((input, sample), window) in input.iter_mut().zip(samples).zip(window) {
        *input = f32::from(*sample) * window;
    }
}

fn decibels(energy: f32) -> f32 {
    10.0 * (energy + 1e-12).log10()
}
