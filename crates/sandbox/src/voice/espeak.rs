//! Speaking: one run of espeak-ng per new text, kept by voice and text.

use super::{
    names::EspeakVoice,
    wav::{self, WavError},
};
use moka::future::Cache;
use seiketsu_audio::{
    level, resample,
    subcarrier::{self, TimedWord},
};
use std::{ffi::OsString, fmt, io, process::Stdio, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    sync::Semaphore,
};

/// The longest text that is spoken at once.
const MAX_CHARS: usize = 5_000;

/// What the kept speech may weigh.
const CACHE_BYTES: u64 = 64 << 20;

/// How many runs go on at the same time; more would only share the processor.
const MAX_RUNS: usize = 4;

/// The longest run. Five thousand characters take about a second.
const RUN_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that is read from a run: ten minutes at 22,050 Hz.
const MAX_WAV_BYTES: u64 = 27 << 20;

/// Words a minute.
const SPEED: &str = "165";

/// What is quieter than this is not speech.
const SILENCE_DBFS: f32 = -60.0;

/// How much of the silence behind the last word stays, in samples: 60 ms.
const TAIL_SAMPLES: usize = 480;

/// Speech and what was said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// 8 kHz, with the words in the sub-carrier; starts with the first word.
    pub pcm_8k: Vec<i16>,
    /// The same speech without the sub-carrier: where voice begins and ends is heard best in it.
    pub speech_8k: Vec<i16>,
    /// The words as written, one for each between white space, with the times that they have in the audio.
    pub words: Vec<TimedWord>,
}

/// Why nothing was spoken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EspeakError {
    /// The program is not installed.
    #[error("{program} is not installed; on Debian and Ubuntu: apt-get install espeak-ng", program = program.display())]
    Missing {
        /// What was looked for.
        program: OsString,
    },
    /// It could not be run.
    #[error("cannot run espeak-ng")]
    Run(#[source] Arc<io::Error>),
    /// It ran and failed.
    #[error("espeak-ng failed ({status}): {stderr}")]
    Failed {
        /// Its exit status.
        status: String,
        /// What it had to say about it.
        stderr: String,
    },
    /// It did not come to an end.
    #[error("espeak-ng took longer than {} s", RUN_TIMEOUT.as_secs())]
    TimedOut,
    /// What it wrote is not audio.
    #[error("espeak-ng wrote no usable WAV")]
    Wav(#[from] WavError),
    /// What it wrote has a rate that cannot be converted.
    #[error("espeak-ng wrote audio of {rate_hz} Hz")]
    Rate {
        /// Its rate.
        rate_hz: u32,
    },
    /// More than is spoken at once.
    #[error("a text of {chars} characters is longer than {MAX_CHARS}")]
    TooLong {
        /// Its length.
        chars: usize,
    },
}

/// espeak-ng. Cheap to clone; clones share what was spoken already.
#[derive(Clone)]
pub struct Espeak {
    program: OsString,
    spoken: Cache<(EspeakVoice, String), Arc<Spoken>>,
    runs: Arc<Semaphore>,
}

impl fmt::Debug for Espeak {
    /// Without what was spoken: that is megabytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Espeak").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Default for Espeak {
    fn default() -> Self {
        Self::new()
    }
}

impl Espeak {
    /// The `espeak-ng` of the `PATH`.
    pub fn new() -> Self {
        Self::with_program("espeak-ng")
    }

    /// Another program with the same options.
    pub fn with_program(program: impl Into<OsString>) -> Self {
        let spoken = Cache::builder()
            .max_capacity(CACHE_BYTES)
            .weigher(|(voice, text): &(EspeakVoice, String), spoken: &Arc<Spoken>| {
                let words: usize =
                    spoken.words.iter().map(|word| word.text.len() + size_of::<TimedWord>()).sum();
                u32::try_from(
                    voice.name().len()
                        + text.len()
                        + words
                        + 2 * (spoken.pcm_8k.len() + spoken.speech_8k.len()),
                )
                .unwrap_or(u32::MAX)
            })
            .build();
        Self { program: program.into(), spoken, runs: Arc::new(Semaphore::new(MAX_RUNS)) }
    }

    /// Speaks a text. Texts that are asked for again, also while they are being spoken, are spoken once.
    pub async fn speak(&self, text: &str, voice: &EspeakVoice) -> Result<Arc<Spoken>, EspeakError> {
        let chars = text.chars().count();
        if chars > MAX_CHARS {
            return Err(EspeakError::TooLong { chars });
        }
        let key = (voice.clone(), text.to_owned());
        self.spoken.try_get_with(key, self.speak_anew(text, voice)).await.map_err(|error| (*error).clone())
    }

    async fn speak_anew(&self, text: &str, voice: &EspeakVoice) -> Result<Arc<Spoken>, EspeakError> {
        // The semaphore is never closed; if it were, running unlimited would still be right.
        let _run = self.runs.acquire().await;
        let plain = plain(text);
        let run = tokio::time::timeout(RUN_TIMEOUT, self.run(&plain, voice));
        let wav = run.await.map_err(|_| EspeakError::TimedOut)??;
        let text = text.to_owned();
        tokio::task::spawn_blocking(move || prepare(&text, &wav))
            .await
            .map_err(|error| EspeakError::Run(Arc::new(io::Error::other(error))))?
            .map(Arc::new)
    }

    /// The text goes by standard input: it cannot be taken for an option, and no limit on arguments applies.
    async fn run(&self, text: &str, voice: &EspeakVoice) -> Result<Vec<u8>, EspeakError> {
        let failed = |error| EspeakError::Run(Arc::new(error));
        let mut child = Command::new(&self.program)
            .args([
                "-v",
                voice.name(),
                "-p",
                &voice.pitch().to_string(),
                "-s",
                SPEED,
                "-b",
                "1",
                "--stdin",
                "--stdout",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                if error.kind() == io::ErrorKind::NotFound {
                    EspeakError::Missing { program: self.program.clone() }
                } else {
                    failed(error)
                }
            })?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            match stdin {
                // A program that dies early breaks the pipe; its exit status says more than that.
                Some(mut stdin) => match stdin.write_all(text.as_bytes()).await {
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
                    Ok(()) | Err(_) => Ok(()),
                },
                None => Ok(()),
            }
        };
        let read = async {
            let mut wav = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(MAX_WAV_BYTES).read_to_end(&mut wav).await?;
            }
            Ok::<_, io::Error>(wav)
        };
        let complain = async {
            let mut words = Vec::new();
            if let Some(stderr) = stderr {
                stderr.take(1_000).read_to_end(&mut words).await?;
            }
            Ok::<_, io::Error>(words)
        };
        let ((), wav, complaint) = tokio::try_join!(write, read, complain).map_err(failed)?;
        let status = child.wait().await.map_err(failed)?;
        if !status.success() {
            let stderr = String::from_utf8_lossy(&complaint).trim().to_owned();
            return Err(EspeakError::Failed { status: status.to_string(), stderr });
        }
        Ok(wav)
    }
}

