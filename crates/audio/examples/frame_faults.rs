//! Counts what becomes of single telephone frames lost, doubled, exchanged or zeroed at every position of several
//! utterances: `cargo run -p seiketsu-audio --example frame_faults`. Exits non-zero when a transcript was wrong and
//! nothing told.

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::Write;
use std::process::ExitCode;

use support::{Count, Fault, SENTENCES, Utterance, count_faults};

fn main() -> std::io::Result<ExitCode> {
    let utterances: Vec<Utterance> =
        SENTENCES.iter().step_by(3).map(|sentence| Utterance::new(sentence)).collect();
    let seconds: f64 = utterances.iter().map(|utterance| utterance.pcm.len() as f64 / 8_000.0).sum();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} utterances, {seconds:.1} s, every frame of 20 ms in turn, after mu-law",
        utterances.len()
    )?;
    writeln!(out)?;
    writeln!(
        out,
        "| fault | faults | differs, flagged | exact, flagged | exact, no flag | differs, no flag |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    let mut all = Count::default();
    for fault in Fault::ALL {
        let mut count = Count::default();
        for utterance in &utterances {
            let one = count_faults(utterance, fault);
            for sum in [&mut count, &mut all] {
                sum.differs_flagged += one.differs_flagged;
                sum.exact_flagged += one.exact_flagged;
                sum.exact += one.exact;
                sum.silently_wrong += one.silently_wrong;
            }
        }
        row(&mut out, &format!("{fault:?}").to_lowercase(), &count)?;
    }
    row(&mut out, "all", &all)?;
    Ok(if all.silently_wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(out: &mut impl Write, name: &str, count: &Count) -> std::io::Result<()> {
    writeln!(
        out,
        "| {name} | {} | {} | {} | {} | {} |",
        count.total(),
        count.differs_flagged,
        count.exact_flagged,
        count.exact,
        count.silently_wrong
    )
}
