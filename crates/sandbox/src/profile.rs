//! How slow the vendors are: latency profiles after published measurements of real ones.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// Tokens a second divide this.
const TOKEN_SECONDS: Duration = Duration::from_secs(1);

/// The least time from a word to the partial transcript that has it.
const INTERIM_LAG: Duration = Duration::from_millis(150);

/// From one partial transcript to the next.
const INTERIM_STEP: Duration = Duration::from_millis(150);

/// A latency profile of all vendors at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// No delay at all: what is left is the platform's own.
    Zero,
    /// The quickest vendor of each kind.
    Fast,
    /// What most production agents are built on.
    #[default]
    Typical,
    /// Vendors on a bad day.
    Slow,
    /// As [`Profile::Typical`], with stalls, refusals and half-open connections.
    Stalling,
}

/// A profile that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile `{0}`: one of zero, fast, typical, slow, stalling")]
pub struct ProfileError(String);

impl Profile {
    /// All of them, quickest first.
    pub const ALL: [Self; 5] = [Self::Zero, Self::Fast, Self::Typical, Self::Slow, Self::Stalling];

    /// The name in options, logs and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Fast => "fast",
            Self::Typical => "typical",
            Self::Slow => "slow",
            Self::Stalling => "stalling",
        }
    }

    /// From the end of speech to the final transcript.
    ///
    /// Deepgram nova-3, ElevenLabs scribe_v2_realtime and OpenAI gpt-4o-transcribe in pipecat-ai/stt-benchmark.
    pub const fn final_transcript(self) -> Quantiles {
        match self {
            Self::Zero => Quantiles::ZERO,
            Self::Fast => Quantiles::new(247, 298, 326, 600),
            Self::Typical | Self::Stalling => Quantiles::new(281, 348, 407, 1_500),
            Self::Slow => Quantiles::new(637, 965, 1_655, 3_000),
        }
    }

    /// The same for ElevenLabs' recogniser, scribe_v2_realtime: where others are quicker it keeps its own figures.
    pub const fn scribe_transcript(self) -> Quantiles {
        match self {
            Self::Zero | Self::Typical | Self::Slow | Self::Stalling => self.final_transcript(),
            Self::Fast => Self::Typical.final_transcript(),
        }
    }

    /// From a recording that was sent whole to its transcript: gpt-4o-transcribe, which is never quicker than that.
    pub const fn transcription(self) -> Quantiles {
        match self {
            Self::Zero => Quantiles::ZERO,
            Self::Fast | Self::Typical | Self::Slow | Self::Stalling => Self::Slow.final_transcript(),
        }
    }

    /// How partial transcripts come; `phase` (0 to 1) is drawn for each stretch of speech.
    ///
    /// Assumed, not measured: Deepgram's interim words come 150 to 300 ms after they were spoken, in steps of 150 ms.
    /// Other profiles are slower by as much as their median final transcript is slower than Deepgram's.
    pub fn interim(self, phase: f64) -> Interim {
        let scaled = |time: Duration| time * self.final_transcript().p50 / Self::Fast.final_transcript().p50;
        let step = scaled(INTERIM_STEP);
        Interim { lag: scaled(INTERIM_LAG), step, phase: step.mul_f64(phase.clamp(0.0, 1.0)) }
    }

    /// From the request to the first token.
    ///
    /// gpt-oss-120b on Groq, gpt-4.1 and claude-haiku-4-5 in kwindla/aiewf-eval.
    pub const fn first_token(self) -> Quantiles {
        match self {
            Self::Zero => Quantiles::ZERO,
            Self::Fast => Quantiles::new(98, 217, 800, 2_117),
            Self::Typical | Self::Stalling => Quantiles::new(536, 1_771, 3_500, 5_056),
            Self::Slow => Quantiles::new(798, 1_615, 3_152, 6_500),
        }
    }

    /// From one token to the next.
    pub fn token_interval(self) -> Duration {
        match self {
            Self::Zero => Duration::ZERO,
            Self::Fast => TOKEN_SECONDS / 200,
            Self::Typical | Self::Stalling => TOKEN_SECONDS / 80,
            Self::Slow => TOKEN_SECONDS / 40,
        }
    }

    /// From the text of a synthesis to its first byte.
    pub const fn first_byte(self) -> Quantiles {
        match self {
            Self::Zero => Quantiles::ZERO,
            Self::Fast => Quantiles::new(188, 260, 400, 800),
            Self::Typical | Self::Stalling => Quantiles::new(288, 400, 600, 1_200),
            Self::Slow => Quantiles::new(400, 800, 1_500, 3_000),
        }
    }

    /// The shares of requests that go wrong by themselves.
    pub const fn fault_shares(self) -> FaultShares {
        match self {
            Self::Zero | Self::Fast | Self::Typical | Self::Slow => {
                FaultShares { stalled: 0.0, refused: 0.0, rate_limited: 0.0, half_open: 0.0 }
            }
            Self::Stalling => {
                FaultShares { stalled: 0.01, refused: 0.01, rate_limited: 0.01, half_open: 0.001 }
            }
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Profile {
    type Err = ProfileError;
    fn from_str(text: &str) -> Result<Self, ProfileError> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name() == text)
            .ok_or_else(|| ProfileError(text.to_owned()))
    }
}