/// What espeak-ng is to read: no control characters, and no `[[`, which would begin phoneme codes.
fn plain(text: &str) -> String {
    let spoken = |character: char| !character.is_control() && character != '[' && character != ']';
    text.chars().map(|character| if spoken(character) { character } else { ' ' }).collect()
}

fn prepare(text: &str, wav: &[u8]) -> Result<Spoken, EspeakError> {
    let wav = wav::parse(wav)?;
    let speech = resample::arbitrary(&wav.samples, wav.rate_hz, subcarrier::SAMPLE_RATE_HZ)
        .map_err(|_| EspeakError::Rate { rate_hz: wav.rate_hz })?;
    let speech = trim(&speech);
    let sent = subcarrier::estimate_word_times(&spaced(text), speech);
    let pcm_8k = subcarrier::embed(speech, &sent);
    let words = together(text, sent);
    Ok(Spoken { pcm_8k, speech_8k: speech.to_vec(), words })
}

/// With a space behind each character of a script that has none: its words are sent one by one, each in its time.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(2 * text.len());
    let mut dense = false;
    for character in text.chars() {
        let is_dense = subcarrier::is_written_without_spaces(character);
        // Marks stay with the character before them.
        if is_dense || (dense && character.is_alphanumeric()) {
            spaced.push(' ');
        }
        dense = is_dense || (dense && !character.is_alphanumeric() && !character.is_whitespace());
        spaced.push(character);
    }
    spaced
}

/// One word for each between white space of the text, made of those that were sent for it.
fn together(text: &str, sent: Vec<TimedWord>) -> Vec<TimedWord> {
    let mut sent = sent.into_iter();
    let word = |token: &str| {
        let count = spaced(token).split_whitespace().count();
        let mut parts = sent.by_ref().take(count);
        let first = parts.next()?;
        let end_ms = parts.last().map_or(first.end_ms, |last| last.end_ms);
        Some(TimedWord { text: token.to_owned(), start_ms: first.start_ms, end_ms })
    };
    text.split_whitespace().filter_map(word).collect()
}

