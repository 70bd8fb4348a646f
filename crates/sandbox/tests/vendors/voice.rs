//! ElevenLabs.

use crate::support::{World, decode, speak, voice_options};
use seiketsu_audio::{level, subcarrier};
use seiketsu_domain::AudioFormat;
use seiketsu_providers::{AlignedChar, FailureKind, SynthesisId, Voice, VoiceEvent, VoiceInput};
use seiketsu_sandbox::{Fault, Profile, RequestKind, injected::InjectedStage};
use std::time::Duration;

const GREETING: &str = "Thanks for calling Lone Star Homes. This is Ava, an AI assistant. How can I help?";

fn say(id: u64, text: &str) -> VoiceInput {
    VoiceInput::Speak { id: SynthesisId(id), text: text.to_owned() }
}

/// Audio and alignment of one synthesis.
fn of(id: u64, events: &[VoiceEvent]) -> (Vec<u8>, Vec<AlignedChar>) {
    let (mut bytes, mut chars) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            VoiceEvent::Audio { id: other, audio, alignment } if *other == SynthesisId(id) => {
                bytes.extend_from_slice(audio);
                chars.extend_from_slice(alignment);
            }
            VoiceEvent::Audio { .. } | VoiceEvent::Finished { .. } | VoiceEvent::Failed { .. } => {}
        }
    }
    (bytes, chars)
}

#[tokio::test]
async fn the_words_can_be_read_back_from_the_audio_of_every_format() {
    let world = World::start(Profile::Zero).await;
    for format in [AudioFormat::Mulaw8k, AudioFormat::Alaw8k, AudioFormat::Pcm16k, AudioFormat::Pcm24k] {
        let mut session = world.elevenlabs("key").open(voice_options(format)).await.unwrap();
        let events = speak(&mut session, vec![say(1, GREETING)], 1).await;
        let (bytes, _) = of(1, &events);
        let reading = subcarrier::read(&decode(&bytes, format));
        assert_eq!(reading.text, subcarrier::normalise_text(GREETING), "{format:?}");
        assert!(reading.flags.is_empty(), "{format:?}: {reading:?}");
        assert_eq!(events.last(), Some(&VoiceEvent::Finished { id: SynthesisId(1) }));
    }
}

#[tokio::test]
async fn speech_begins_with_silence_and_the_alignment_lies_over_the_words_that_are_heard() {
    let world = World::start(Profile::Zero).await;
    let mut session = world.elevenlabs("key").open(voice_options(AudioFormat::Mulaw8k)).await.unwrap();
    let events = speak(&mut session, vec![say(1, GREETING)], 1).await;
    let (bytes, chars) = of(1, &events);
    let samples = decode(&bytes, AudioFormat::Mulaw8k);
    let silence_ms = level::leading_silence(&samples, 8_000, -50.0) / 8;
    assert!((175..=230).contains(&silence_ms), "{silence_ms}");
    assert_eq!(chars.iter().map(|char| char.character).collect::<String>(), GREETING);
    assert!(chars.windows(2).all(|pair| pair[0].start_ms <= pair[1].start_ms));
    let last = chars.last().unwrap();
    assert!(u64::from(last.start_ms + last.duration_ms) <= samples.len() as u64 / 8);

    // The sub-carrier finishes each word when the alignment says that it ends, or a little before where the words
    // are many for the time.
    let mut decoder = subcarrier::Decoder::new();
    decoder.push(&samples);
    let mut ends_ms = Vec::new();
    while let Some(event) = decoder.poll() {
        if let subcarrier::Event::Word { at_sample, .. } = event {
            ends_ms.push(at_sample / 8);
        }
    }
    let words: Vec<&[AlignedChar]> = chars.split(|char| char.character == ' ').collect();
    assert_eq!(ends_ms.len(), words.len());
    for (heard_ms, word) in ends_ms.iter().zip(words) {
        let last = word.last().unwrap();
        let aligned_ms = u64::from(last.start_ms + last.duration_ms);
        assert!(
            (aligned_ms.saturating_sub(400)..=aligned_ms + 100).contains(heard_ms),
            "{heard_ms} {aligned_ms} {word:?}"
        );
    }
}

