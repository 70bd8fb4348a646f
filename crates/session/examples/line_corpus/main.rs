//! How voice activity does on bad lines: `cargo run -p seiketsu-session --example line_corpus --profile local`.
//!
//! Makes the corpus of the test kit, runs it through the server's own voice activity, and prints figures by condition:
//! false starts, missed starts, cut-offs and waits for each endpoint silence, interruptions for each threshold, echo.
//! `--quick` takes a tenth of it; `--json` prints all figures as one JSON document; `--sweep` tries other settings.
//! The first run synthesises speech for some minutes and keeps it in `target/line-corpus`.

mod echo;
mod measure;
mod report;
mod sweep;
mod tally;

use measure::Track;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use seiketsu_domain::Language;
use seiketsu_session::activity::Settings;
use seiketsu_testkit::corpus::{Corpus, Kind, Line, Noise, Spec};
use std::{io::Write, process::ExitCode};

/// Noise is so far below the speech, in dB.
pub(crate) const SNRS_DB: [u8; 4] = [30, 20, 10, 5];
/// Everything is drawn from this.
const SEED: u64 = 2_009;

fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let known = ["--quick", "--json", "--sweep"];
    if let Some(unknown) = arguments.iter().find(|argument| !known.contains(&argument.as_str())) {
        writeln!(std::io::stderr(), "unknown argument {unknown}; there are {}", known.join(", "))?;
        return Ok(ExitCode::FAILURE);
    }
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let corpus = Corpus::new();
    let mut talk = std::io::stderr().lock();
    let specs = specs(has("--quick"));
    writeln!(talk, "{} clips to make and score", specs.len())?;
    let tracks = tracks(&corpus, &specs);
    if has("--sweep") {
        sweep::print(&tracks, &mut std::io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    let line = report::Report::of(&tracks, Settings::CALLS);
    writeln!(talk, "and the scenes with echo")?;
    let echo = echo::Report::of(&corpus, has("--quick"));
    let mut out = std::io::stdout().lock();
    if has("--json") {
        let all = serde_json::json!({ "line": line.json(), "echo": echo.json() });
        writeln!(out, "{all:#}")?;
    } else {
        line.print(&mut out)?;
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

fn tracks(corpus: &Corpus, specs: &[Spec]) -> Vec<Track> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = specs.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let work =
            |part: &[Spec]| part.iter().map(|spec| Track::of(*spec, &corpus.clip(spec))).collect::<Vec<_>>();
        let parts: Vec<_> = specs.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
