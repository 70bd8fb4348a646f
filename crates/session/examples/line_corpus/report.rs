//! The tables.

use crate::{
    measure::Track,
    noise::is_quiet,
    tally::{INTERRUPTS_MS, Interruptions, SILENCES_MS, Tally, is_turn, is_usual, quantile},
};
use seiketsu_session::activity::Settings;
use seiketsu_testkit::corpus::Kind;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, io, io::Write};

/// All figures of one setting.
#[derive(Default)]
pub(crate) struct Report {
    by_condition: BTreeMap<String, Tally>,
    everywhere: Part,
    /// Lines with a noise at least 20 dB below the speech.
    quiet: Part,
}

/// Figures by what the caller does.
#[derive(Default)]
struct Part {
    all: Tally,
    by_kind: BTreeMap<Kind, Tally>,
    interruptions: BTreeMap<Kind, Interruptions>,
}

impl Report {
    pub(crate) fn of(tracks: &[Track], settings: Settings) -> Self {
        let mut report = Self::default();
        for track in tracks {
            report.everywhere.add(track, settings);
            if is_quiet(track) {
                report.quiet.add(track, settings);
            }
            if !is_usual(track.spec.kind) {
                continue;
            }
            let spec = &track.spec;
            let noise = spec.noise.map_or_else(
                || "noise: none".to_owned(),
                |(noise, snr_db)| format!("noise: {noise:?} {snr_db:2} dB"),
            );
            for condition in
                [noise, format!("line: {:?}", spec.line), format!("language: {:?}", spec.language)]
            {
                report.by_condition.entry(condition).or_default().add(track, settings);
            }
        }
        report
    }

    pub(crate) fn json(&self) -> Value {
        let conditions: Map<String, Value> =
            self.by_condition.iter().map(|(name, tally)| (name.clone(), tally.json())).collect();
        json!({
            "by_condition": conditions,
            "everywhere": self.everywhere.json(),
            "noise_20_db_below": self.quiet.json(),
        })
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let chosen = 5;
        writeln!(out, "## Starts and ends, by condition (endpoint silence {} ms)\n", SILENCES_MS[chosen])?;
        writeln!(
            out,
            "| condition | clips | false starts/h | missed % | start known after ms, mean / p95 | \
             start placed ms, p5 / p95 | end placed ms, p5 / p95 | cut off % | wait ms, mean / p95 | no end % |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|---|---|---|")?;
        let Part { all, by_kind, .. } = &self.everywhere;
        let kinds = by_kind.iter().map(|(kind, tally)| (format!("kind: {kind:?}"), tally));
        let conditions = self.by_condition.iter().map(|(name, tally)| (name.clone(), tally));
        for (name, tally) in [("all".to_owned(), all)].into_iter().chain(conditions).chain(kinds) {
            let ((start, start_p95), (wait, wait_p95)) = (tally.start_delay_ms(), tally.wait_ms(chosen));
            let [(_, began_p5, began_p95), (_, ended_p5, ended_p95)] = tally.placement_ms();
            writeln!(
                out,
                "| {name} | {} | {:.0} | {:.1} | {start:.0} / {start_p95} | {began_p5} / {began_p95} | \
                 {ended_p5} / {ended_p95} | {:.1} | {wait:.0} / {wait_p95} | {:.1} |",
                tally.clips,
                tally.false_starts_per_hour(),
                tally.missed_percent(),
                tally.cut_off_percent(chosen),
                tally.never_percent(chosen),
            )?;
        }
        for (part, place) in
            [(&self.quiet, "noise at least 20 dB below the speech"), (&self.everywhere, "all noises")]
        {
            part.print_silences(place, out)?;
            part.print_interruptions(place, out)?;
        }
        Ok(())
    }
}

impl Part {
    fn add(&mut self, track: &Track, settings: Settings) {
        let kind = track.spec.kind;
        self.by_kind.entry(kind).or_default().add(track, settings);
        self.interruptions.entry(kind).or_default().add(track, settings);
        if is_usual(kind) {
            self.all.add(track, settings);
        }
    }

    fn json(&self) -> Value {
        let kinds: Map<String, Value> =
            self.by_kind.iter().map(|(kind, tally)| (format!("{kind:?}"), tally.json())).collect();
        let interruptions: Map<String, Value> =
            self.interruptions.iter().map(|(kind, counts)| (format!("{kind:?}"), counts.json())).collect();
        json!({ "all": self.all.json(), "by_kind": kinds, "interruptions": interruptions })
    }

    fn print_silences(&self, place: &str, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\n## Cut-offs and waits, by endpoint silence: {place}\n")?;
        let turns: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| is_turn(*kind)).collect();
        writeln!(
            out,
            "{} clips; cut off %, and in brackets the share in which an answer 600 ms later would have been heard \
             before the caller went on\n",
            self.all.clips
        )?;
        write!(out, "| silence ms | all turns ")?;
        for kind in &turns {
            write!(out, "| {kind:?} ")?;
        }
        writeln!(out, "| wait ms, mean / p95 | no end % |\n|---{}|", "|---".repeat(turns.len() + 3))?;
        for (n, silence_ms) in SILENCES_MS.iter().enumerate() {
            write!(
                out,
                "| {silence_ms} | {:.1} ({:.1}) ",
                self.all.cut_off_percent(n),
                self.all.talked_over_percent(n)
            )?;
            for kind in &turns {
                let tally = self.by_kind.get(kind).cloned().unwrap_or_default();
                write!(out, "| {:.1} ({:.1}) ", tally.cut_off_percent(n), tally.talked_over_percent(n))?;
            }
            let (wait, p95) = self.all.wait_ms(n);
            writeln!(out, "| {wait:.0} / {p95} | {:.1} |", self.all.never_percent(n))?;
        }
        Ok(())
    }

    fn print_interruptions(&self, place: &str, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\n## Share of clips with a voice of so many ms, %: {place}\n")?;
        write!(out, "| kind | clips | longest stretch ms, p50 / p95 ")?;
        for after in INTERRUPTS_MS {
            write!(out, "| {after} ")?;
        }
        writeln!(out, "|\n|---{}|", "|---".repeat(INTERRUPTS_MS.len() + 2))?;
        for (kind, counts) in &self.interruptions {
            let lengths = &counts.lengths_ms;
            let (p50, p95) = (quantile(lengths, 0.5), quantile(lengths, 0.95));
            write!(out, "| {kind:?} | {} | {p50} / {p95} ", counts.clips)?;
            for n in 0..INTERRUPTS_MS.len() {
                write!(out, "| {:.1} ", counts.stopped_percent(n))?;
            }
            writeln!(out, "|")?;
        }
        Ok(())
    }
}
