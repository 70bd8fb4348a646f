//! What recording a minute of a call costs: interleaving, sealing, and keeping it in a directory.

#![expect(clippy::unwrap_used, reason = "a bench whose world cannot be set up must fail loudly")]

use criterion::{Criterion, criterion_group, criterion_main};
use seiketsu_brokerage::recording::{
    ChunkStore, ChunkWriter, StoreOptions,
    keys::Key,
    seal::{PartName, Sealed},
};
use seiketsu_domain::{AudioFormat, IdSource, SystemClock};
use std::{hint::black_box, sync::Arc};

/// What the session hands over at once: 200 ms of each side.
const BLOCK_BYTES: usize = 1_600;
const BLOCKS_PER_MINUTE: usize = 300;

fn minute(writer: &mut ChunkWriter, mut full: impl FnMut(Sealed)) {
    let (caller, agent) = ([0x55; BLOCK_BYTES], [0xaa; BLOCK_BYTES]);
    for _ in 0..BLOCKS_PER_MINUTE {
        writer.push(&caller, &agent, &mut full).unwrap();
    }
}

fn recording(criterion: &mut Criterion) {
    let ids = IdSource::new(Arc::new(SystemClock::new()), [7; 32]);
    let key = Key::generate(&ids);
    let name = PartName { tenant: ids.next(), call: ids.next(), part: 0, format: AudioFormat::Mulaw8k };
    criterion.bench_function("recording: seal a call-minute", |bencher| {
        let mut writer = ChunkWriter::new(&key, name);
        bencher.iter(|| minute(&mut writer, |chunk| drop(black_box(chunk))));
    });

    let directory = tempfile::tempdir().unwrap();
    let store = ChunkStore::open(&StoreOptions::Directory(directory.path().to_owned())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    criterion.bench_function("recording: seal a call-minute and keep it in a directory", |bencher| {
        let mut writer = ChunkWriter::new(&key, name);
        bencher.iter(|| {
            let mut chunks = Vec::new();
            minute(&mut writer, |chunk| chunks.push(chunk));
            runtime.block_on(async {
                for chunk in chunks {
                    store.put("bench", chunk).await.unwrap();
                }
            });
        });
    });
}

criterion_group!(benches, recording);
criterion_main!(benches);
