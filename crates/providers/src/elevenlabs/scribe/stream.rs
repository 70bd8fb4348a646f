//! What has to be remembered between the messages of one stream: which audio the vendor has, and which of it its answers
//! are about. Without sockets.

use super::wire::{self, Incoming, MIN_COMMIT_MS};
use crate::{Failure, RecognitionEvent, Vendor, g711, live::Dialect, websocket::text};
use bytes::Bytes;
use seiketsu_domain::AudioFormat;
use std::collections::VecDeque;
use tokio_tungstenite::tungstenite::Message;

/// The vendor asks for pieces of at least a tenth of a second. Only interim words wait for it: a commit takes with it
/// what has been collected.
const PIECE_MS: u64 = 100;
/// How much more than the least amount of audio a commit is filled up to.
const MARGIN_MS: u64 = 20;
/// Commits that may be unanswered. Later ones count as one with the last.
const MAX_PENDING: usize = 16;

#[derive(Debug)]
pub(super) struct Stream {
    format: AudioFormat,
    /// Audio that has not been sent yet.
    collected: Vec<u8>,
    /// Bytes of the caller's audio, sent or collected.
    heard_bytes: u64,
    /// Bytes that the vendor has had since the last commit, silence that was added included.
    uncommitted_bytes: u64,
    /// Up to where the caller's audio has been answered, in milliseconds.
    answered_ms: u64,
    /// The position of each commit that has not been answered, in milliseconds.
    pending: VecDeque<u64>,
}

impl Stream {
    pub(super) const fn new(format: AudioFormat) -> Self {
        Self {
            format,
            collected: Vec::new(),
            heard_bytes: 0,
            uncommitted_bytes: 0,
            answered_ms: 0,
            pending: VecDeque::new(),
        }
    }

    fn bytes(&self, milliseconds: u64) -> u64 {
        milliseconds * self.format.bytes_per_ms() as u64
    }

    fn heard_ms(&self) -> u64 {
        self.format.duration_us(self.heard_bytes as usize) / 1_000
    }

    fn send(&mut self, commit: bool) -> Result<Message, Failure> {
        self.uncommitted_bytes += self.collected.len() as u64;
        let audio = std::mem::take(&mut self.collected);
        let message = match self.format {
            AudioFormat::Alaw8k => wire::chunk(&g711::to_pcm(self.format, &audio), self.format, commit)?,
            AudioFormat::Mulaw8k | AudioFormat::Pcm16k | AudioFormat::Pcm24k => {
                wire::chunk(&audio, self.format, commit)?
            }
        };
        if commit {
            self.uncommitted_bytes = 0;
        }
        Ok(text(message))
    }

    fn silence(&mut self, bytes: u64) {
        let length = self.collected.len() + bytes as usize;
        self.collected.resize(length, g711::silence(self.format));
    }

    fn answer(&mut self, words: String) -> RecognitionEvent {
        let asked = self.pending.pop_front();
        // The vendor commits by itself when nobody has asked it for very long.
        let end_ms = asked.unwrap_or_else(|| self.heard_ms());
        let start_ms = std::mem::replace(&mut self.answered_ms, end_ms);
        RecognitionEvent::Final {
            text: words,
            speech_final: false,
            from_finalize: asked.is_some(),
            start_ms,
            end_ms,
            confidence: None,
        }
    }
}

impl Dialect for Stream {
    const VENDOR: Vendor = Vendor::ElevenLabs;

    fn audio(&mut self, audio: Bytes) -> Result<Option<Message>, Failure> {
        self.collected.extend_from_slice(&audio);
        self.heard_bytes += audio.len() as u64;
        let enough = self.collected.len() as u64 >= self.bytes(PIECE_MS);
        enough.then(|| self.send(false)).transpose()
    }

    fn finalize(&mut self) -> Result<Option<Message>, Failure> {
        let heard_ms = self.heard_ms();
        if self.pending.back() == Some(&heard_ms) {
            return Ok(None);
        }
        let has = self.uncommitted_bytes + self.collected.len() as u64;
        if has < self.bytes(MIN_COMMIT_MS) {
            self.silence(self.bytes(MIN_COMMIT_MS + MARGIN_MS) - has);
        }
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_back();
        }
        self.pending.push_back(heard_ms);
        self.send(true).map(Some)
    }

    fn keep_alive(&mut self) -> Result<Message, Failure> {
        // There is no other message than audio.
        self.silence(self.bytes(PIECE_MS));
        self.send(false)
    }

    fn close(&mut self) -> Result<Option<Message>, Failure> {
        if self.answered_ms == self.heard_ms() { Ok(None) } else { self.finalize() }
    }

    fn take(&mut self, message: &str) -> Result<Option<RecognitionEvent>, Failure> {
        match wire::parse(message)? {
            Incoming::Partial(words) if words.is_empty() => Ok(None),
            Incoming::Partial(text) => {
                let (start_ms, end_ms) = (self.answered_ms, self.heard_ms());
                Ok(Some(RecognitionEvent::Partial { text, start_ms, end_ms }))
            }
            Incoming::Committed(words) => Ok(Some(self.answer(words))),
            // There was nothing to say about so little audio: an answer like any other.
            Incoming::CommitIgnored if self.pending.is_empty() => Ok(None),
            Incoming::CommitIgnored => Ok(Some(self.answer(String::new()))),
            Incoming::Error(failure) => Err(failure),
            Incoming::Started | Incoming::Unknown => Ok(None),
        }
    }

    fn owes_words(&self) -> bool {
        // The vendor never hangs up by itself; the answer to the last commit is the end.
        !self.pending.is_empty()
    }

    fn owes_answer(&self) -> bool {
        !self.pending.is_empty()
    }

    fn closed_early(&self, code: Option<u16>, reason: &str) -> Failure {
        wire::closed_early(code, reason)
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
