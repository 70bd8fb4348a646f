//! Speech, telephone channels and frame faults for the tests of the sub-carrier and for the example that counts them.
#![expect(dead_code, reason = "each user of this module needs another part of it")]
#![expect(clippy::expect_used, reason = "test support, used outside of test functions")]

use std::io::Cursor;
use std::process::Command;

use seiketsu_audio::resample::{self, Ratio, Resampler};
use seiketsu_audio::subcarrier::{self, Event, TimedWord};
use seiketsu_audio::{g711, level};

/// Samples of a telephone frame of 20 ms.
pub(crate) const FRAME: usize = 160;

/// What callers and agents say.
pub(crate) const SENTENCES: [&str; 34] = [
    "Yes.",
    "No, thank you.",
    "Hello?",
    "Okay, sounds good.",
    "Can I book a viewing?",
    "I'm looking for a two bedroom house.",
    "Do you have anything under 450,000 dollars?",
    "My budget is around three hundred thousand.",
    "What about the one on Maple Street?",
    "Tuesday at ten in the morning, please.",
    "Could we make it Thursday instead?",
    "My name is Priya Raman and my number is 512 555 0147.",
    "That's R, A, M, A, N.",
    "Is the garden big enough for a dog?",
    "How many bathrooms does it have? I need at least 2.5.",
    "I don't want a condo, only houses with a garage.",
    "Wait, let me check my calendar. Saturday works better for me.",
    "When is the earliest I could see it?",
    "We are pre-approved for a loan of half a million.",
    "Please tell me more about the second listing you mentioned.",
    "Welcome to Harbor Homes, how can I help you today?",
    "I found three homes that match, the first is at 1420 Oak Avenue for 389,000 dollars.",
    "It has four bedrooms, two bathrooms, and a large kitchen that was renovated last year.",
    "I can offer Wednesday at 3 p.m. or Friday at 11 a.m., which do you prefer?",
    "You are booked for Friday the 14th at eleven. You will get a text message shortly.",
    "Unfortunately that time is already taken; would an hour later suit you?",
    "Let me look that up for you.",
    "The property tax is about 1.2% a year, and the HOA fee is $85 a month.",
    "I will pass this on to one of my colleagues, who will call you back within the hour.",
    "Is there anything else that I can do for you?",
    "Goodbye, and thanks for calling!",
    "The quick brown fox jumps over the lazy dog while exactly sixty zebras quiver.",
    "She sells sea shells by the sea shore, but fish, chips and ships fizz.",
    "Are there schools nearby? We've got kids aged 6, 9 and 13.",
];

/// Speech of espeak-ng at 8 kHz, without the sub-carrier.
pub(crate) fn speak(text: &str, voice: &str) -> Vec<i16> {
    let output = Command::new("espeak-ng")
        .args(["-v", voice, "-s", "165", "--stdout", text])
        .output()
        .expect("espeak-ng is installed by the project's set-up (Debian package `espeak-ng`)");
    assert!(output.status.success(), "espeak-ng: {}", String::from_utf8_lossy(&output.stderr));
    let mut reader = hound::WavReader::new(Cursor::new(output.stdout)).expect("espeak-ng writes WAV");
    let rate_hz = reader.spec().sample_rate;
    // Writing to a pipe, espeak-ng cannot know the length in the header: samples end where the data ends.
    let samples: Vec<i16> = reader.samples::<i16>().map_while(Result::ok).collect();
    resample::arbitrary(&samples, rate_hz, subcarrier::SAMPLE_RATE_HZ).expect("a usual rate")
}

/// An utterance ready to send: its audio, and its words as a perfect recogniser would write them.
pub(crate) struct Utterance {
    pub(crate) text: String,
    pub(crate) words: Vec<TimedWord>,
    pub(crate) pcm: Vec<i16>,
}

impl Utterance {
    pub(crate) fn new(text: &str) -> Self {
        Self::by(text, "en-us")
    }

    pub(crate) fn by(text: &str, voice: &str) -> Self {
        let speech = speak(text, voice);
        let words = subcarrier::estimate_word_times(text, &speech);
        // 200 ms of line before, 300 ms after, as on a call.
        let mut pcm = vec![0; 1_600];
        pcm.extend(subcarrier::embed(&speech, &words));
        pcm.extend([0; 2_400]);
        pcm.resize(pcm.len().next_multiple_of(FRAME), 0);
        Self { text: subcarrier::normalise_text(text), words, pcm }
    }
}

/// All events of a stream pushed in pieces of `piece` samples; `finish` is up to the caller.
pub(crate) fn events(decoder: &mut subcarrier::Decoder, pcm: &[i16], piece: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for samples in pcm.chunks(piece) {
        decoder.push(samples);
        events.extend(std::iter::from_fn(|| decoder.poll()));
    }
    events
}

pub(crate) fn words_of(events: &[Event]) -> Vec<String> {
    let word = |event: &Event| match event {
        Event::Word { text, .. } => Some(text.clone()),
        Event::Start { .. } | Event::Text { .. } | Event::End { .. } | Event::Flag { .. } => None,
    };
    events.iter().filter_map(word).collect()
}

// ---- channels ------------------------------------------------------------------------------------------------------

pub(crate) fn mulaw(pcm: &[i16]) -> Vec<i16> {
    let (mut coded, mut out) = (Vec::new(), Vec::new());
    g711::mulaw_encode(pcm, &mut coded);
    g711::mulaw_decode(&coded, &mut out);
    out
}

pub(crate) fn alaw(pcm: &[i16]) -> Vec<i16> {
    let (mut coded, mut out) = (Vec::new(), Vec::new());
    g711::alaw_encode(pcm, &mut coded);
    g711::alaw_decode(&coded, &mut out);
    out
}

