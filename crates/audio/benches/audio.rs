//! What a call's audio costs: `cargo bench -p seiketsu-audio`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use seiketsu_audio::resample::{Ratio, Resampler};
use seiketsu_audio::subcarrier::{self, Decoder};
use seiketsu_audio::{g711, level};
use support::{FRAME, SENTENCES, Utterance, mulaw};

fn frames(criterion: &mut Criterion) {
    let pcm = mulaw(&Utterance::new(SENTENCES[22]).pcm);
    let frame = &pcm[8_000..8_000 + FRAME];
    let mut coded = Vec::new();
    g711::mulaw_encode(frame, &mut coded);

    let mut group = criterion.benchmark_group("20 ms");
    group.bench_function("mu-law encode", |bencher| {
        let mut out = Vec::with_capacity(FRAME);
        bencher.iter(|| {
            out.clear();
            g711::mulaw_encode(black_box(frame), &mut out);
        });
    });
    group.bench_function("mu-law decode", |bencher| {
        let mut out = Vec::with_capacity(FRAME);
        bencher.iter(|| {
            out.clear();
            g711::mulaw_decode(black_box(&coded), &mut out);
        });
    });
    group.bench_function("rms", |bencher| bencher.iter(|| level::rms_dbfs(black_box(frame))));
    for ratio in Ratio::ALL {
        let factor = match ratio {
            Ratio::Up2 | Ratio::Up3 => 1,
            Ratio::Down2 => 2,
            Ratio::Down3 => 3,
        };
        let input = &pcm[8_000..8_000 + FRAME * factor];
        group.bench_function(format!("resample {ratio:?}"), |bencher| {
            let (mut resampler, mut out) = (Resampler::new(ratio), Vec::with_capacity(3 * FRAME));
            bencher.iter(|| {
                out.clear();
                resampler.process(black_box(input), &mut out);
            });
        });
    }
    group.finish();
}

fn text(criterion: &mut Criterion) {
    let utterance = Utterance::new(SENTENCES[22]);
    let speech = support::speak(SENTENCES[22], "en-us");
    let line = mulaw(&utterance.pcm);
    let second = &line[8_000..16_000];

    let mut group = criterion.benchmark_group("one second");
    for (name, samples) in [("decode speech with text", second), ("decode silence", &[0; 8_000][..])] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                Decoder::new,
                |decoder| {
                    for frame in samples.chunks(FRAME) {
                        decoder.push(black_box(frame));
                        while let Some(event) = decoder.poll() {
                            black_box(event);
                        }
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
    criterion.bench_function("embed an utterance", |bencher| {
        bencher.iter(|| subcarrier::embed(black_box(&speech), &utterance.words));
    });
}

criterion_group!(benches, frames, text);
criterion_main!(benches);
