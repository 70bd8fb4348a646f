//! Every sentence comes through every telephone channel, word for word and without a flag.

mod support;

use seiketsu_audio::resample::Ratio;
use seiketsu_audio::{level, subcarrier};
use support::{SENTENCES, Utterance, alaw, band_pass, boxes, gain, mulaw, noise, there_and_back};

fn every_sentence_survives(channel: impl Fn(&[i16]) -> Vec<i16>) {
    let mut failed = Vec::new();
    for (index, sentence) in SENTENCES.iter().enumerate() {
        let voice = ["en-us", "en-us+f3", "en-gb", "en-us+m7"][index % 4];
        let utterance = Utterance::by(sentence, voice);
        let reading = subcarrier::read(&channel(&utterance.pcm));
        let clean = reading.flags.is_empty() && reading.starts == 1 && reading.ends == 1;
        if reading.text != utterance.text || !clean {
            failed.push(format!("{} -> {reading:?}", utterance.text));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), SENTENCES.len(), failed.join("\n"));
}

#[test]
fn untouched() {
    every_sentence_survives(<[i16]>::to_vec);
}

#[test]
fn mulaw_once() {
    every_sentence_survives(mulaw);
}

#[test]
fn mulaw_three_times_at_changing_levels() {
    every_sentence_survives(|pcm| mulaw(&gain(&mulaw(&gain(&mulaw(pcm), -0.7)), 1.3)));
}

#[test]
fn alaw_then_mulaw() {
    every_sentence_survives(|pcm| mulaw(&alaw(pcm)));
}

#[test]
fn through_16_khz_and_back() {
    every_sentence_survives(|pcm| mulaw(&there_and_back(&mulaw(pcm), Ratio::Up2, Ratio::Down2)));
}

#[test]
fn through_24_khz_and_back() {
    every_sentence_survives(|pcm| mulaw(&there_and_back(&mulaw(pcm), Ratio::Up3, Ratio::Down3)));
}

#[test]
fn through_the_worst_resamplers_and_back() {
    every_sentence_survives(|pcm| boxes(pcm, 2));
    every_sentence_survives(|pcm| boxes(pcm, 3));
}

#[test]
fn band_pass_of_the_telephone() {
    every_sentence_survives(|pcm| mulaw(&band_pass(pcm)));
}

#[test]
fn twelve_decibels_louder_clips_nothing() {
    every_sentence_survives(|pcm| {
        let louder = gain(pcm, 12.0);
        assert!(level::peak(&louder) < 32_767);
        mulaw(&louder)
    });
}

#[test]
fn twelve_decibels_softer() {
    every_sentence_survives(|pcm| mulaw(&gain(pcm, -12.0)));
}

#[test]
fn noise_twenty_decibels_below_the_speech() {
    every_sentence_survives(|pcm| mulaw(&noise(pcm, 20.0, 7)));
}

#[test]
fn all_of_it_together() {
    every_sentence_survives(|pcm| {
        let pcm = there_and_back(&alaw(&gain(pcm, -6.0)), Ratio::Up2, Ratio::Down2);
        mulaw(&band_pass(&mulaw(&pcm)))
    });
}

#[test]
fn beyond_its_limits_no_transcript_is_wrong_in_silence() {
    // Too much noise and clipping: words are lost, and the flags or an empty transcript say so.
    for (seed, sentence) in SENTENCES.iter().enumerate() {
        let utterance = Utterance::new(sentence);
        for damaged in [
            noise(&utterance.pcm, 13.0, seed as u64 + 1),
            noise(&utterance.pcm, 10.0, seed as u64 + 1),
            gain(&utterance.pcm, 36.0),
        ] {
            let reading = subcarrier::read(&damaged);
            let told = !reading.flags.is_empty() || reading.text.is_empty();
            assert!(reading.text == utterance.text || told, "{} -> {reading:?}", utterance.text);
        }
    }
}
