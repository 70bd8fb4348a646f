//! One call's link to its recogniser: opened at once, reopened when it dies, audio kept meanwhile.

use crate::activity::AudioClock;
use bytes::{Bytes, BytesMut};
use seiketsu_call::Input;
use seiketsu_providers::{
    failure::Failure,
    recogniser::{RecogniserInput, RecogniserSession, RecognitionEvent},
};
use std::{collections::VecDeque, time::Duration};

/// Audio kept while the link is being opened; older audio is dropped.
const KEPT_US: u64 = 10_000_000;
/// Kept audio is sent in pieces of at least this length: a link takes only so many messages at once.
const KEPT_PIECE_US: u64 = 500_000;
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    session: Option<RecogniserSession>,
    opening: bool,
    failures: u32,
    kept: VecDeque<(Bytes, u64)>,
    kept_us: u64,
    /// Position in the caller's audio at which the open stream began.
    base_us: u64,
    /// Audio sent over all streams of the call.
    sent_us: u64,
    flush_wanted: bool,
}

impl Listener {
    /// Whether the link has to be opened, and after how long; answers once per attempt.
    pub(crate) fn wants_opening(&mut self) -> Option<Duration> {
        if self.session.is_some() || self.opening {
            return None;
        }
        self.opening = true;
        Some(match self.failures {
            0 => Duration::ZERO,
            failures => LONGEST_RETRY.min(FIRST_RETRY * 2_u32.saturating_pow(failures.min(8) - 1)),
        })
    }

    /// The next event of the open link; never resolves without one.
    pub(crate) async fn next(&mut self) -> Option<RecognitionEvent> {
        match &mut self.session {
            Some(session) => session.events.recv().await,
            None => std::future::pending().await,
        }
    }

    /// The attempt to open has ended.
    pub(crate) fn opened(
        &mut self,
        result: Result<RecogniserSession, Failure>,
        clock: &AudioClock,
    ) -> Option<Failure> {
        self.opening = false;
        match result {
            Ok(session) => {
                self.session = Some(session);
                self.base_us = clock.received_us() - self.kept_us;
                self.kept_us = 0;
                let mut piece = (BytesMut::new(), 0);
                for (audio, length_us) in std::mem::take(&mut self.kept) {
                    piece.0.extend_from_slice(&audio);
                    piece.1 += length_us;
                    if piece.1 >= KEPT_PIECE_US {
                        let (audio, length_us) = std::mem::take(&mut piece);
                        self.audio(audio.freeze(), length_us);
                    }
                }
                if piece.1 > 0 {
                    self.audio(piece.0.freeze(), piece.1);
                }
                if std::mem::take(&mut self.flush_wanted) {
                    self.flush();
                }
                None
            }
            Err(failure) => {
                self.failures += 1;
                Some(failure)
            }
        }
    }

    /// Caller audio, in order.
    pub(crate) fn audio(&mut self, audio: Bytes, length_us: u64) {
        if self.send(audio.clone(), length_us) {
            return;
        }
        self.kept.push_back((audio, length_us));
        self.kept_us += length_us;
        while self.kept_us > KEPT_US {
            let Some((_, length_us)) = self.kept.pop_front() else { break };
            self.kept_us -= length_us;
        }
    }

    fn send(&mut self, audio: Bytes, length_us: u64) -> bool {
        let Some(session) = &self.session else { return false };
        let sent = session.input.try_send(RecogniserInput::Audio(audio)).is_ok();
        if sent {
            self.sent_us += length_us;
        } else {
            // A recogniser that does not keep up with real time is a dead one.
            self.session = None;
            self.failures += 1;
        }
        sent
    }

    /// Asks for the last words now.
    pub(crate) fn flush(&mut self) {
        match &self.session {
            Some(session) => {
                let _ = session.input.try_send(RecogniserInput::Finalize);
            }
            None => self.flush_wanted = true,
        }
    }

    /// What an event means for the engine; `None` is the end of the link.
    pub(crate) fn event(
        &mut self,
        event: Option<RecognitionEvent>,
        clock: &AudioClock,
    ) -> (Option<Input>, Option<Failure>) {
        let Some(event) = event else {
            self.session = None;
            self.failures += 1;
            return (Some(Input::RecogniserLost), None);
        };
        match event {
            RecognitionEvent::SpeechStarted { .. } | RecognitionEvent::UtteranceEnd { .. } => (None, None),
            RecognitionEvent::Partial { text, .. } => (Some(Input::HeardPartly { text }), None),
            RecognitionEvent::Final { text, speech_final, from_finalize, end_ms, .. } => {
                self.failures = 0;
                let until = clock.at(self.base_us.saturating_add(end_ms.saturating_mul(1_000)));
                (Some(Input::Heard { text, until, settled: speech_final || from_finalize }), None)
            }
            RecognitionEvent::Failed(failure) => {
                self.session = None;
                self.failures += 1;
                (Some(Input::RecogniserLost), Some(failure))
            }
        }
    }

    /// Audio recognised so far, for metering.
    pub(crate) fn recognised_ms(&self) -> u64 {
        self.sent_us / 1_000
    }
}
