//! Deepgram.

use crate::support::{World, all, encode, finals, recogniser_options};
use bytes::Bytes;
use seiketsu_audio::{
    resample::{Ratio, Resampler},
    subcarrier,
};
use seiketsu_domain::AudioFormat;
use seiketsu_providers::{FailureKind, Recogniser, RecogniserInput, RecognitionEvent};
use seiketsu_sandbox::{Fault, Profile, RequestKind, injected::InjectedStage};
use std::time::Duration;

#[tokio::test]
async fn what_a_caller_says_is_transcribed_word_for_word_in_every_format() {
    let world = World::start(Profile::Zero).await;
    for text in [
        "Hi, I'm Anna Lee. I want to see a three bedroom house in Riverside tomorrow at two thirty.",
        "Yes.",
        "My budget is 450000 dollars, and it's flexible.",
    ] {
        let audio = world.caller_says(text).await;
        for format in [AudioFormat::Mulaw8k, AudioFormat::Alaw8k, AudioFormat::Pcm16k, AudioFormat::Pcm24k] {
            let events = world.hear(&audio, format).await;
            assert_eq!(finals(&events), subcarrier::normalise_text(text), "{format:?}: {events:?}");
            assert!(matches!(events[0], RecognitionEvent::SpeechStarted { at_ms: 0..=60 }), "{events:?}");
            assert!(events.iter().any(|event| matches!(event, RecognitionEvent::Partial { .. })));
        }
    }
}

#[tokio::test]
async fn calls_at_the_same_time_do_not_mix() {
    let world = World::start(Profile::Zero).await;
    let texts =
        ["the house on maple street", "two bedrooms please", "what does it cost", "goodbye and thank you"];
    let mut audios = Vec::new();
    for text in texts {
        audios.push(world.caller_says(text).await);
    }
    let [one, two, three, four] = [0, 1, 2, 3].map(|index| world.hear(&audios[index], AudioFormat::Mulaw8k));
    let (one, two, three, four) = tokio::join!(one, two, three, four);
    assert_eq!([one, two, three, four].map(|events| finals(&events)), texts);
}

#[tokio::test]
async fn ordinary_speech_is_unintelligible() {
    let world = World::start(Profile::Zero).await;
    let audio = world.caller_says("I would like to see the house on Maple Street.").await;
    // Down to 4 kHz and up again: the speech stays, what was above 2 kHz is gone, the sub-carrier with it.
    let (mut narrow, mut ordinary) = (Vec::new(), Vec::new());
    Resampler::new(Ratio::Down2).process(&audio, &mut narrow);
    Resampler::new(Ratio::Up2).process(&narrow, &mut ordinary);
    let events = world.hear(&ordinary, AudioFormat::Mulaw8k).await;
    assert!(matches!(events[0], RecognitionEvent::SpeechStarted { .. }), "{events:?}");
    assert!(events.iter().any(|event| matches!(event, RecognitionEvent::Final { .. })), "{events:?}");
    assert_eq!(finals(&events), "");
}

#[tokio::test]
async fn finalize_gives_the_words_without_the_silence() {
    let world = World::start(Profile::Zero).await;
    let mut audio = world.caller_says("A house in Riverside, please.").await;
    audio.truncate(audio.len() - 8_000 + 800);
    let mut session = world.deepgram("key").open(recogniser_options(AudioFormat::Mulaw8k)).await.unwrap();
    for frame in encode(&audio, AudioFormat::Mulaw8k).chunks(160) {
        session.input.send(RecogniserInput::Audio(Bytes::copy_from_slice(frame))).await.unwrap();
    }
    session.input.send(RecogniserInput::Finalize).await.unwrap();
    let mut events = Vec::new();
    while let Some(event) = session.events.recv().await {
        let answered = matches!(event, RecognitionEvent::Final { from_finalize: true, .. });
        events.push(event);
        if answered {
            break;
        }
    }
    assert_eq!(finals(&events), "a house in riverside please");
}

#[tokio::test]
async fn the_profile_delays_the_final_and_the_record_says_by_how_much() {
    let world = World::start(Profile::Zero).await;
    world.sandbox.conduct().change(|behaviour| behaviour.delays.recogniser_ms = 300);
    let audio = world.caller_says("Yes please.").await;
    let events = world.hear(&audio, AudioFormat::Mulaw8k).await;
    assert_eq!(finals(&events), "yes please");
    let records = world.injected();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!((records[0].vendor.as_str(), records[0].stage), ("deepgram", InjectedStage::FinalTranscript));
    assert_eq!((records[0].key.as_str(), records[0].delay_ms), ("yes please", 300));
    assert!(records[0].held_ms >= 300, "{records:?}");
}

#[tokio::test]
async fn a_wrong_key_and_refusals_are_told_apart() {
    let world = World::start(Profile::Zero).await;
    let open = async |key: &str| {
        let opened = world.deepgram(key).open(recogniser_options(AudioFormat::Mulaw8k)).await;
        opened.map(|_| ()).map_err(|failure| failure.kind)
    };
    assert_eq!(open("invalid").await, Err(FailureKind::Unauthorized));
    world.fail(RequestKind::RecogniserOpening, Fault::RateLimit, 1);
    assert_eq!(
        open("key").await,
        Err(FailureKind::RateLimited { retry_after: Some(Duration::from_secs(1)) })
    );
    world.fail(RequestKind::RecogniserOpening, Fault::Refuse, 1);
    assert_eq!(open("key").await, Err(FailureKind::VendorFault));
    assert_eq!(open("key").await, Ok(()));
}

#[tokio::test]
async fn faults_in_mid_stream_end_the_session_with_what_they_are() {
    let world = World::start(Profile::Zero).await;
    let audio = world.caller_says("Hello there.").await;
    for (fault, expected) in [
        (Fault::Disconnect, FailureKind::Closed),
        (Fault::Garbage, FailureKind::Garbage),
        (Fault::Refuse, FailureKind::VendorFault),
        // The vendor has no message for this on an open stream.
        (Fault::RateLimit, FailureKind::VendorFault),
    ] {
        world.fail(RequestKind::Utterance, fault, 1);
        let mut session = world.deepgram("key").open(recogniser_options(AudioFormat::Mulaw8k)).await.unwrap();
        let bytes = encode(&audio, AudioFormat::Mulaw8k);
        let send = async {
            for frame in bytes.chunks(160) {
                // The session may be over by now, which is what is being tested.
                if session.input.send(RecogniserInput::Audio(Bytes::copy_from_slice(frame))).await.is_err() {
                    break;
                }
            }
        };
        let ((), events) = tokio::join!(send, all(&mut session.events));
        let last = events.last();
        assert!(
            matches!(last, Some(RecognitionEvent::Failed(failure)) if failure.kind == expected),
            "{fault:?}: {last:?}"
        );
    }
}