pub(crate) fn gain(pcm: &[i16], db: f32) -> Vec<i16> {
    let factor = level::from_db(db);
    pcm.iter().map(|&sample| (f32::from(sample) * factor).round().clamp(-32_768.0, 32_767.0) as i16).collect()
}

/// Up and down again in telephone frames, with our own filters.
pub(crate) fn there_and_back(pcm: &[i16], up: Ratio, down: Ratio) -> Vec<i16> {
    let (mut up, mut down) = (Resampler::new(up), Resampler::new(down));
    let (mut fast, mut out) = (Vec::new(), Vec::new());
    for frame in pcm.chunks(FRAME) {
        fast.clear();
        up.process(frame, &mut fast);
        down.process(&fast, &mut out);
    }
    out
}

/// Up by repeating samples, down by averaging: the worst resamplers in use.
pub(crate) fn boxes(pcm: &[i16], factor: usize) -> Vec<i16> {
    let fast: Vec<i16> = pcm.iter().flat_map(|&sample| vec![sample; factor]).collect();
    fast[1..]
        .chunks(factor)
        .map(|group| (group.iter().map(|&sample| i32::from(sample)).sum::<i32>() / group.len() as i32) as i16)
        .collect()
}

/// 300 to 3,400 Hz, the telephone's classical band: difference of two Hann-windowed low-passes of 201 taps.
pub(crate) fn band_pass(pcm: &[i16]) -> Vec<i16> {
    const HALF: usize = 100;
    let sinc =
        |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    let taps: Vec<f64> = (0..=2 * HALF)
        .map(|i| {
            let t = i as f64 - HALF as f64;
            let window = 0.5 + 0.5 * (std::f64::consts::PI * t / (HALF as f64 + 1.0)).cos();
            let low_pass = |hz: f64| hz / 4_000.0 * sinc(hz / 4_000.0 * t);
            window * (low_pass(3_400.0) - low_pass(300.0))
        })
        .collect();
    let mut line = vec![0.0; HALF];
    line.extend(pcm.iter().map(|&sample| f64::from(sample)));
    line.resize(line.len() + HALF, 0.0);
    line.windows(taps.len())
        .map(|window| window.iter().zip(&taps).map(|(a, b)| a * b).sum::<f64>().round() as i16)
        .collect()
}

/// White noise so many decibels below active speech.
pub(crate) fn noise(pcm: &[i16], snr_db: f32, seed: u64) -> Vec<i16> {
    let rms = level::FULL_SCALE * level::from_db(subcarrier::SPEECH_DBFS - snr_db);
    let mut random = Random(seed);
    pcm.iter().map(|&sample| sample.saturating_add((random.gaussian() * rms).round() as i16)).collect()
}

/// A small generator (xorshift64*), so that noise is the same on every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Sum of twelve uniform values: mean 0, variance 1.
    pub(crate) fn gaussian(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}

// ---- faults --------------------------------------------------------------------------------------------------------

/// What can happen to one telephone frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Drop,
    Double,
    Swap,
    Zero,
}

impl Fault {
    pub(crate) const ALL: [Self; 4] = [Self::Drop, Self::Double, Self::Swap, Self::Zero];

    /// The stream with this fault at frame `at`; `Swap` exchanges it with the next.
    pub(crate) fn apply(self, pcm: &[i16], at: usize) -> Vec<i16> {
        let mut frames: Vec<&[i16]> = pcm.chunks(FRAME).collect();
        match self {
            Self::Drop => drop(frames.remove(at)),
            Self::Double => frames.insert(at, frames[at]),
            Self::Swap if at + 1 < frames.len() => frames.swap(at, at + 1),
            Self::Swap => {}
            Self::Zero => frames[at] = &[0; FRAME],
        }
        frames.concat()
    }
}

/// What became of one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The transcript differs, and the flag says so.
    DiffersFlagged,
    /// The transcript is exact, and the flag was raised.
    ExactFlagged,
    /// The transcript is exact and there is no flag: the frame carried nothing, or nothing of it was needed.
    Exact,
    /// The transcript is wrong and nothing tells. Must not happen.
    SilentlyWrong,
}

pub(crate) fn outcome(expected: &str, pcm: &[i16]) -> Outcome {
    let reading = subcarrier::read(pcm);
    match (reading.text == expected, reading.flags.is_empty()) {
        (false, false) => Outcome::DiffersFlagged,
        (true, false) => Outcome::ExactFlagged,
        (true, true) => Outcome::Exact,
        (false, true) => Outcome::SilentlyWrong,
    }
}

/// Outcomes of one kind of fault.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) differs_flagged: u32,
    pub(crate) exact_flagged: u32,
    pub(crate) exact: u32,
    pub(crate) silently_wrong: u32,
}

impl Count {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::DiffersFlagged => &mut self.differs_flagged,
            Outcome::ExactFlagged => &mut self.exact_flagged,
            Outcome::Exact => &mut self.exact,
            Outcome::SilentlyWrong => &mut self.silently_wrong,
        } += 1;
    }

    pub(crate) fn total(&self) -> u32 {
        self.differs_flagged + self.exact_flagged + self.exact + self.silently_wrong
    }
}

/// Every fault at every frame of an utterance after mu-law.
pub(crate) fn count_faults(utterance: &Utterance, fault: Fault) -> Count {
    let line = mulaw(&utterance.pcm);
    let mut count = Count::default();
    for at in 0..line.len() / FRAME {
        count.add(outcome(&utterance.text, &fault.apply(&line, at)));
    }
    count
}