/// How partial transcripts come: in steps, each with the words that were spoken at least `lag` before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interim {
    /// From the end of a word to the earliest step that has it.
    pub lag: Duration,
    /// From one step to the next; zero where each word comes by itself.
    pub step: Duration,
    /// Where the steps lie on the clock.
    pub phase: Duration,
}

impl Interim {
    /// Each word the moment it is understood.
    pub const NONE: Self = Self { lag: Duration::ZERO, step: Duration::ZERO, phase: Duration::ZERO };

    /// When a word that was understood at this time is told.
    pub fn due(&self, understood_at: Duration) -> Duration {
        let earliest = understood_at + self.lag;
        let Some(past) = earliest.checked_sub(self.phase).filter(|_| !self.step.is_zero()) else {
            return earliest;
        };
        let steps = past.as_nanos().div_ceil(self.step.as_nanos());
        // A clock that has run for four billion steps has run for twenty years.
        self.phase + self.step * u32::try_from(steps).unwrap_or(u32::MAX)
    }
}

/// Shares of requests, each between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultShares {
    /// Nothing comes for ten seconds, then everything does.
    pub stalled: f64,
    /// The vendor turns the request away.
    pub refused: f64,
    /// The vendor asks for fewer requests.
    pub rate_limited: f64,
    /// The connection stays open and silent in mid-stream.
    pub half_open: f64,
}

/// A distribution of delays by its quantiles in milliseconds, linear in between; the shortest delay is half the median.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles {
    p50: u32,
    p95: u32,
    p99: u32,
    max: u32,
}

impl Quantiles {
    /// Never a delay.
    pub const ZERO: Self = Self::new(0, 0, 0, 0);

    const fn new(p50: u32, p95: u32, p99: u32, max: u32) -> Self {
        assert!(p50 <= p95 && p95 <= p99 && p99 <= max, "quantiles rise");
        Self { p50, p95, p99, max }
    }

