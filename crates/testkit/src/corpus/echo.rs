//! Scenes in which the agent talks and the line sends some of it back.

use super::{
    Arrival, Corpus, Kind, Noise, SPEECH_DBFS, Voice, amplitude, line, sounds,
    sounds::{rng_of, samples_of_ms},
    to_sample, voiced_windows, words,
};
use rand::RngExt;
use seiketsu_audio::{g711, level};
use seiketsu_domain::Language;
use std::ops::Range;

/// The agent begins to talk so long after the line was opened.
const AGENT_MS: usize = 500;
/// The agent's own level.
const AGENT_DBFS: f32 = -23.0;

/// One scene with echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EchoSpec {
    /// How much softer the echo is than what was sent, in dB; `None` for a line without echo.
    pub loss_db: Option<u8>,
    /// How much later it comes back.
    pub delay_ms: u16,
    /// What the caller says over the agent, if anything.
    pub caller: Option<Kind>,
    /// How much softer than usual the caller is, in dB.
    pub caller_soft_db: u8,
    /// What is heard behind the caller.
    pub noise: Option<(Noise, u8)>,
    /// Sentences the agent speaks before the caller does.
    pub sentences: u8,
    /// In which language.
    pub language: Language,
    /// Decides voices, words and noise.
    pub seed: u64,
}

/// A scene: both directions, mu-law, and the truth.
#[derive(Debug, Clone)]
pub struct EchoScene {
    /// What the agent sends; it is played as it is sent, from the opening of the line on.
    pub agent: Vec<u8>,
    /// Where the agent sounds, in microseconds.
    pub agent_us: Vec<Range<u64>>,
    /// What arrives from the caller.
    pub arrivals: Vec<Arrival>,
    /// Where the caller speaks, in microseconds.
    pub caller_us: Vec<Range<u64>>,
    /// The whole scene.
    pub length_us: u64,
}

impl Corpus {
    /// Makes one scene with echo.
    pub fn echo_scene(&self, spec: &EchoSpec) -> EchoScene {
        let mut rng = rng_of(spec.seed, 11);
        let (agent, sounding, last_sentence) = self.agent(spec);
        let delay = samples_of_ms(usize::from(spec.delay_ms));
        let mut near = vec![0.0_f32; agent.len() + samples_of_ms(1_500)];
        if let Some(loss_db) = spec.loss_db {
            let gain = level::from_db(-f32::from(loss_db));
            // A hybrid sends back a little smeared and without the lowest tones.
            let taps = [0.75, -0.35, rng.random_range(-0.3..0.3_f32), rng.random_range(-0.2..0.2_f32)];
            let loudness = taps.iter().map(|tap| tap * tap).sum::<f32>().sqrt();
            for (n, sample) in agent.iter().enumerate() {
                for (k, tap) in taps.iter().enumerate() {
                    if let Some(near) = near.get_mut(n + delay + k * 3) {
                        *near += f32::from(*sample) * gain * tap / loudness;
                    }
                }
            }
        }
        let mut caller = Vec::new();
        if let Some(kind) = spec.caller {
            let voice = Voice::of(spec.language, &mut rng);
            let text = words::parts(kind, spec.language, &mut rng).join(" ");
            let spoken = self.voices.speak(&text, &voice);
            let voiced = voiced_windows(&spoken);
            let loud: Vec<f32> =
                voiced.iter().flat_map(|part| &spoken[part.clone()]).map(|s| f32::from(*s)).collect();
            let level_dbfs = SPEECH_DBFS - f32::from(spec.caller_soft_db);
            let gain = amplitude(level_dbfs) / sounds::rms(&loud).max(1.0);
            // Somewhere in the middle of the agent's last sentence.
            let room = last_sentence.len();
            let at = last_sentence.start + room / 4 + rng.random_range(0..(room / 4).max(1));
            if near.len() < at + spoken.len() + samples_of_ms(500) {
                near.resize(at + spoken.len() + samples_of_ms(500), 0.0);
            }
            for (near, sample) in near[at..].iter_mut().zip(spoken.iter()) {
                *near += f32::from(*sample) * gain;
            }
            caller = voiced.into_iter().map(|part| part.start + at..part.end + at).collect();
        }
        if let Some((noise, snr_db)) = spec.noise {
            let level = amplitude(SPEECH_DBFS - f32::from(snr_db));
            let background = sounds::noise(noise, near.len(), &self.voices, &mut rng);
            near.iter_mut().zip(background).for_each(|(near, noise)| *near += noise * level);
        }
        let samples: Vec<i16> = near.iter().map(|sample| to_sample(*sample)).collect();
        let length_us = samples.len() as u64 * 125;
        let (_, arrivals) = line::send(line::Line::Direct, samples, &[], &mut rng);
        let mut codes = Vec::new();
        g711::mulaw_encode(&agent, &mut codes);
        let time = |range: &Range<usize>| range.start as u64 * 125..range.end as u64 * 125;
        EchoScene {
            agent: codes,
            agent_us: sounding.iter().map(time).collect(),
            arrivals,
            caller_us: caller.iter().map(time).collect(),
            length_us,
        }
    }

