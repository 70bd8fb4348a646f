//! Ctrl-C, and the SIGTERM that CI sends instead of it.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whoever listens is not ended by SIGINT and SIGTERM any more, and has to do something about them.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// Begins to listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
