//! Which of the agent's pieces were answers: the caller's ears against the platform's own record of the turn.
//!
//! When something was heard is the caller's measurement alone. What it *was* the words decide where they can: an
//! acknowledgement is one of the agent's own, or the one that the record of the turn names. An announcement ("Let me look
//! at Tuesday.") has no words of its own; it is told from the answer by the time at which the platform says that the
//! answer was played, or if nothing came back to say so, at which it was sent: what was heard before cannot have been it.

use seiketsu_audio::subcarrier::normalise_text;
use seiketsu_carrier::{CallReport, HeardTurn, PieceKind, report::HeardPiece};
use seiketsu_domain::Stage;
use seiketsu_gateway::v1::call::TurnView;

/// The platform's estimate of the end of speech is this close to the caller's, or it is that of another turn.
const SAME_TURN_US: u64 = 1_500_000;
/// A piece that was heard is this close to where the platform says it was played, or it is another one.
const SAME_PIECE_MS: u64 = 500;

/// Judges each answer anew by the stored turn it belongs to. Turns without one stay as the caller judged them.
pub(super) fn classify(report: &mut CallReport, stored: &[TurnView]) {
    for turn in &mut report.turns {
        if let Some(stored) = stored_of(turn, stored) {
            let witness = Witness::of(turn, stored);
            turn.judge(|piece| witness.kind(piece));
        }
    }
}

/// The stored turn that a turn of the caller became: the one that ended its speech at the same time.
pub(super) fn stored_of<'a>(heard: &HeardTurn, stored: &'a [TurnView]) -> Option<&'a TurnView> {
    let apart = |turn: &TurnView| Some(end_of_speech_us(turn)?.abs_diff(heard.end_of_speech.as_micros()));
    let near = stored.iter().filter_map(|turn| Some((apart(turn)?, turn)));
    near.filter(|(apart, _)| *apart <= SAME_TURN_US).min_by_key(|(apart, _)| *apart).map(|(_, turn)| turn)
}

/// The turn of the caller that became a stored turn.
pub(super) fn heard_of<'a>(stored: &TurnView, report: &'a CallReport) -> Option<&'a HeardTurn> {
    let at = end_of_speech_us(stored)?;
    let near = report.turns.iter().map(|turn| (turn.end_of_speech.as_micros().abs_diff(at), turn));
    near.filter(|(apart, _)| *apart <= SAME_TURN_US).min_by_key(|(apart, _)| *apart).map(|(_, turn)| turn)
}

fn end_of_speech_us(turn: &TurnView) -> Option<u64> {
    turn.stages_us.get(&Stage::EndOfSpeech).copied()
}

/// What the record says of the pieces of an answer.
struct Witness<'a> {
    stored: &'a TurnView,
    /// Where the answer proper begins; what was heard before it announced it. `None` where nothing was announced.
    answer_onset_ms: Option<u64>,
}

impl<'a> Witness<'a> {
    fn of(heard: &HeardTurn, stored: &'a TurnView) -> Self {
        let mut witness = Self { stored, answer_onset_ms: None };
        if stored.announcement_sent_us.is_none() {
            return witness;
        }
        let at_us = |stage| stored.stages_us.get(&stage).copied();
        // What is sent may wait behind what is still being played.
        let answer_us = at_us(Stage::FirstAudioPlayed).or_else(|| at_us(Stage::FirstAudioSent));
        witness.answer_onset_ms = Some(match answer_us.zip(end_of_speech_us(stored)) {
            Some((answer, end)) => {
                let answer_ms = answer.saturating_sub(end) / 1_000;
                let onsets = heard.pieces.iter().filter(|piece| !witness.acknowledges(piece));
                // Two clocks and two estimates of the end of speech: the nearest piece, not the next one.
                let nearest =
                    onsets.map(|piece| piece.onset_ms).min_by_key(|onset| onset.abs_diff(answer_ms));
                nearest.filter(|onset| onset.abs_diff(answer_ms) <= SAME_PIECE_MS).unwrap_or(answer_ms)
            }
            // It never came.
            None => u64::MAX,
        });
        witness
    }

    fn acknowledges(&self, piece: &HeardPiece) -> bool {
        let same_words = |text: &str| normalise_text(text) == normalise_text(&piece.text);
        piece.kind == PieceKind::Acknowledgement
            || self.stored.acknowledgement.as_deref().is_some_and(same_words)
    }

