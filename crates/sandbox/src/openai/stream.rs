//! The body of an answer that comes in parts, and what may go wrong in the middle of it.

use crate::{Fault, line::Line};
use axum::body::{Body, Bytes};
use futures_util::stream;
use std::{collections::VecDeque, io, time::Duration};

/// Between the last part and the break of the connection: what was said before has to leave first.
const BEFORE_DISCONNECT: Duration = Duration::from_millis(50);

/// Parts of an answer, the first at once and each other so long after the one before. A fault strikes behind the first.
pub(super) fn body(parts: Vec<Bytes>, interval: Duration, fault: Option<Fault>, line: Line) -> Body {
    let answer = Answer { parts: parts.into(), sent: 0, interval, fault, line };
    Body::from_stream(stream::unfold(answer, Answer::next))
}

struct Answer {
    parts: VecDeque<Bytes>,
    sent: usize,
    interval: Duration,
    fault: Option<Fault>,
    line: Line,
}

impl Answer {
    async fn next(mut self) -> Option<(Result<Bytes, io::Error>, Self)> {
        if self.sent == 1 {
            match self.fault {
                Some(Fault::HalfOpen) => {
                    tokio::time::sleep(BEFORE_DISCONNECT).await;
                    self.line.silence();
                }
                Some(Fault::Disconnect) => {
                    tokio::time::sleep(BEFORE_DISCONNECT).await;
                    return Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), self));
                }
                Some(Fault::Garbage) => {
                    tokio::time::sleep(BEFORE_DISCONNECT).await;
                    self.line.garble();
                }
                Some(Fault::Stall | Fault::Refuse | Fault::RateLimit) | None => {}
            }
        }
        let part = self.parts.pop_front()?;
        if self.sent > 0 && !self.interval.is_zero() {
            tokio::time::sleep(self.interval).await;
        }
        self.sent += 1;
        Some((Ok(part), self))
    }
}