    /// The delay below which the share `quantile` (0 to 1) of all delays lies, to the millisecond.
    pub fn at(&self, quantile: f64) -> Duration {
        let [p50, p95, p99, max] = [self.p50, self.p95, self.p99, self.max].map(f64::from);
        let corners = [(0.0, p50 / 2.0), (0.5, p50), (0.95, p95), (0.99, p99), (1.0, max)];
        let quantile = quantile.clamp(0.0, 1.0);
        let delay_ms = corners.windows(2).find(|pair| quantile <= pair[1].0).map_or(max, |pair| {
            let [(from, low), (to, high)] = [pair[0], pair[1]];
            low + (high - low) * (quantile - from) / (to - from)
        });
        Duration::from_millis(delay_ms.round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    #[test]
    fn ten_thousand_draws_have_the_quantiles_of_the_profile() {
        for profile in Profile::ALL {
            for quantiles in [profile.final_transcript(), profile.first_token(), profile.first_byte()] {
                let mut rng = StdRng::seed_from_u64(7);
                let mut draws: Vec<f64> =
                    (0..10_000).map(|_| quantiles.at(rng.random::<f64>()).as_secs_f64() * 1e3).collect();
                draws.sort_by(f64::total_cmp);
                let expected = [(0.5, quantiles.p50), (0.95, quantiles.p95), (0.99, quantiles.p99)];
                for (share, expected_ms) in expected {
                    // Above p95 the tails are so steep that a share off by a thousandth moves the value by more
                    // than 2 %: random draws are held to the share, within three standard errors.
                    let below =
                        draws.iter().filter(|draw| **draw <= f64::from(expected_ms)).count() as f64 / 1e4;
                    let tolerance = 3.0 * (share * (1.0 - share) / 1e4_f64).sqrt();
                    assert!(
                        profile == Profile::Zero || (below - share).abs() < tolerance,
                        "{profile} p{share}: {below}"
                    );
                }
                let (least, most) = (draws[0], draws[9_999]);
                assert!(least >= (f64::from(quantiles.p50) / 2.0).floor(), "{profile}: {least}");
                assert!(most <= f64::from(quantiles.max), "{profile}: {most}");
                let median = draws[5_000];
                assert!((median - f64::from(quantiles.p50)).abs() <= f64::from(quantiles.p50) * 0.02);
            }
        }
    }

    #[test]
    fn evenly_spread_draws_hit_each_quantile_within_two_percent() {
        for profile in Profile::ALL {
            for quantiles in [profile.final_transcript(), profile.first_token(), profile.first_byte()] {
                let draws: Vec<f64> = (0..10_000)
                    .map(|n| quantiles.at((f64::from(n) + 0.5) / 1e4).as_secs_f64() * 1e3)
                    .collect();
                for (index, expected_ms) in [
                    (5_000, quantiles.p50),
                    (9_500, quantiles.p95),
                    (9_900, quantiles.p99),
                    (9_999, quantiles.max),
                ] {
                    let expected = f64::from(expected_ms);
                    assert!(
                        (draws[index] - expected).abs() <= expected * 0.02,
                        "{profile} {index}: {}",
                        draws[index]
                    );
                }
            }
        }
    }

    #[test]
    fn partial_transcripts_lag_by_150_to_300_ms_on_fast_more_on_slower_profiles_and_not_at_all_on_zero() {
        for (profile, least_ms, most_ms) in
            [(Profile::Fast, 150, 300), (Profile::Typical, 170, 342), (Profile::Slow, 386, 774)]
        {
            for (phase, at_ms) in
                (0..10).flat_map(|tenth| (0..500).map(move |ms| (f64::from(tenth) / 10.0, ms)))
            {
                let understood_at = Duration::from_millis(10_000 + at_ms);
                let due = profile.interim(phase).due(understood_at);
                let lag_ms = due.saturating_sub(understood_at).as_millis();
                assert!((least_ms..=most_ms).contains(&lag_ms), "{profile}: {lag_ms}");
            }
        }
        let at = Duration::from_millis(1_234);
        assert_eq!(Profile::Zero.interim(0.5).due(at), at);
    }

    #[test]
    fn words_of_one_step_are_told_at_the_same_time() {
        let interim = Profile::Fast.interim(0.2);
        let due: std::collections::BTreeSet<Duration> =
            (0..1_500).map(|ms| interim.due(Duration::from_millis(5_000 + ms))).collect();
        assert!((10..=11).contains(&due.len()), "{}", due.len());
    }

    #[test]
    fn fallback_recognisers_are_no_quicker_than_they_were_measured_to_be() {
        let p50 = |quantiles: Quantiles| quantiles.at(0.5).as_millis();
        assert_eq!(p50(Profile::Fast.scribe_transcript()), 281);
        assert_eq!(p50(Profile::Slow.scribe_transcript()), 637);
        assert_eq!(p50(Profile::Fast.transcription()), 637);
        assert_eq!(p50(Profile::Zero.transcription()), 0);
    }

    #[test]
    fn quantiles_outside_zero_to_one_are_the_extremes() {
        let quantiles = Profile::Typical.first_token();
        assert_eq!(quantiles.at(-1.0), Duration::from_millis(268));
        assert_eq!(quantiles.at(2.0), Duration::from_millis(5_056));
    }

    #[test]
    fn every_name_parses_back_and_an_unknown_one_is_named() {
        for profile in Profile::ALL {
            assert_eq!(profile.name().parse(), Ok(profile));
        }
        assert_eq!(
            "quick".parse::<Profile>().unwrap_err().to_string(),
            "unknown profile `quick`: one of zero, fast, typical, slow, stalling"
        );
    }
}
