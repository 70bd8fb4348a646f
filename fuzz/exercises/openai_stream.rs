//! A streamed chat completion, cut into pieces. The first byte is the size of the pieces.

use seiketsu_providers::{
    GenerationEvent,
    openai::wire::{StreamError, StreamParser},
};

pub(crate) fn run(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else { return };
    let whole = read(stream, stream.len().max(1));
    let cut = read(stream, usize::from(*piece).max(1));
    assert_eq!(whole, cut, "how the bytes are cut changes nothing");

    let (events, _) = whole;
    let kept: usize = events.iter().map(size).sum();
    assert!(kept <= stream.len(), "{kept} bytes out of {}", stream.len());
    let last = events.iter().position(|event| matches!(event, GenerationEvent::Finished { .. }));
    assert!(last.is_none_or(|last| last + 1 == events.len()), "nothing follows the end");
}

fn read(stream: &[u8], piece: usize) -> (Vec<GenerationEvent>, Result<bool, StreamError>) {
    let mut parser = StreamParser::new();
    let mut events = Vec::new();
    for piece in stream.chunks(piece) {
        if let Err(error) = parser.push(piece, &mut events) {
            return (events, Err(error));
        }
    }
    events.extend(parser.end());
    (events, Ok(parser.is_done()))
}

fn size(event: &GenerationEvent) -> usize {
    match event {
        GenerationEvent::Text(text) => text.len(),
        GenerationEvent::ToolCall { request, name, arguments } => {
            request.len() + name.len() + arguments.len()
        }
        GenerationEvent::ToolCallBegun | GenerationEvent::Finished { .. } | GenerationEvent::Failed(_) => 0,
    }
}
