//! espeak-ng, each text once: what was spoken is kept on disk, keyed by everything it depends on.

use rand::{RngExt, rngs::StdRng};
use seiketsu_audio::resample;
use seiketsu_domain::Language;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    io::{Cursor, Write as _},
    path::PathBuf,
    process::{Command, Stdio, id},
    sync::{Arc, Mutex, PoisonError},
};

use super::RATE_HZ;

/// What is quieter than this, in sample units, is no sound of the synthesiser.
const QUIET: u16 = 30;

/// A voice and the way it speaks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Voice {
    /// What espeak-ng's `-v` takes.
    pub name: &'static str,
    /// Pitch, 0 to 99.
    pub pitch: u8,
    /// Words a minute.
    pub speed: u16,
}

impl Voice {
    /// A voice of this language.
    pub fn of(language: Language, rng: &mut StdRng) -> Self {
        let names: &[&str] = match language {
            Language::En => &[
                "en-us",
                "en-us+f2",
                "en-us+m3",
                "en-gb+f4",
                "en-gb-x-rp+m7",
                "en-gb-scotland+f3",
                "en-029+m1",
                "en-us-nyc+f5",
            ],
            Language::Es => &["es", "es-419+f2", "es+m4", "es-419+f5", "es+f3"],
            Language::Zh => &["cmn", "cmn+f3", "cmn+m2", "cmn+f5"],
        };
        let name = names[rng.random_range(0..names.len())];
        // Three steps each, so that texts repeat and the cache stays small.
        Self {
            name,
            pitch: 40 + 12 * rng.random_range(0..3_u8),
            speed: 140 + 25 * rng.random_range(0..3_u16),
        }
    }
}

/// The synthesiser. Clones share what was spoken.
#[derive(Debug, Clone)]
pub struct Voices {
    folder: PathBuf,
    spoken: Arc<Mutex<HashMap<String, Arc<Vec<i16>>>>>,
}

impl Voices {
    /// The cache in this folder, which is made if it is missing.
    pub fn kept_in(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        fs::create_dir_all(&folder).expect("the folder for synthesised speech can be made");
        Self { folder, spoken: Arc::default() }
    }

    /// The text at 8 kHz, without silence at either end.
    pub fn speak(&self, text: &str, voice: &Voice) -> Arc<Vec<i16>> {
        let Voice { name, pitch, speed } = voice;
        let digest = Sha256::digest(format!("{name}\n{pitch}\n{speed}\n{text}"));
        let key = digest.iter().fold(String::new(), |mut key, byte| {
            // Writing to a string cannot fail.
            let _ = write!(key, "{byte:02x}");
            key
        });
        let kept = self.spoken.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(samples) = kept {
            return samples;
        }
        let path = self.folder.join(&key);
        let samples = fs::read(&path).unwrap_or_else(|_| {
            let samples = synthesise(text, voice);
            let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            // Several test processes may be at it: each writes a file of its own and renames it.
            let unfinished = self.folder.join(format!("{key}.{}", id()));
            fs::write(&unfinished, &bytes).expect("the folder for synthesised speech can be written");
            fs::rename(&unfinished, &path).expect("a file can be renamed within its folder");
            bytes
        });
        let samples: Vec<i16> =
            samples.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        let samples = Arc::new(samples);
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&samples));
        samples
    }
}

fn synthesise(text: &str, voice: &Voice) -> Vec<i16> {
    let mut child = Command::new("espeak-ng")
        .args(["-v", voice.name, "-p", &voice.pitch.to_string(), "-s", &voice.speed.to_string()])
        .args(["-b", "1", "--stdin", "--stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("espeak-ng is installed by the project's set-up (Debian package `espeak-ng`)");
    let mut stdin = child.stdin.take().expect("standard input was asked for");
    stdin.write_all(text.as_bytes()).expect("espeak-ng reads its text");
    drop(stdin);
    let output = child.wait_with_output().expect("espeak-ng comes to an end");
    assert!(output.status.success(), "espeak-ng failed on {text:?} with {voice:?}");
    let mut reader = hound::WavReader::new(Cursor::new(output.stdout)).expect("espeak-ng writes WAV");
    let rate_hz = reader.spec().sample_rate;
    let samples: Vec<i16> = reader.samples::<i16>().map_while(Result::ok).collect();
    let samples = resample::arbitrary(&samples, rate_hz, RATE_HZ).expect("espeak-ng has a usual rate");
    let loud = |sample: &i16| sample.unsigned_abs() > QUIET;
    let first = samples.iter().position(loud).unwrap_or(0);
    let last = samples.iter().rposition(loud).map_or(0, |at| at + 1);
    samples[first..last].to_vec()
}
