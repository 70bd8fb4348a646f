//! The answer to a transcription, streamed or not, cut into pieces. The first byte is the size of the pieces.

use seiketsu_providers::openai::transcription::wire::{AnswerError, AnswerParser, Heard};

pub(crate) fn run(data: &[u8]) {
    let Some((piece, answer)) = data.split_first() else { return };
    let whole = read(answer, answer.len().max(1));
    let cut = read(answer, usize::from(*piece).max(1));
    assert_eq!(whole, cut, "how the bytes are cut changes nothing");

    let (heard, outcome) = whole;
    let last = heard.iter().position(|heard| matches!(heard, Heard::All { .. }));
    assert!(last.is_none_or(|last| last + 1 == heard.len()), "nothing follows the end");
    assert!(outcome.is_err() || last.is_some(), "an answer has an end");
    for heard in &heard {
        let (Heard::SoFar(words) | Heard::All { text: words, .. }) = heard;
        assert!(words.len() <= answer.len(), "nothing is made up");
    }
}

fn read(answer: &[u8], piece: usize) -> (Vec<Heard>, Result<(), AnswerError>) {
    let mut parser = AnswerParser::new();
    let mut heard = Vec::new();
    for piece in answer.chunks(piece) {
        if let Err(error) = parser.push(piece, &mut heard) {
            return (heard, Err(error));
        }
    }
    let end = parser.end(&mut heard);
    (heard, end)
}