    /// What the agent says, where it sounds, and the last sentence.
    fn agent(&self, spec: &EchoSpec) -> (Vec<i16>, Vec<Range<usize>>, Range<usize>) {
        let mut rng = rng_of(spec.seed, 12);
        let voice = Voice::of(spec.language, &mut rng);
        let mut out = vec![0_i16; samples_of_ms(AGENT_MS)];
        let mut sounding = Vec::new();
        let mut last = 0..0;
        let texts = words::agent_sentences(spec.language);
        for n in 0..=spec.sentences {
            if n > 0 {
                out.extend(vec![0; samples_of_ms(rng.random_range(600..1_500))]);
            }
            let text = texts[rng.random_range(0..texts.len())];
            let spoken = self.voices.speak(text, &voice);
            let voiced = voiced_windows(&spoken);
            let loud: Vec<f32> =
                voiced.iter().flat_map(|part| &spoken[part.clone()]).map(|s| f32::from(*s)).collect();
            let gain = amplitude(AGENT_DBFS) / sounds::rms(&loud).max(1.0);
            last = out.len()..out.len() + spoken.len();
            sounding.extend(voiced.iter().map(|part| part.start + out.len()..part.end + out.len()));
            out.extend(spoken.iter().map(|sample| to_sample(f32::from(*sample) * gain)));
        }
        (out, sounding, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(arrivals: &[Arrival]) -> Vec<i16> {
        let mut samples = Vec::new();
        for arrival in arrivals {
            g711::mulaw_decode(&arrival.audio, &mut samples);
        }
        samples
    }

    #[test]
    fn an_echo_is_as_much_softer_and_later_as_it_says() {
        let spec = EchoSpec {
            loss_db: Some(20),
            delay_ms: 200,
            caller: None,
            caller_soft_db: 0,
            noise: None,
            sentences: 0,
            language: Language::En,
            seed: 5,
        };
        let scene = Corpus::new().echo_scene(&spec);
        let near = decoded(&scene.arrivals);
        let mut agent = Vec::new();
        g711::mulaw_decode(&scene.agent, &mut agent);
        let difference = level::rms_dbfs(&agent) - level::rms_dbfs(&near[..agent.len()]);
        assert!((difference - 20.0).abs() < 4.0, "{difference} dB");
        let similar = |delay: usize| -> f64 {
            agent.iter().zip(&near[delay..]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>().abs()
        };
        let best = (0..samples_of_ms(400)).max_by(|a, b| similar(*a).total_cmp(&similar(*b)));
        assert!(best.is_some_and(|delay| delay.abs_diff(samples_of_ms(200)) < 16), "{best:?}");
        assert!(scene.caller_us.is_empty());
        let silent = Corpus::new().echo_scene(&EchoSpec { loss_db: None, ..spec });
        assert!(decoded(&silent.arrivals).iter().all(|sample| *sample == 0));
    }
}
