//! How recordings are listened to: the port that whoever serves them reads through.

use async_trait::async_trait;
use bytes::Bytes;
use seiketsu_domain::{CallId, TenantScope};
use std::fmt::Debug;

/// Why a recording cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFailure {
    /// What was stored is not what was recorded: it was changed, moved, or cut off. The text is for the log.
    #[error("the recording is damaged: {0}")]
    Damaged(String),
    /// The place where it is kept cannot be reached; later it may be. The text is for the log.
    #[error("the recording cannot be reached: {0}")]
    Away(String),
}

/// A part of a recording, opened.
#[derive(Debug)]
pub struct OpenRecording {
    /// What its bytes are.
    pub media_type: &'static str,
    /// How many bytes [`RecordingReader::next`] will yield in all.
    pub length_bytes: u64,
    /// Whether it was recorded to its end.
    pub complete: bool,
    /// The bytes.
    pub reader: Box<dyn RecordingReader>,
}

/// The bytes of a recording, a few seconds at a time, in order.
#[async_trait]
pub trait RecordingReader: Send + Debug {
    /// The next bytes; `None` at the end. After an error there are no more.
    async fn next(&mut self) -> Result<Option<Bytes>, ArchiveFailure>;
}

/// Opens recordings. Made once; the real-estate one lives in `brokerage`.
#[async_trait]
pub trait RecordingArchive: Send + Sync + Debug {
    /// Opens a part of a call's recording; `None` if there is none, it was deleted, or it is somebody else's.
    async fn open(
        &self,
        scope: TenantScope,
        call: CallId,
        part: u32,
    ) -> Result<Option<OpenRecording>, ArchiveFailure>;
}
