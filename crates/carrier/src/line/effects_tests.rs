//! Noise, echo, clipped starts, drift, gaps and bursts.

use super::{tests::arrivals, *};
use crate::noise::NoiseKind;
use seiketsu_audio::{g711, level};

/// What arrives while the caller is silent but for `spoken`, and the agent plays `played`, as PCM.
fn carried(effects: &LineEffects, spoken: &[Frame], played: &[Frame], frames: usize) -> Vec<i16> {
    let mut line = Line::new(effects);
    let mut pcm = Vec::new();
    for number in 0..frames {
        let now = CallTime::from_millis(number as u64 * FRAME_MS);
        line.hear(played.get(number).copied().unwrap_or(SILENT_FRAME));
        line.speak(now, spoken.get(number).copied().unwrap_or(SILENT_FRAME), number == 0);
        while let Some(LineFrame::Audio(frame)) = line.poll_arrived(now) {
            g711::mulaw_decode(&frame, &mut pcm);
        }
    }
    pcm
}

fn tone() -> Frame {
    std::array::from_fn(|n| g711::mulaw_from_linear(((n as f64 * 0.7).sin() * 8_000.0) as i16))
}

#[test]
fn an_echo_comes_as_late_and_as_soft_as_it_is_told_to() {
    let effects = LineEffects { echo: Some(Echo { level_db: -20, delay_ms: 180 }), ..LineEffects::default() };
    let pcm = carried(&effects, &[], &[tone(); 10], 40);
    let first = pcm.iter().position(|sample| sample.unsigned_abs() > 100).unwrap() / 8;
    assert!(first.abs_diff(180) <= 1, "{first} ms");
    let loud = level::rms_dbfs(&pcm[180 * 8..(180 + 200) * 8]);
    let original: Vec<i16> = tone().iter().map(|sample| g711::mulaw_to_linear(*sample)).collect();
    assert!((level::rms_dbfs(&original) - 20.0 - loud).abs() < 1.0, "{loud}");
    assert!(pcm[400 * 8..].iter().all(|sample| sample.unsigned_abs() < 100), "it ends");
}

#[test]
fn noise_is_always_there_and_comfort_noise_only_while_nobody_speaks() {
    let noise = Noise { kind: NoiseKind::Room, level_dbfs: -40 };
    let noisy = carried(&LineEffects { noise: Some(noise), ..LineEffects::default() }, &[], &[], 200);
    assert!((level::rms_dbfs(&noisy) + 40.0).abs() < 2.0, "{}", level::rms_dbfs(&noisy));
    let comfort =
        LineEffects { background: Background::Comfort { level_dbfs: -50 }, ..LineEffects::default() };
    let pcm = carried(&comfort, &[tone(); 10], &[], 100);
    let plain = carried(&LineEffects::default(), &[tone(); 10], &[], 100);
    assert_eq!(pcm[..1_600], plain[..1_600], "speech is untouched");
    assert!((level::rms_dbfs(&pcm[1_600..]) + 50.0).abs() < 2.0);
    assert!(plain[1_600..].iter().all(|sample| *sample == 0));
}

#[test]
fn a_clipped_start_takes_away_the_beginning_of_what_is_said_and_not_the_silence_before_it() {
    let effects = LineEffects { clip_start_ms: 70, ..LineEffects::default() };
    let mut spoken = vec![SILENT_FRAME; 5];
    spoken.extend([tone(); 10]);
    let pcm = carried(&effects, &spoken, &[], 20);
    let first = pcm.iter().position(|sample| sample.unsigned_abs() > 100).unwrap() / 8;
    assert!(first.abs_diff(170) <= 1, "{first} ms");
}

#[test]
fn clocks_that_drift_apart_add_and_drop_samples_by_and_by() {
    let samples = |drift_ppm| {
        let effects = LineEffects { drift_ppm, ..LineEffects::default() };
        carried(&effects, &[], &[], 5_000).len() as i64 - 800_000
    };
    assert_eq!(samples(0), 0);
    // A thousand millionths of a hundred seconds are 800 samples; what does not fill a frame is still to come.
    assert!((640..=800).contains(&samples(1_000)), "{}", samples(1_000));
    assert!((-960..=-800).contains(&samples(-1_000)), "{}", samples(-1_000));
}

#[test]
fn gaps_are_as_frequent_and_as_long_as_told_and_repeat_from_their_seed() {
    let effects = LineEffects { gaps: Some(Gaps { every_ms: 1_000, frames: 3 }), ..LineEffects::default() };
    let lost = || {
        let mut line = Line::new(&effects);
        (0..5_000_u64)
            .map(|number| {
                let now = CallTime::from_millis(number * FRAME_MS);
                line.speak(now, tone(), false);
                line.poll_arrived(now) == Some(LineFrame::Lost)
            })
            .collect::<Vec<_>>()
    };
    let frames = lost().iter().filter(|lost| **lost).count();
    assert!((180..=400).contains(&frames), "about a hundred gaps of three frames: {frames}");
    assert_eq!(lost(), lost());
}

#[test]
fn a_burst_brings_late_and_at_once_what_was_held_up() {
    let bursts = Bursts { every_ms: 1_000, held_ms: 200 };
    let effects = LineEffects { bursts: Some(bursts), ..LineEffects::default() };
    let late: Vec<u64> =
        arrivals(&effects, 20, 0).iter().zip(0..).map(|((at, _), frame)| at - frame * 20).collect();
    assert_eq!(late[..11], [200, 180, 160, 140, 120, 100, 80, 60, 40, 20, 0]);
    assert!(late[11..].iter().all(|late| *late == 0));
}
