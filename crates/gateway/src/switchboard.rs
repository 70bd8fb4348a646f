//! Where calls are handed over: what the gateway needs of [`Sessions`], and no more.

use async_trait::async_trait;
use seiketsu_session::{BeginCall, Door, Refused, Sessions};
use std::fmt::Debug;

/// Takes calls. In the server it is [`Sessions`]; the door's own tests put an echo in the place of a conversation.
#[async_trait]
pub trait Switchboard: Send + Sync + Debug {
    /// Starts the session of a call; returns as soon as it runs.
    async fn connect(&self, begin: BeginCall, door: Door) -> Result<(), Refused>;
    /// How many calls are live on this replica.
    fn live_calls(&self) -> usize;
    /// Whether new calls are refused because the replica shuts down.
    fn is_draining(&self) -> bool;
}

#[async_trait]
impl Switchboard for Sessions {
    async fn connect(&self, begin: BeginCall, door: Door) -> Result<(), Refused> {
        self.start(begin, door).await
    }
    fn live_calls(&self) -> usize {
        Self::live_calls(self)
    }
    fn is_draining(&self) -> bool {
        Self::is_draining(self)
    }
}
