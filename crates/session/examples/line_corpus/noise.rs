//! What noise does: to the detector by itself, which came before; to the gate, which is used; and to a conversation.

use crate::{
    measure::Track,
    tally::{SILENCES_MS, Tally, is_usual},
};
use seiketsu_session::activity::Settings;
use seiketsu_testkit::corpus::{Kind, Noise, Spec};
use serde_json::{Value, json};
use std::{collections::BTreeMap, io, io::Write};

/// The score alone decides, as it did before the gate knew the noise of the line.
const BEFORE: Settings = Settings {
    hold_score: Settings::CALLS.onset_score,
    onset_above_noise_db: f32::NEG_INFINITY,
    hold_above_noise_db: f32::NEG_INFINITY,
    ..Settings::CALLS
};
/// The endpoint silence at which turns that do not end are counted, of [`SILENCES_MS`].
const SILENCE: usize = 5;

/// How far the noise is below the speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// 20 dB or more, or there is none.
    Quiet,
    TenDb,
    FiveDb,
}

/// All figures about noise.
pub(crate) struct Report {
    /// Before and now, by level; of one noise, or of all.
    compared: BTreeMap<(Level, Option<Noise>), [Tally; 2]>,
    /// What a conversation would notice, by noise and level.
    noticed: BTreeMap<Option<(Noise, u8)>, Tally>,
}

impl Report {
    /// Of the corpus, and of noise without a caller.
    pub(crate) fn of(tracks: &[Track], backgrounds: &[Track]) -> Self {
        let mut report = Self { compared: BTreeMap::new(), noticed: BTreeMap::new() };
        for track in tracks {
            let Spec { kind, noise, .. } = track.spec;
            if is_usual(kind) {
                let level = level(&track.spec);
                let of_one = noise.map(|(noise, _)| (level, Some(noise)));
                for condition in [Some((level, None)), of_one].into_iter().flatten() {
                    let [before, now] = report.compared.entry(condition).or_default();
                    before.add(track, BEFORE);
                    now.add(track, Settings::CALLS);
                }
            }
        }
        let heard = |track: &&Track| track.spec.kind.is_speech() || track.spec.kind == Kind::Nothing;
        for track in tracks.iter().filter(heard).chain(backgrounds) {
            report.noticed.entry(track.spec.noise).or_default().add(track, Settings::CALLS);
        }
        report
    }

    pub(crate) fn json(&self) -> Value {
        let compared: Vec<Value> = self
            .compared
            .iter()
            .map(|(condition, [before, now])| {
                json!({ "condition": name(*condition), "before": before.json(), "now": now.json() })
            })
            .collect();
        let noticed: Vec<Value> = self
            .noticed
            .iter()
            .map(|(noise, tally)| json!({ "noise": name_of_noise(*noise), "figures": tally.json() }))
            .collect();
        json!({ "before_and_now": compared, "noticed": noticed })
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "\n## Noise: the score alone, as before -> the gate, as now (endpoint silence {} ms)\n",
            SILENCES_MS[SILENCE]
        )?;
        writeln!(
            out,
            "| condition | clips | false starts/h | missed % | turns that do not end % | start known after ms, median |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|")?;
        for (condition, [before, now]) in &self.compared {
            writeln!(
                out,
                "| {} | {} | {:.0} -> {:.0} | {:.1} -> {:.1} | {:.1} -> {:.1} | {} -> {} |",
                name(*condition),
                now.clips,
                before.false_starts_per_hour(),
                now.false_starts_per_hour(),
                before.missed_percent(),
                now.missed_percent(),
                before.never_percent(SILENCE),
                now.never_percent(SILENCE),
                before.start_delay_median_ms(),
                now.start_delay_median_ms(),
            )?;
        }
        writeln!(
            out,
            "\n## Noise: what a conversation would notice, if the recogniser hears no words in it\n"
        )?;
        writeln!(
            out,
            "| noise | minutes without speech | false starts/h | playback held, times a minute | \
             playback held, % of the time | \"say that again\", times a minute of waiting |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|")?;
        for (noise, tally) in &self.noticed {
            writeln!(
                out,
                "| {} | {:.1} | {:.0} | {:.2} | {:.1} | {:.2} |",
                name_of_noise(*noise),
                tally.minutes_without_speech(),
                tally.false_starts_per_hour(),
                tally.holds_per_minute(),
                tally.held_percent(),
                tally.asked_per_minute(),
            )?;
        }
        Ok(())
    }
}

fn level(spec: &Spec) -> Level {
    match spec.noise {
        Some((_, 0..=5)) => Level::FiveDb,
        Some((_, 6..20)) => Level::TenDb,
        Some(_) | None => Level::Quiet,
    }
}

/// Whether the noise is at least 20 dB below the speech, or there is none.
pub(crate) fn is_quiet(track: &Track) -> bool {
    level(&track.spec) == Level::Quiet
}

fn name((level, noise): (Level, Option<Noise>)) -> String {
    let noise = noise.map_or_else(|| "all".to_owned(), |noise| format!("{noise:?}"));
    match level {
        Level::Quiet => format!("{noise}, 20 dB and more"),
        Level::TenDb => format!("{noise}, 10 dB"),
        Level::FiveDb => format!("{noise}, 5 dB"),
    }
}

fn name_of_noise(noise: Option<(Noise, u8)>) -> String {
    noise.map_or_else(|| "none".to_owned(), |(noise, snr_db)| format!("{noise:?} {snr_db} dB"))
}
