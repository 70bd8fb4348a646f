//! Other settings of the gate, one change at a time.

use crate::{
    measure::Track,
    noise::is_quiet,
    tally::{Tally, is_usual},
};
use seiketsu_session::activity::Settings;
use seiketsu_testkit::corpus::{Kind, Noise};
use std::{io, io::Write};

pub(crate) fn print(tracks: &[Track], out: &mut impl Write) -> io::Result<()> {
    let base = Settings::CALLS;
    let mut tried = vec![("as it is".to_owned(), base)];
    for onset_score in [0.3, 0.4, 0.5, 0.6, 0.7, 0.8] {
        for hold_score in [0.2, 0.35, 0.5, 0.65] {
            if hold_score <= onset_score {
                tried.push((
                    format!("scores {onset_score}, {hold_score}"),
                    Settings { onset_score, hold_score, ..base },
                ));
            }
        }
    }
    for (onset_frames, onset_window) in
        [(2, 3), (2, 4), (3, 3), (3, 5), (4, 5), (4, 6), (5, 6), (5, 8), (6, 8)]
    {
        let name = format!("onset {onset_frames} of {onset_window}");
        tried.push((name, Settings { onset_frames, onset_window, ..base }));
    }
    for release_frames in [4, 5, 7, 8, 10] {
        tried.push((format!("release {release_frames}"), Settings { release_frames, ..base }));
    }
    for onset_above_noise_db in [0.0, 3.0, 6.0, 8.0, 10.0] {
        for hold_above_noise_db in [0.0, 3.0, 4.0, 6.0, 8.0] {
            if hold_above_noise_db <= onset_above_noise_db {
                let name = format!("above noise {onset_above_noise_db}, {hold_above_noise_db} dB");
                tried.push((name, Settings { onset_above_noise_db, hold_above_noise_db, ..base }));
            }
        }
    }
    for (noise_fall_db, noise_rise_db) in
        [(0.3, 0.05), (0.3, 0.1), (0.6, 0.05), (0.6, 0.15), (1.0, 0.1), (1.0, 0.2)]
    {
        let name = format!("noise falls {noise_fall_db}, rises {noise_rise_db} dB a frame");
        tried.push((name, Settings { noise_fall_db, noise_rise_db, ..base }));
    }
    for faded in [0.0, 0.01, 0.03, 0.056, 0.1] {
        tried.push((format!("faded {faded}"), Settings { faded, ..base }));
    }
    for (onset_sound, onset_reach) in [(0.03, 4), (0.03, 6), (0.056, 6), (0.056, 8), (0.1, 4)] {
        let name = format!("onset sound {onset_sound}, reach {onset_reach}");
        tried.push((name, Settings { onset_sound, onset_reach, ..base }));
    }
    writeln!(
        out,
        "| settings | false starts/h, without babble and music | with babble | with music | coughs | missed % | \
         short answers missed %, noise 20 dB below | start ms, mean / p95 | placed p5 / p95 | end placed p5 / p95 | cut off % at 600 | wait ms at 600 | no end % |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|")?;
    for (name, settings) in tried {
        let tally = |which: &dyn Fn(&Track) -> bool| {
            let mut tally = Tally::default();
            tracks.iter().filter(|track| which(track)).for_each(|track| tally.add(track, settings));
            tally
        };
        let noise = |track: &Track| track.spec.noise.map(|(noise, _)| noise);
        let usual = |track: &Track| is_usual(track.spec.kind);
        let steady =
            tally(&|track| usual(track) && !matches!(noise(track), Some(Noise::Babble | Noise::Music)));
        let babble = tally(&|track| usual(track) && noise(track) == Some(Noise::Babble));
        let music = tally(&|track| usual(track) && noise(track) == Some(Noise::Music));
        let cough = tally(&|track| track.spec.kind == Kind::Cough && track.spec.noise.is_none());
        let short = tally(&|track| track.spec.kind == Kind::ShortAnswer && is_quiet(track));
        let all = tally(&usual);
        let ((start, start_p95), (wait, _)) = (all.start_delay_ms(), all.wait_ms(5));
        let [(_, began_p5, began_p95), (_, ended_p5, ended_p95)] = all.placement_ms();
        writeln!(
            out,
            "| {name} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {start:.0} / {start_p95} | {began_p5} / {began_p95} | \
             {ended_p5} / {ended_p95} | {:.1} | {wait:.0} | {:.1} |",
            steady.false_starts_per_hour(),
            babble.false_starts_per_hour(),
            music.false_starts_per_hour(),
            cough.false_starts_per_hour(),
            all.missed_percent(),
            short.missed_percent(),
            all.cut_off_percent(5),
            all.never_percent(5),
        )?;
    }
    Ok(())
}
