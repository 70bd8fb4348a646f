//! Which of the agent's words answer which of the caller's lines, and how long they took. Pure.

use crate::{
    SAMPLE_US,
    ears::{Flag, Segment, ms},
    report::{AfterMurmur, HeardMurmur, HeardPiece, HeardTurn, PieceKind, TurnEnd},
};
use seiketsu_audio::subcarrier::{FlagReason, normalise_text, written};
use seiketsu_domain::CallTime;

/// Sample positions as call time.
pub(super) fn at(sample: u64) -> CallTime {
    CallTime::from_micros(sample * SAMPLE_US)
}

/// One line of the caller. Positions are samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SpokenTurn {
    pub(super) said: Option<String>,
    /// Keys, if it is no line.
    pub(super) keys: Option<String>,
    pub(super) started: u64,
    /// After the last voiced sample.
    pub(super) end_of_speech: u64,
    pub(super) closed: Option<Closed>,
    pub(super) interrupted: Option<u64>,
    pub(super) playback_stopped: Option<u64>,
}

/// A sound that asks for no answer. Positions are samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Murmur {
    /// During the answer to this turn.
    pub(super) turn: usize,
    pub(super) said: Option<String>,
    pub(super) started: u64,
    pub(super) end: u64,
}

/// What made the caller think no more of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// The answer was over, or the caller gave up waiting for one.
    Waited,
    /// The caller went on without waiting.
    WentOn,
    /// The caller hung up.
    HungUp,
    /// The call ended otherwise.
    CallEnded,
}

/// Texts that only bridge a wait, normalised as the sub-carrier carries them.
#[derive(Debug, Clone, Default)]
pub(super) struct Acknowledgements(Vec<String>);

impl Acknowledgements {
    pub(super) fn new(texts: &[String]) -> Self {
        Self(texts.iter().map(|text| normalise_text(text)).collect())
    }

    /// The acknowledgement that a segment is, or, while it goes on or if it was cut off, may be the start of.
    pub(super) fn matching(&self, segment: &Segment) -> Option<&str> {
        if segment.text.is_empty() {
            return None; // heard by loudness alone
        }
        let is = |known: &&String| {
            if segment.complete { **known == segment.text } else { known.starts_with(&segment.text) }
        };
        self.0.iter().find(is).map(String::as_str)
    }
}

/// The turn (0 is the greeting) that a segment answers: the latest line that began before it. A piece of speech that
/// began during a line and ended before the line did was not an answer to it, but the rest of the answer before.
fn turn_of(turns: &[SpokenTurn], segment: &Segment) -> usize {
    let begun = turns.partition_point(|turn| turn.started <= segment.onset);
    match begun.checked_sub(1).map(|index| &turns[index]) {
        Some(turn) if segment.end < turn.end_of_speech => begun - 1,
        Some(_) | None => begun,
    }
}

/// The turn that a flag is about: that of its segment, or else the latest line that began before it.
fn turn_of_flag(turns: &[SpokenTurn], segments: &[Segment], flag: &Flag) -> usize {
    match flag.segment.and_then(|index| segments.get(index)) {
        Some(segment) => turn_of(turns, segment),
        None => turns.partition_point(|turn| turn.started <= flag.at),
    }
}

/// A flag in reports.
pub(super) const fn flag_name(reason: FlagReason) -> &'static str {
    match reason {
        FlagReason::OffGrid => "off_grid",
        FlagReason::PacketMissing => "packet_missing",
        FlagReason::Sequence => "sequence",
        FlagReason::NoStart => "no_start",
        FlagReason::NoEnd => "no_end",
        FlagReason::Malformed => "malformed",
        FlagReason::Check => "check",
        FlagReason::Overflow => "overflow",
    }
}

/// The segments of turn `number` (0 is the greeting).
pub(super) fn segments_of<'a>(
    turns: &'a [SpokenTurn],
    segments: &'a [Segment],
    number: usize,
) -> impl Iterator<Item = &'a Segment> {
    segments.iter().filter(move |segment| turn_of(turns, segment) == number)
}

