//! The recording of a call as it is heard at the caller's end of the line: what the caller said beside what they heard.
//!
//! The caller's audio is the clock. What is sent to the caller waits in a [`Playout`], and each stretch of caller audio
//! that arrives takes as much out of it: that is what they heard meanwhile. Nothing in it is silence, and a clear empties
//! it, so that words which a barge-in kept from being heard are not in the recording either.
//!
//! The conversation never waits for whoever writes. Blocks go into a bounded channel; if that is full, or a write fails,
//! the part ends there, is marked as incomplete, and the call goes on without being recorded.

use crate::{
    RecordingSink, StoreFailure,
    measure::{self, RecordingOutcome},
};
use bytes::{Bytes, BytesMut};
use seiketsu_domain::{AudioFormat, CallId};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::task::TaskTracker;

/// Length of the blocks in which audio goes to the writer.
const BLOCK_MS: usize = 200;
/// Blocks that may wait for the writer: some thirteen seconds of the call.
const BLOCKS: usize = 64;
/// Audio that may wait to be heard. An answer is shorter; a door that takes audio but whose caller sends none is broken.
const PLAYOUT_MS: usize = 300_000;
/// How long the writer may take to end a part, once it was told to. After that it is dropped, and what it had written is
/// found to be incomplete by the sweep.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pauses between two attempts to delete what a caller took the assent from.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Audio that was sent and has not been heard.
#[derive(Debug)]
struct Playout {
    waiting: VecDeque<Bytes>,
    bytes: usize,
    limit_bytes: usize,
    silence: u8,
}

/// More audio waits to be heard than a call can have.
#[derive(Debug, PartialEq, Eq)]
struct PlayoutFull;

impl Playout {
    fn new(format: AudioFormat) -> Self {
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            limit_bytes: PLAYOUT_MS * format.bytes_per_ms(),
            silence: silence(format),
        }
    }

    fn sent(&mut self, audio: Bytes) -> Result<(), PlayoutFull> {
        if self.bytes + audio.len() > self.limit_bytes {
            return Err(PlayoutFull);
        }
        self.bytes += audio.len();
        if !audio.is_empty() {
            self.waiting.push_back(audio);
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }

    /// What is heard in the time of so many bytes, appended to `heard`.
    fn play(&mut self, bytes: usize, heard: &mut BytesMut) {
        let end = heard.len() + bytes;
        while heard.len() < end {
            let Some(first) = self.waiting.front_mut() else { break };
            let taken = first.split_to(first.len().min(end - heard.len()));
            self.bytes -= taken.len();
            heard.extend_from_slice(&taken);
            if first.is_empty() {
                self.waiting.pop_front();
            }
        }
        heard.resize(end, self.silence);
    }
}

/// The code of a sample without sound.
const fn silence(format: AudioFormat) -> u8 {
    match format {
        AudioFormat::Mulaw8k => 0xff,
        AudioFormat::Alaw8k => 0xd5,
        AudioFormat::Pcm16k | AudioFormat::Pcm24k => 0,
    }
}

/// Equally long stretches of both sides.
struct Block {
    caller: Bytes,
    agent: Bytes,
}

/// How a part ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Complete,
    Abandoned,
    Withdrawn,
}

/// A part that is being written.
#[derive(Debug)]
struct Part {
    blocks: mpsc::Sender<Block>,
    ending: watch::Sender<Option<Ending>>,
    caller: BytesMut,
    agent: BytesMut,
}

/// Records one call, while its caller agrees.
#[derive(Debug)]
pub(crate) struct Recorder {
    sink: Arc<dyn RecordingSink>,
    format: AudioFormat,
    call: CallId,
    writers: TaskTracker,
    playout: Playout,
    part: Option<Part>,
    /// Who writes the latest part, or has written it; none if there is nothing to take back.
    writer: Option<JoinHandle<()>>,
    /// Who deletes what the caller took the assent from.
    withdrawal: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Ready to record; writers run on `writers`, and end at most [`PATIENCE`] after their part.
    pub(crate) fn new(
        sink: Arc<dyn RecordingSink>,
        format: AudioFormat,
        call: CallId,
        writers: TaskTracker,
    ) -> Self {
        Self {
            sink,
            format,
            call,
            writers,
            playout: Playout::new(format),
            part: None,
            writer: None,
            withdrawal: None,
        }
    }

    /// The caller agrees to being recorded from now on, or does not agree (any more): then nothing that was recorded of
    /// the call is kept, be it in a part that has ended or was written before the call was cut.
    pub(crate) fn assent(&mut self, agrees: bool) {
        if !agrees {
            self.end(Ending::Withdrawn);
            self.withdraw();
        } else if self.part.is_none() {
            self.begin();
        }
    }

    /// Audio was sent to the caller.
    pub(crate) fn sent(&mut self, audio: Bytes) {
        if self.playout.sent(audio).is_err() {
            self.playout.clear();
            self.give_up("more audio waits to be heard than a call can have");
        }
    }

    /// What was sent and not heard was dropped.
    pub(crate) fn cleared(&mut self) {
        self.playout.clear();
    }

    /// Audio of the caller has arrived.
    pub(crate) fn received(&mut self, mut audio: &[u8]) {
        let block_bytes = BLOCK_MS * self.format.bytes_per_ms();
        while !audio.is_empty() {
            let Some(part) = &mut self.part else {
                // Heard all the same.
                let mut heard = BytesMut::with_capacity(audio.len());
                self.playout.play(audio.len(), &mut heard);
                return;
            };
            let (now, later) = audio.split_at(audio.len().min(block_bytes - part.caller.len()));
            part.caller.extend_from_slice(now);
            self.playout.play(now.len(), &mut part.agent);
            audio = later;
            if part.caller.len() == block_bytes && !part.flush() {
                self.give_up("its writer does not keep up");
            }
        }
    }

