//! What a real-estate agent can do on a call, and where a call is kept: `session`'s ports over `storage`.
//!
//! [`BrokerageDesk`] opens a [`CallDesk`](seiketsu_session::CallDesk) for each call: a store that keeps turns while the
//! database is away, the [`tools`] of the agent, and the [`prompt`]. The rules that can be wrong are pure and have a
//! module each: viewing [`hours`] over clock changes, the [`score`] of a lead. [`recovery`] closes what dead replicas
//! left behind; [`outbox`] sends the mail that tools enqueue; [`demo`] fills an empty database.
//!
//! It refuses to be: a place for SQL (that is `storage`), for HTTP, or for decisions about the conversation (those are
//! the engine's and the model's).
//!
//! Architecture invariants:
//! - tenant, call, caller and time zone come from the session, never from a model's arguments;
//! - arguments are untrusted: bounded, parsed at the edge, refused with a hint the model can act on;
//! - another brokerage's id, an unknown id and nonsense get the same answer;
//! - a tool may be repeated: a viewing is booked once, a person is one lead, a message is left once;
//! - whom a caller is put through to comes from the tenant's own list; what a mail says is composed here;
//! - a finished turn is committed, or waits in order, or its loss is an error the session sees; never silence.
//!
//! To add one more tool: see [`tools`]. To add one more rule of scoring: a line in [`score::score`] and one in its table.

mod arguments;
mod desk;
mod ledger;
mod notebook;
mod phone;
mod phrases;
mod spool;
mod summary;
#[cfg(test)]
mod test_support;
mod view;

pub mod demo;
pub mod hours;
pub mod outbox;
pub mod prompt;
pub mod recording;
pub mod recovery;
pub mod score;
pub mod tools;

pub use desk::BrokerageDesk;
pub use phrases::KeptPhrases;
pub use recovery::{Recovery, recover_orphans};