/// The text of some segments, as people write it.
pub(super) fn text_of<'a>(segments: impl Iterator<Item = &'a Segment>) -> String {
    let texts = segments.map(|segment| written(&segment.text)).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(" ")
}

/// Turn `number` (from 1) as it was heard.
pub(super) fn heard(
    turns: &[SpokenTurn],
    number: usize,
    segments: &[Segment],
    flags: &[Flag],
    acknowledgements: &Acknowledgements,
) -> HeardTurn {
    let turn = &turns[number - 1];
    let answer = || segments_of(turns, segments, number);
    let pieces: Vec<HeardPiece> = answer()
        .map(|segment| {
            let acknowledges = acknowledgements.matching(segment);
            HeardPiece {
                onset_ms: segment.onset.saturating_sub(turn.end_of_speech) / 8,
                // A known acknowledgement that was cut off or goes on is told whole.
                text: written(acknowledges.unwrap_or(&segment.text)),
                kind: if acknowledges.is_some() {
                    PieceKind::Acknowledgement
                } else {
                    PieceKind::Substantive
                },
            }
        })
        .collect();
    let answered = pieces.iter().any(|piece| piece.kind == PieceKind::Substantive);
    let end = match (turn.closed, answered) {
        _ if turn.keys.is_some() => TurnEnd::Keyed,
        (_, true) if turn.interrupted.is_some() => TurnEnd::Interrupted,
        (_, true) => TurnEnd::Answered,
        (Some(Closed::WentOn), false) => TurnEnd::Continued,
        (Some(Closed::HungUp), false) => TurnEnd::Abandoned,
        (Some(Closed::Waited | Closed::CallEnded) | None, false) => TurnEnd::Missed,
    };
    let mut heard = HeardTurn {
        number: number as u32,
        said: turn.said.clone(),
        keys: turn.keys.clone(),
        started_at: at(turn.started),
        end_of_speech: at(turn.end_of_speech),
        first_audible_ms: None,
        first_substantive_ms: None,
        acknowledgement: None,
        announcement: None,
        pieces,
        heard_text: text_of(answer()),
        flags: flags
            .iter()
            .filter(|flag| turn_of_flag(turns, segments, flag) == number)
            .map(|flag| flag_name(flag.reason).to_owned())
            .collect(),
        interrupted_at: turn.interrupted.map(at),
        playback_stopped_ms: turn
            .interrupted
            .zip(turn.playback_stopped)
            .map(|(interrupted, stopped)| stopped.saturating_sub(interrupted) / 8),
        end,
    };
    heard.judge(|piece| piece.kind);
    heard
}

/// Silence after a murmur from which on the agent has noticed it, or a pause is no pause for breath.
const GOES_ON_SAMPLES: u64 = ms(400);

