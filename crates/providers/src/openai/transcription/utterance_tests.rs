use super::*;

const FORMAT: AudioFormat = AudioFormat::Mulaw8k;
/// Quiet, but not digital silence: -60 dB or so.
const NOISE: u8 = 0xfb;
const VOICE: u8 = 0x90;

/// Frames of 20 ms, as a telephone sends them.
fn play(utterance: &mut Utterance, byte: u8, milliseconds: u64) {
    for _ in 0..milliseconds / 20 {
        utterance.push(&[byte; 160]);
    }
}

fn length_ms(taken: &Taken) -> Option<u64> {
    taken.audio.as_ref().map(|audio| FORMAT.duration_us(audio.len()) / 1_000)
}

#[test]
fn an_utterance_begins_a_little_before_its_first_sound() {
    let mut utterance = Utterance::new(FORMAT);
    play(&mut utterance, NOISE, 60_000);
    play(&mut utterance, VOICE, 1_000);
    play(&mut utterance, NOISE, 300);
    let taken = utterance.take();
    assert_eq!((length_ms(&taken), taken.end_ms), (Some(1_760), 61_300), "{} ms", taken.start_ms);
    play(&mut utterance, VOICE, 100);
    let taken = utterance.take();
    assert_eq!((length_ms(&taken), taken.start_ms, taken.end_ms), (Some(100), 61_300, 61_400));
}

#[test]
fn silence_noise_and_clicks_are_not_worth_a_request() {
    let mut utterance = Utterance::new(FORMAT);
    play(&mut utterance, 0xff, 5_000);
    play(&mut utterance, NOISE, 5_000);
    for _ in 0..5 {
        play(&mut utterance, VOICE, 40);
        play(&mut utterance, NOISE, 1_000);
    }
    let taken = utterance.take();
    assert_eq!((taken.audio, taken.end_ms), (None, 15_200));
    assert_eq!(utterance.take(), Taken { audio: None, start_ms: 15_200, end_ms: 15_200 });
}

#[test]
fn of_a_long_utterance_the_last_half_minute_is_kept_in_bounded_memory() {
    let mut utterance = Utterance::new(FORMAT);
    play(&mut utterance, VOICE, 100_000);
    assert!(
        utterance.audio.capacity() <= 3 * 30_000 * FORMAT.bytes_per_ms(),
        "{}",
        utterance.audio.capacity()
    );
    assert!(utterance.lost);
    let taken = utterance.take();
    assert_eq!((length_ms(&taken), taken.start_ms, taken.end_ms), (Some(30_000), 70_000, 100_000));
    assert!(!utterance.lost, "each utterance is judged for itself");
}

#[test]
fn how_the_audio_is_cut_changes_nothing() {
    let bytes: Vec<u8> = [NOISE, VOICE, NOISE].iter().flat_map(|&byte| vec![byte; 9_000]).collect();
    let cut = |piece: usize| {
        let mut utterance = Utterance::new(FORMAT);
        bytes.chunks(piece).for_each(|piece| utterance.push(piece));
        utterance.take()
    };
    let whole = cut(160);
    assert!(whole.audio.is_some());
    assert_eq!(whole, cut(1));
    assert_eq!(whole, cut(777));
}
