//! Samples from a telephone line: any of them may come, in pieces of any size, and what is read is the same.

use seiketsu_audio::subcarrier::{Decoder, normalise_text, read};

pub(crate) fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let samples: Vec<i16> = rest.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let reading = read(&samples);
    assert_eq!(normalise_text(&reading.text), reading.text, "only the carrier's alphabet comes out");
    let mut decoder = Decoder::new();
    for piece in samples.chunks(usize::from(*first) + 1) {
        decoder.push(piece);
        while decoder.poll().is_some() {}
    }
    assert_eq!(decoder.position(), samples.len() as u64);
}
