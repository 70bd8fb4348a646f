//! Where each millisecond of a turn went, as a picture in characters.

use owo_colors::{OwoColorize, Stream::Stdout};
use seiketsu_domain::Stage;
use seiketsu_gateway::v1::call::TurnView;
use std::fmt::Write;

/// The promise: the caller hears something within two seconds.
const PROMISE_MS: i64 = 2_000;
/// Characters of the time axis.
const WIDTH: i64 = 60;

/// What the caller measured of the same turn, from their own end of speech.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AtTheCaller {
    pub first_audible_ms: Option<u64>,
    pub first_substantive_ms: Option<u64>,
}

/// Draws the stages of a turn from the caller's end of speech on.
pub(crate) fn draw(turn: &TurnView, caller: AtTheCaller) -> String {
    let Some(zero) = turn.stages_us.get(&Stage::EndOfSpeech).copied() else { return String::new() };
    let ms = |at_us: u64| (at_us as i64 - zero as i64) / 1_000;
    let mut rows: Vec<(&str, i64, i64)> = Vec::new();
    let mut from = 0;
    for (label, stage) in STEPS {
        let Some(at) = turn.stages_us.get(&stage).copied().map(ms) else { continue };
        // Recognition and endpointing run side by side; the others follow each other.
        let start =
            if matches!(stage, Stage::Endpointed | Stage::FinalTranscript) { 0 } else { from.min(at) };
        rows.push((label, start, at));
        from = from.max(at);
    }
    let bridges = [
        ("acknowledgement heard", turn.acknowledgement_played_us.or(turn.acknowledgement_sent_us)),
        ("announcement heard", turn.announcement_played_us.or(turn.announcement_sent_us)),
    ];
    let bridges = bridges.into_iter().filter_map(|(label, at_us)| Some((label, ms(at_us?))));
    let end = rows
        .iter()
        .map(|row| row.2)
        .chain(bridges.clone().map(|(_, at)| at))
        .chain(caller.first_substantive_ms.map(|ms| ms as i64))
        .chain([PROMISE_MS])
        .max()
        .unwrap_or(PROMISE_MS);
    let scale = (end * 21 / 20).max(1);
    let column = |ms: i64| (ms.clamp(0, scale) * WIDTH / scale) as usize;
    let promise = column(PROMISE_MS);
    let mut text = String::new();
    let mut row = |label: &str, start: i64, at: i64, glyph: char| {
        let mut line: Vec<char> = vec![' '; WIDTH as usize + 1];
        let (first, last) = (column(start), column(at));
        line[first..=last].fill(glyph);
        if line[promise] == ' ' {
            line[promise] = '|';
        }
        let line: String = line.into_iter().collect();
        let width = (at - start).max(0);
        let _ = writeln!(text, "    {label:<22} {line} {at:>6} ms  (+{width})");
    };
    for (label, start, at) in rows {
        row(label, start, at, '=');
    }
    for (label, at) in bridges {
        row(label, at, at, 'o');
    }
    if let Some(at) = caller.first_audible_ms {
        row("caller hears a word", 0, at as i64, '>');
    }
    if let Some(at) = caller.first_substantive_ms {
        row("caller hears an answer", 0, at as i64, '>');
    }
    let heard = caller.first_audible_ms.or(turn.first_audible_ms);
    let verdict = match heard {
        Some(ms) if ms <= PROMISE_MS as u64 => {
            format!(
                "{}",
                format!("first audio after {ms} ms, within the two seconds")
                    .if_supports_color(Stdout, OwoColorize::green)
            )
        }
        Some(ms) => {
            format!(
                "{}",
                format!("first audio after {ms} ms: later than two seconds")
                    .if_supports_color(Stdout, OwoColorize::red)
            )
        }
        None => "no audio".to_owned(),
    };
    let _ = writeln!(text, "    {:<22} {:>width$} 2 s   {verdict}", "", "^", width = promise + 1);
    text
}

const STEPS: [(&str, Stage); 9] = [
    ("endpointing", Stage::Endpointed),
    ("final transcript", Stage::FinalTranscript),
    ("request sent", Stage::RequestSent),
    ("first token", Stage::FirstToken),
    ("first phrase", Stage::FirstPhrase),
    ("synthesis asked", Stage::SynthesisAsked),
    ("first byte of speech", Stage::FirstByte),
    ("first audio sent", Stage::FirstAudioSent),
    ("first audio played", Stage::FirstAudioPlayed),
];
