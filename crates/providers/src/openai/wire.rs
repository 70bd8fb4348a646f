//! The chat completions protocol, without sockets.
//!
//! Source: OpenAI's API reference, "Create chat completion" and "Streaming events".

mod request;
pub(super) mod sse;
mod stream;

pub use request::request_body;
pub(super) use stream::vendors_error;
pub use stream::{StreamError, StreamParser};

/// The most tool calls one run may ask for.
pub const MAX_TOOL_CALLS: usize = 32;
/// The longest arguments of one tool call.
pub const MAX_ARGUMENTS_BYTES: usize = 64 * 1024;
/// The longest line of the stream.
pub const MAX_LINE_BYTES: usize = 256 * 1024;
/// The longest answer, envelope included.
pub const MAX_STREAM_BYTES: usize = 16 * 1024 * 1024;