    /// The call is over.
    pub(crate) fn finish(mut self) {
        if self.part.is_some() {
            self.end(Ending::Complete);
        }
    }

    fn begin(&mut self) {
        let (blocks, to_write) = mpsc::channel(BLOCKS);
        let (ending, ends) = watch::channel(None);
        let (sink, format, call) = (Arc::clone(&self.sink), self.format, self.call);
        // Of a part that is given again after a withdrawal, nothing may be deleted by that.
        let before = self.withdrawal.take();
        self.writer = Some(self.writers.spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            let outcome = write(sink.as_ref(), format, to_write, ends).await.unwrap_or_else(|failure| {
                tracing::warn!(%call, %failure, "a part of the recording is not complete");
                RecordingOutcome::Failed
            });
            measure::recording(outcome);
        }));
        self.part = Some(Part { blocks, ending, caller: BytesMut::new(), agent: BytesMut::new() });
    }

    /// Has everything deleted that there is of the call, as soon as nobody writes to it, however often that takes: of all
    /// that is done for a recording, only this is owed to the caller.
    fn withdraw(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        let (sink, call) = (Arc::clone(&self.sink), self.call);
        self.withdrawal = Some(self.writers.spawn(async move {
            // A writer that panicked writes nothing more either.
            let _ = writer.await;
            let mut pause = FIRST_PAUSE;
            while let Err(failure) = sink.withdraw().await {
                tracing::error!(%call, %failure, "a recording that the caller took the assent from is not deleted yet");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            tracing::info!(%call, "the recording is deleted: the caller took the assent back");
        }));
    }

    fn give_up(&mut self, why: &'static str) {
        if self.part.is_some() {
            tracing::warn!(call = %self.call, why, "the recording ends before the call");
            self.end(Ending::Abandoned);
        }
    }

    fn end(&mut self, ending: Ending) {
        let Some(mut part) = self.part.take() else { return };
        let ending = match ending {
            Ending::Complete if !part.flush() => Ending::Abandoned,
            Ending::Complete | Ending::Abandoned | Ending::Withdrawn => ending,
        };
        // A writer that is gone has said why in the log.
        part.ending.send_replace(Some(ending));
    }
}

impl Part {
    /// Gives what has been collected to the writer; `false` if that does not take it.
    fn flush(&mut self) -> bool {
        if self.caller.is_empty() {
            return !self.blocks.is_closed();
        }
        let block = Block { caller: self.caller.split().freeze(), agent: self.agent.split().freeze() };
        self.blocks.try_send(block).is_ok()
    }
}

/// Writes one part from its first block to its end.
async fn write(
    sink: &dyn RecordingSink,
    format: AudioFormat,
    blocks: mpsc::Receiver<Block>,
    ends: watch::Receiver<Option<Ending>>,
) -> Result<RecordingOutcome, StoreFailure> {
    let mut overdue = ends.clone();
    tokio::select! {
        biased;
        outcome = write_blocks(sink, format, blocks, ends) => outcome,
        () = async {
            ended(&mut overdue).await;
            tokio::time::sleep(PATIENCE).await;
        } => Err(StoreFailure(format!("its writer did not end within {} s", PATIENCE.as_secs()))),
    }
}

async fn write_blocks(
    sink: &dyn RecordingSink,
    format: AudioFormat,
    mut blocks: mpsc::Receiver<Block>,
    mut ends: watch::Receiver<Option<Ending>>,
) -> Result<RecordingOutcome, StoreFailure> {
    let mut writer = sink.begin(format).await?;
    loop {
        let block = tokio::select! {
            biased;
            () = withdrawn(&mut ends) => None,
            block = blocks.recv() => block,
        };
        let Some(block) = block else { break };
        // Nothing of it is kept once the assent is withdrawn: then a write may be left in the middle, and only then.
        let written = tokio::select! {
            biased;
            () = withdrawn(&mut ends) => break,
            written = writer.write(block.caller, block.agent) => written,
        };
        if let Err(failure) = written {
            // The recorder sees that nobody takes its blocks any more, and ends the part too.
            drop(blocks);
            tokio::time::timeout(PATIENCE, writer.abandon())
                .await
                .unwrap_or_else(|_| Err(failure.clone()))?;
            return Err(failure);
        }
    }
    match ended(&mut ends).await {
        Ending::Complete => writer.finish().await.map(|()| RecordingOutcome::Complete),
        Ending::Abandoned => writer.abandon().await.map(|()| RecordingOutcome::Incomplete),
        Ending::Withdrawn => Ok(RecordingOutcome::Withdrawn),
    }
}

/// Resolves when the part has ended. A recorder that is gone without a word has not come to the end of the call.
async fn ended(ends: &mut watch::Receiver<Option<Ending>>) -> Ending {
    ends.wait_for(Option::is_some).await.ok().and_then(|ending| *ending).unwrap_or(Ending::Abandoned)
}

/// Resolves when the caller does not agree any more; never otherwise.
async fn withdrawn(ends: &mut watch::Receiver<Option<Ending>>) {
    if ends.wait_for(|ending| *ending == Some(Ending::Withdrawn)).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
#[path = "recorder_tests.rs"]
mod tests;
