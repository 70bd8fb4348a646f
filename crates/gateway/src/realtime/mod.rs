//! A WebSocket that speaks OpenAI's realtime protocol, for programs that were written against it.

pub mod wire;