/// Without the silence at both ends, but for a short tail.
fn trim(speech: &[i16]) -> &[i16] {
    let head = level::leading_silence(speech, subcarrier::SAMPLE_RATE_HZ, SILENCE_DBFS);
    let voiced = |part: &[i16]| level::rms_dbfs(part) > SILENCE_DBFS;
    let tail = speech.rchunks(40).position(voiced).map_or(speech.len(), |parts| parts * 40);
    let end = (speech.len() - tail + TAIL_SAMPLES).min(speech.len());
    speech.get(head..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::Language;

    fn voice() -> EspeakVoice {
        EspeakVoice::of("test", Language::En)
    }

    #[tokio::test]
    async fn what_is_said_can_be_read_back_from_the_audio() {
        let espeak = Espeak::new();
        for text in [
            "Thanks for calling Lone Star Homes. This is Ava, an AI assistant. How can I help?",
            "Yes.",
            "It's four hundred fifty thousand dollars, with three bedrooms.",
            "-v is not an option here",
        ] {
            let spoken = espeak.speak(text, &voice()).await.unwrap();
            let reading = subcarrier::read(&spoken.pcm_8k);
            assert_eq!(reading.text, subcarrier::normalise_text(text), "{reading:?}");
            assert!(reading.flags.is_empty(), "{text}: {reading:?}");
            assert_eq!(spoken.words.len(), text.split_whitespace().count());
            assert!(level::leading_silence(&spoken.pcm_8k, 8_000, -50.0) <= 400, "starts with speech");
        }
    }

    #[tokio::test]
    async fn spanish_and_chinese_can_be_read_back_as_well() {
        let espeak = Espeak::new();
        for (text, language, written) in [
            (
                "Buenos días, quisiera ver el piso mañana por la tarde, ¿está libre?",
                Language::Es,
                "buenos dias quisiera ver el piso manana por la tarde esta libre",
            ),
            ("您好，我想看一下明天下午的房子。", Language::Zh, "您好我想看一下明天下午的房子"),
        ] {
            for voice in [EspeakVoice::of("ava", language), EspeakVoice::of_second_cast("ava", language)] {
                let spoken = espeak.speak(text, &voice).await.unwrap();
                let reading = subcarrier::read(&spoken.pcm_8k);
                assert_eq!(subcarrier::written(&reading.text), written);
                assert!(reading.flags.is_empty(), "{text}: {reading:?}");
                assert_eq!(spoken.words.len(), text.split_whitespace().count());
                let longer = spoken.pcm_8k.len().abs_diff(spoken.speech_8k.len());
                assert!(longer <= 800, "the words fit into the speech: {longer} samples more");
            }
        }
    }

    #[test]
    fn words_of_a_script_without_spaces_are_told_apart_and_put_together_again() {
        assert_eq!(spaced("看房子。Maple街12号 ok"), " 看 房 子。 Maple 街 12 号 ok");
        let timed = |text: &str, start_ms, end_ms| TimedWord { text: text.to_owned(), start_ms, end_ms };
        let sent = vec![timed("看", 0, 100), timed("房", 100, 200), timed("ok", 300, 400)];
        assert_eq!(together("看房 ok", sent), [timed("看房", 0, 200), timed("ok", 300, 400)]);
    }

    #[tokio::test]
    async fn a_text_is_spoken_once_however_often_it_is_asked_for() {
        let espeak = Espeak::new();
        let voice = voice();
        let twice =
            tokio::try_join!(espeak.speak("Good morning.", &voice), espeak.speak("Good morning.", &voice));
        let (first, second) = twice.unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        let other = espeak.speak("Good morning.", &EspeakVoice::of("other", Language::En)).await.unwrap();
        assert_ne!(first.pcm_8k, other.pcm_8k);
    }

    #[tokio::test]
    async fn a_missing_program_names_the_package() {
        let error =
            Espeak::with_program("espeak-ng-that-is-not-there").speak("hello", &voice()).await.unwrap_err();
        assert!(matches!(&error, EspeakError::Missing { .. }), "{error:?}");
        assert!(error.to_string().contains("apt-get install espeak-ng"), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_fails_or_writes_no_audio_is_told_apart() {
        let failing = Espeak::with_program("false").speak("hello", &voice()).await.unwrap_err();
        assert!(matches!(failing, EspeakError::Failed { .. }), "{failing:?}");
        let silent = Espeak::with_program("true").speak("hello", &voice()).await.unwrap_err();
        assert!(matches!(silent, EspeakError::Wav(WavError::NotWav)), "{silent:?}");
    }

    #[tokio::test]
    async fn too_long_a_text_is_refused_before_anything_runs() {
        let error = Espeak::with_program("false").speak(&"a ".repeat(MAX_CHARS), &voice()).await.unwrap_err();
        assert!(matches!(error, EspeakError::TooLong { chars } if chars == 2 * MAX_CHARS), "{error:?}");
    }

    #[tokio::test]
    async fn text_without_words_is_silence_and_no_error() {
        for text in ["   ", "...", "\u{1}"] {
            let spoken = Espeak::new().speak(text, &voice()).await.unwrap();
            assert_eq!(subcarrier::read(&spoken.pcm_8k), subcarrier::Reading::default(), "{text:?}");
        }
    }

    #[test]
    fn phoneme_brackets_and_control_characters_are_not_read() {
        assert_eq!(plain("a [[h@'loU]]\u{7}b"), "a   h@'loU   b");
    }
}