/// A murmur, and what the agent made of it.
pub(super) fn murmured(turns: &[SpokenTurn], segments: &[Segment], murmur: &Murmur) -> HeardMurmur {
    let answer = || segments_of(turns, segments, murmur.turn);
    let goes_on =
        |segment: &&Segment| segment.onset < murmur.started && segment.end > murmur.end + GOES_ON_SAMPLES;
    let begins_soon =
        |segment: &&Segment| (murmur.started..murmur.end + GOES_ON_SAMPLES).contains(&segment.onset);
    let last = answer().filter(|segment| segment.onset < murmur.started).last();
    let agent = if answer().any(|segment| goes_on(&segment) || begins_soon(&segment)) {
        AfterMurmur::WentOn
    } else if answer().any(|segment| segment.onset >= murmur.started) {
        AfterMurmur::SpokeAgain
    } else if last.is_some_and(|segment| segment.complete) {
        AfterMurmur::Finished
    } else {
        AfterMurmur::FellSilent
    };
    HeardMurmur { turn: murmur.turn as u32, said: murmur.said.clone(), at: at(murmur.started), agent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(started_ms: u64, end_of_speech_ms: u64) -> SpokenTurn {
        SpokenTurn {
            said: None,
            keys: None,
            started: started_ms * 8,
            end_of_speech: end_of_speech_ms * 8,
            closed: None,
            interrupted: None,
            playback_stopped: None,
        }
    }

    fn segment(onset_ms: u64, end_ms: u64, text: &str) -> Segment {
        Segment { onset: onset_ms * 8, end: end_ms * 8, text: text.to_owned(), complete: true }
    }

    fn acknowledgements() -> Acknowledgements {
        Acknowledgements::new(&["One moment.".to_owned()])
    }

    #[test]
    fn an_acknowledgement_is_audible_but_not_substantive() {
        let turns = [turn(1_000, 2_000)];
        let segments =
            [segment(0, 900, "hello"), segment(3_500, 4_000, "one moment"), segment(4_700, 6_000, "yes")];
        let heard = heard(&turns, 1, &segments, &[], &acknowledgements());
        assert_eq!((heard.first_audible_ms, heard.first_substantive_ms), (Some(1_500), Some(2_700)));
        assert_eq!(heard.acknowledgement.as_deref(), Some("one moment"));
        assert_eq!(heard.heard_text, "one moment yes");
        assert_eq!(heard.end, TurnEnd::Answered);
        assert_eq!(text_of(segments_of(&turns, &segments, 0)), "hello");
    }

    #[test]
    fn what_is_sent_spelled_is_told_as_it_is_written() {
        let turns = [turn(1_000, 2_000)];
        let sent = |onset_ms, text| segment(onset_ms, onset_ms + 900, &normalise_text(text));
        let segments = [sent(3_000, "请稍等。"), sent(4_000, "我查查 Maple 街。")];
        let known = Acknowledgements::new(&["请稍等。".to_owned()]);
        let heard = heard(&turns, 1, &segments, &[], &known);
        assert_eq!(heard.acknowledgement.as_deref(), Some("请稍等"));
        assert_eq!(
            (heard.heard_text.as_str(), heard.first_substantive_ms),
            ("请稍等 我查查 maple 街", Some(2_000))
        );
    }

    #[test]
    fn an_acknowledgement_alone_or_nothing_is_a_missed_turn_unless_the_caller_did_not_wait() {
        let segments = [segment(3_500, 4_000, "one moment")];
        let ends = |closed, segments: &[Segment]| {
            let turns = [SpokenTurn { closed: Some(closed), ..turn(1_000, 2_000) }];
            heard(&turns, 1, segments, &[], &acknowledgements()).end
        };
        assert_eq!(ends(Closed::Waited, &segments), TurnEnd::Missed);
        assert_eq!(ends(Closed::CallEnded, &[]), TurnEnd::Missed);
        assert_eq!(ends(Closed::WentOn, &[]), TurnEnd::Continued);
        assert_eq!(ends(Closed::HungUp, &segments), TurnEnd::Abandoned);
    }

    #[test]
    fn what_is_left_of_an_interrupted_answer_does_not_answer_the_interruption() {
        let mut first = turn(1_000, 2_000);
        first.interrupted = Some(4_000 * 8);
        first.playback_stopped = Some(4_180 * 8);
        let turns = [first, turn(3_900, 5_000)];
        let segments = [
            segment(2_600, 3_950, "the house has three bedrooms"),
            segment(3_950, 4_180, "and"),
            segment(5_700, 6_500, "sure"),
        ];
        let first = heard(&turns, 1, &segments, &[], &acknowledgements());
        assert_eq!(first.heard_text, "the house has three bedrooms and");
        assert_eq!((first.end, first.playback_stopped_ms), (TurnEnd::Interrupted, Some(180)));
        let second = heard(&turns, 2, &segments, &[], &acknowledgements());
        assert_eq!((second.heard_text.as_str(), second.first_audible_ms), ("sure", Some(700)));
    }

    #[test]
    fn a_flag_belongs_to_the_answer_it_is_about_however_late_it_is_noticed() {
        let turns = [turn(1_000, 2_000), turn(4_000, 5_000)];
        let segments = [segment(2_600, 3_950, "the house"), segment(5_700, 6_500, "sure")];
        let late = Flag { at: 5_700 * 8, segment: Some(0), reason: FlagReason::NoEnd };
        let homeless = Flag { at: 5_800 * 8, segment: None, reason: FlagReason::NoStart };
        let flags_of =
            |number| heard(&turns, number, &segments, &[late, homeless], &acknowledgements()).flags;
        assert_eq!(flags_of(1), ["no_end"]);
        assert_eq!(flags_of(2), ["no_start"]);
    }

    #[test]
    fn an_answer_that_begins_before_the_caller_has_finished_took_no_time() {
        let turns = [turn(1_000, 3_000)];
        let segments = [segment(2_500, 4_000, "sorry")];
        assert_eq!(heard(&turns, 1, &segments, &[], &acknowledgements()).first_audible_ms, Some(0));
    }

    #[test]
    fn the_start_of_an_acknowledgement_is_not_substantive_until_it_differs() {
        let known = acknowledgements();
        let mut going_on = segment(0, 1, "one mo");
        going_on.complete = false;
        going_on.text = "one".to_owned();
        assert!(known.matching(&going_on).is_some());
        going_on.text = "one house".to_owned();
        assert!(known.matching(&going_on).is_none());
        going_on.text = "one".to_owned();
        going_on.complete = true;
        assert!(known.matching(&going_on).is_none(), "a whole utterance that is only a beginning is not it");
    }

    #[test]
    fn what_an_agent_makes_of_a_murmur_is_told_from_what_it_said_before_and_after() {
        let turns = [turn(0, 1_000)];
        let murmur = Murmur { turn: 1, said: None, started: 4_000 * 8, end: 4_400 * 8 };
        let cut = |onset, end| Segment { complete: false, ..segment(onset, end, "the") };
        let agent = |segments: &[Segment]| murmured(&turns, segments, &murmur).agent;
        assert_eq!(agent(&[segment(2_000, 9_000, "the house")]), AfterMurmur::WentOn);
        let between_phrases = [segment(2_000, 4_100, "the house"), segment(4_150, 7_000, "is large")];
        assert_eq!(agent(&between_phrases), AfterMurmur::WentOn);
        assert_eq!(agent(&[cut(2_000, 4_300), segment(6_500, 9_000, "house")]), AfterMurmur::SpokeAgain);
        assert_eq!(agent(&[segment(2_000, 4_300, "the house")]), AfterMurmur::Finished);
        assert_eq!(agent(&[cut(2_000, 4_300)]), AfterMurmur::FellSilent);
    }

    #[test]
    fn a_turn_that_is_judged_anew_has_other_figures_and_perhaps_no_answer_at_all() {
        let turns = [turn(1_000, 2_000)];
        let segments = [segment(3_000, 3_900, "let me look"), segment(6_000, 7_000, "tuesday is free")];
        let mut heard = heard(&turns, 1, &segments, &[], &acknowledgements());
        assert_eq!(heard.first_substantive_ms, Some(1_000));
        let announced = |piece: &HeardPiece| match piece.onset_ms {
            1_000 => PieceKind::Announcement,
            _ => PieceKind::Substantive,
        };
        heard.judge(announced);
        assert_eq!((heard.first_audible_ms, heard.first_substantive_ms), (Some(1_000), Some(4_000)));
        assert_eq!((heard.announcement.as_deref(), heard.end), (Some("let me look"), TurnEnd::Answered));
        heard.judge(|_| PieceKind::Announcement);
        assert_eq!((heard.first_substantive_ms, heard.end), (None, TurnEnd::Missed));
    }
}