    fn kind(&self, piece: &HeardPiece) -> PieceKind {
        if self.acknowledges(piece) {
            PieceKind::Acknowledgement
        } else if self.answer_onset_ms.is_some_and(|onset_ms| piece.onset_ms < onset_ms) {
            PieceKind::Announcement
        } else {
            PieceKind::Substantive
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_carrier::TurnEnd;
    use seiketsu_domain::{CallTime, TurnOutcome, Usage};
    use std::collections::BTreeMap;

    fn stored(end_of_speech_ms: u64, answer_sent_ms: Option<u64>, acknowledgement: Option<&str>) -> TurnView {
        let mut stages_us = BTreeMap::from([(Stage::EndOfSpeech, end_of_speech_ms * 1_000)]);
        if let Some(sent_ms) = answer_sent_ms {
            stages_us.insert(Stage::FirstAudioSent, sent_ms * 1_000);
        }
        let turn = serde_json::json!({
            "number": 1, "caller_text": "", "generated_text": "", "heard_text": "",
            "acknowledgement": acknowledgement, "outcome": TurnOutcome::Answered, "started_at_us": 0,
            "finished_at_us": 0, "stages_us": stages_us, "tools": [], "messages": [], "usage": Usage::default(),
        });
        serde_json::from_value(turn).unwrap()
    }

    fn heard(end_of_speech_ms: u64, pieces: &[(u64, &str)]) -> HeardTurn {
        let pieces = pieces.iter().map(|(onset_ms, text)| HeardPiece {
            onset_ms: *onset_ms,
            text: (*text).to_owned(),
            kind: PieceKind::Substantive,
        });
        HeardTurn {
            number: 1,
            said: None,
            keys: None,
            started_at: CallTime::ZERO,
            end_of_speech: CallTime::from_millis(end_of_speech_ms),
            first_audible_ms: None,
            first_substantive_ms: None,
            acknowledgement: None,
            announcement: None,
            pieces: pieces.collect(),
            heard_text: String::new(),
            flags: Vec::new(),
            interrupted_at: None,
            playback_stopped_ms: None,
            end: TurnEnd::Answered,
        }
    }

    /// The same, with an announcement and the time at which the answer was played.
    fn announced(answer_played_ms: Option<u64>, stored: TurnView) -> TurnView {
        let mut stored = TurnView { announcement_sent_us: Some(1), ..stored };
        if let Some(played_ms) = answer_played_ms {
            stored.stages_us.insert(Stage::FirstAudioPlayed, played_ms * 1_000);
        }
        stored
    }

    fn judged(mut turn: HeardTurn, stored: &TurnView) -> HeardTurn {
        let witness = Witness::of(&turn, stored);
        turn.judge(|piece| witness.kind(piece));
        turn
    }

    #[test]
    fn what_was_heard_before_the_answer_was_played_is_an_announcement() {
        let turn = heard(10_000, &[(1_100, "let me look at tuesday"), (3_400, "ten is free")]);
        // Sent before the announcement was heard, played behind it; and not known to have been played.
        for (sent, played) in [(10_900, Some(13_500)), (10_900, Some(13_220)), (13_300, None)] {
            let judged = judged(turn.clone(), &announced(played, stored(10_040, Some(sent), None)));
            assert_eq!((judged.first_audible_ms, judged.first_substantive_ms), (Some(1_100), Some(3_400)));
            assert_eq!(judged.announcement.as_deref(), Some("let me look at tuesday"));
        }
    }

    #[test]
    fn an_announcement_that_nothing_follows_is_no_answer() {
        let turn = heard(10_000, &[(1_100, "let me look at tuesday")]);
        let judged = judged(turn, &announced(None, stored(10_040, None, None)));
        assert_eq!((judged.first_substantive_ms, judged.end), (None, TurnEnd::Missed));
    }

    #[test]
    fn an_answer_in_several_phrases_is_no_announcement() {
        let turn = heard(10_000, &[(900, "ten is free"), (2_400, "so is eleven")]);
        let judged = judged(turn, &stored(9_950, Some(10_880), None));
        assert_eq!((judged.first_substantive_ms, judged.announcement), (Some(900), None));
    }

    #[test]
    fn an_acknowledgement_that_the_caller_did_not_know_is_known_from_the_record() {
        let turn = heard(10_000, &[(1_700, "still looking"), (4_000, "ten is free")]);
        let judged = judged(turn, &stored(10_000, Some(13_950), Some("Still looking…")));
        assert_eq!(
            (judged.acknowledgement.as_deref(), judged.first_substantive_ms),
            (Some("still looking"), Some(4_000))
        );
    }

    #[test]
    fn turns_belong_together_that_ended_at_the_same_time() {
        let turns = [stored(5_000, None, None), stored(10_100, None, None)];
        let of = |millis| stored_of(&heard(millis, &[]), &turns).and_then(end_of_speech_us);
        assert_eq!((of(10_000), of(5_200), of(7_500)), (Some(10_100_000), Some(5_000_000), None));
    }
}
