//! How voice activity does on bad lines: `cargo run -p seiketsu-session --example line_corpus --profile local`.
//!
//! Makes the corpus of the test kit, runs it through the server's own voice activity, and prints every table that
//! `docs/endpointing.md` and ADR 9 quote: false starts, missed starts, cut-offs and waits for each endpoint silence,
//! interruptions for each threshold, noise before and now and what a conversation notices of it, echo.
//! `--quick` takes a tenth of it; `--json` prints all figures as one JSON document; `--sweep` tries other settings.
//! The first run synthesises speech for some minutes and keeps it in `target/line-corpus`. Figures do not depend on how
//! fast the machine is. Progress goes to standard error.

mod echo;
mod measure;
mod noise;
mod report;
mod sweep;
mod tally;

use measure::Track;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use seiketsu_domain::Language;
use seiketsu_session::activity::Settings;
use seiketsu_testkit::corpus::{Corpus, Kind, Line, Noise, Spec};
use std::{
    io::Write,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Noise is so far below the speech, in dB.
pub(crate) const SNRS_DB: [u8; 4] = [30, 20, 10, 5];
/// Everything is drawn from this.
const SEED: u64 = 2_009;
/// Clips between two words about progress.
const PROGRESS: usize = 250;

fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let known = ["--quick", "--json", "--sweep"];
    if let Some(unknown) = arguments.iter().find(|argument| !known.contains(&argument.as_str())) {
        writeln!(std::io::stderr(), "unknown argument {unknown}; there are {}", known.join(", "))?;
        return Ok(ExitCode::FAILURE);
    }
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let corpus = Corpus::new();
    let specs = specs(has("--quick"));
    let tracks = tracks(&corpus, &specs);
    if has("--sweep") {
        sweep::print(&tracks, &mut std::io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    let line = report::Report::of(&tracks, Settings::CALLS);
    progress("noise by itself");
    let backgrounds = self::tracks(&corpus, &backgrounds(has("--quick")));
    let noise = noise::Report::of(&tracks, &backgrounds);
    progress("scenes with echo");
    let echo = echo::Report::of(&corpus, has("--quick"));
    let mut out = std::io::stdout().lock();
    if has("--json") {
        let all = serde_json::json!({ "line": line.json(), "noise": noise.json(), "echo": echo.json() });
        writeln!(out, "{all:#}")?;
    } else {
        line.print(&mut out)?;
        noise.print(&mut out)?;
        echo.print(&mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every kind under every noise at every level on every line; languages and seeds are drawn.
fn specs(quick: bool) -> Vec<Spec> {
    let mut rng = StdRng::seed_from_u64(SEED);
    let noises = Noise::ALL.iter().flat_map(|noise| SNRS_DB.map(|snr_db| Some((*noise, snr_db))));
    let noises: Vec<_> = [None].into_iter().chain(noises).collect();
    let mut specs = Vec::new();
    for kind in Kind::ALL {
        for noise in &noises {
            for line in Line::ALL {
                // Lines without noise are common and cheap to tell apart: more of them.
                for _ in 0..if noise.is_none() { 4 } else { 1 } {
                    let language =
                        [Language::En, Language::En, Language::Es, Language::Zh][rng.random_range(0..4)];
                    let spec = Spec { kind, language, noise: *noise, line, seed: rng.random() };
                    if !quick || rng.random_range(0..10) == 0 {
                        specs.push(spec);
                    }
                }
            }
        }
    }
    specs
}

/// Noise without a caller, for what is too rare to be counted beside the others: about ten minutes of each at each level.
fn backgrounds(quick: bool) -> Vec<Spec> {
    let clips = if quick { 10 } else { 100 };
    let mut rng = StdRng::seed_from_u64(SEED + 1);
    let mut specs = Vec::new();
    for noise in Noise::ALL {
        for snr_db in SNRS_DB {
            for line in Line::ALL.into_iter().cycle().take(clips) {
                let seed = rng.random();
                let noise = Some((noise, snr_db));
                specs.push(Spec { kind: Kind::Nothing, language: Language::En, noise, line, seed });
            }
        }
    }
    specs
}

fn tracks(corpus: &Corpus, specs: &[Spec]) -> Vec<Track> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = specs.len().div_ceil(threads).max(1);
    let scored = AtomicUsize::new(0);
    let score = |spec: &Spec| {
        let track = Track::of(*spec, &corpus.clip(spec));
        let done = scored.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(PROGRESS) || done == specs.len() {
            progress(&format!("{done} of {} clips made and scored", specs.len()));
        }
        track
    };
    std::thread::scope(|scope| {
        let work = |part: &[Spec]| part.iter().map(score).collect::<Vec<_>>();
        let parts: Vec<_> = specs.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn progress(line: &str) {
    // The figures matter even if nobody can be told how far they are.
    let _ = writeln!(std::io::stderr(), "{line}");
}
