//! One telephone frame lost, doubled, exchanged or zeroed, at every position: never a wrong transcript in silence.

mod support;

use support::{Count, FRAME, Fault, SENTENCES, Utterance, count_faults};

/// Short and long, digits, pauses, one word.
const UTTERANCES: [usize; 6] = [0, 1, 6, 11, 16, 24];

fn never_silent(fault: Fault) {
    let mut sum = Count::default();
    for index in UTTERANCES {
        let utterance = Utterance::new(SENTENCES[index]);
        let count = count_faults(&utterance, fault);
        assert_eq!(count.silently_wrong, 0, "{fault:?} in {:?}: {count:?}", utterance.text);
        // A frame within speech carries text or fill; most of the time between first and last word is speech.
        let spoken_ms = utterance.words[utterance.words.len() - 1].end_ms - utterance.words[0].start_ms;
        let speech_frames = spoken_ms as usize / 20;
        let noticed = count.differs_flagged + count.exact_flagged;
        assert!(noticed as usize * 2 > speech_frames, "{fault:?} in {:?}: {count:?}", utterance.text);
        sum.differs_flagged += count.differs_flagged;
        sum.exact_flagged += count.exact_flagged;
        sum.exact += count.exact;
    }
    assert!(sum.total() > 800, "{sum:?}");
    assert!(sum.differs_flagged > 300, "{sum:?}");
}

#[test]
fn a_lost_frame_is_noticed_or_harmless() {
    never_silent(Fault::Drop);
}

#[test]
fn a_doubled_frame_is_noticed_or_harmless() {
    never_silent(Fault::Double);
}

#[test]
fn two_exchanged_frames_are_noticed_or_harmless() {
    never_silent(Fault::Swap);
}

#[test]
fn a_zeroed_frame_is_noticed_or_harmless() {
    never_silent(Fault::Zero);
}

#[test]
fn every_frame_within_a_run_matters() {
    // Speech without a pause: from the first to the last packet each frame lost is a frame noticed.
    let utterance = Utterance::new("I will call you back");
    let reading = seiketsu_audio::subcarrier::read(&utterance.pcm);
    assert_eq!((reading.text.as_str(), reading.flags.len()), ("i will call you back", 0));
    let line = support::mulaw(&utterance.pcm);
    let noticed: Vec<bool> = (0..line.len() / FRAME)
        .map(|at| support::outcome(&utterance.text, &Fault::Drop.apply(&line, at)) != support::Outcome::Exact)
        .collect();
    let first = noticed.iter().position(|&noticed| noticed).unwrap();
    let last = noticed.iter().rposition(|&noticed| noticed).unwrap();
    assert!(last - first > 40);
    assert!(noticed[first..=last].iter().all(|&noticed| noticed), "{noticed:?}");
}