#[tokio::test]
async fn many_texts_at_once_are_all_spoken_and_do_not_mix() {
    let world = World::start(Profile::Zero).await;
    let mut session = world.elevenlabs("key").open(voice_options(AudioFormat::Mulaw8k)).await.unwrap();
    let texts = [
        "Sure.",
        "It has three bedrooms.",
        "The price is four hundred thousand.",
        "Yes.",
        "When?",
        "Goodbye.",
    ];
    let inputs = (1..).zip(texts).map(|(id, text)| say(id, text)).collect();
    let events = speak(&mut session, inputs, texts.len()).await;
    for (id, text) in (1..).zip(texts) {
        let (bytes, _) = of(id, &events);
        let reading = subcarrier::read(&decode(&bytes, AudioFormat::Mulaw8k));
        assert_eq!(reading.text, subcarrier::normalise_text(text));
    }
}

#[tokio::test]
async fn a_cancelled_text_is_heard_of_no_more_and_the_next_one_is_spoken() {
    let world = World::start(Profile::Zero).await;
    world.sandbox.conduct().change(|behaviour| behaviour.delays.first_byte_ms = 200);
    let mut session = world.elevenlabs("key").open(voice_options(AudioFormat::Mulaw8k)).await.unwrap();
    let inputs = vec![say(1, GREETING), VoiceInput::Cancel { id: SynthesisId(1) }, say(2, "Of course.")];
    let events = speak(&mut session, inputs, 1).await;
    assert_eq!(of(1, &events), (Vec::new(), Vec::new()));
    let (bytes, _) = of(2, &events);
    assert_eq!(subcarrier::read(&decode(&bytes, AudioFormat::Mulaw8k)).text, "of course");
}

#[tokio::test]
async fn the_first_byte_is_delayed_and_the_record_says_by_how_much() {
    let world = World::start(Profile::Zero).await;
    world.sandbox.conduct().change(|behaviour| behaviour.delays.first_byte_ms = 300);
    let mut session = world.elevenlabs("key").open(voice_options(AudioFormat::Mulaw8k)).await.unwrap();
    speak(&mut session, vec![say(1, "Of course.")], 1).await;
    let records = world.injected();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!((records[0].vendor.as_str(), records[0].stage), ("elevenlabs", InjectedStage::FirstByte));
    assert_eq!((records[0].key.as_str(), records[0].delay_ms), ("Of course.", 300));
    assert!(records[0].held_ms >= 300, "{records:?}");
}

#[tokio::test]
async fn a_wrong_key_and_refusals_are_told_apart() {
    let world = World::start(Profile::Zero).await;
    let open = async |key: &str| {
        let opened = world.elevenlabs(key).open(voice_options(AudioFormat::Mulaw8k)).await;
        opened.map(|_| ()).map_err(|failure| failure.kind)
    };
    assert_eq!(open("invalid").await, Err(FailureKind::Unauthorized));
    world.fail(RequestKind::VoiceOpening, Fault::RateLimit, 1);
    assert_eq!(
        open("key").await,
        Err(FailureKind::RateLimited { retry_after: Some(Duration::from_secs(1)) })
    );
    world.fail(RequestKind::VoiceOpening, Fault::Refuse, 1);
    assert_eq!(open("key").await, Err(FailureKind::VendorFault));
    assert_eq!(open("key").await, Ok(()));
}

#[tokio::test]
async fn faults_in_mid_stream_are_what_the_client_reports() {
    let world = World::start(Profile::Zero).await;
    for (fault, expected) in [
        (Fault::Disconnect, FailureKind::Closed),
        (Fault::Garbage, FailureKind::Garbage),
        (Fault::Refuse, FailureKind::VendorFault),
        (Fault::RateLimit, FailureKind::RateLimited { retry_after: None }),
        (Fault::HalfOpen, FailureKind::Timeout),
    ] {
        world.fail(RequestKind::Synthesis, fault, 1);
        // By the time of the half-open one, the greeting has been spoken before: its audio begins at once.
        let client = if fault == Fault::HalfOpen {
            world.elevenlabs_within("key", Duration::from_secs(1))
        } else {
            world.elevenlabs("key")
        };
        let mut session = client.open(voice_options(AudioFormat::Mulaw8k)).await.unwrap();
        let events = speak(&mut session, vec![say(1, GREETING)], 1).await;
        let last = events.last();
        assert!(
            matches!(last, Some(VoiceEvent::Failed { failure, .. }) if failure.kind == expected),
            "{fault:?}: {last:?}"
        );
        let begun = events.iter().any(|event| matches!(event, VoiceEvent::Audio { .. }));
        assert_eq!(begun, !matches!(fault, Fault::Refuse | Fault::RateLimit), "{fault:?}");
    }
}
