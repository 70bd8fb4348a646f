//! PostgreSQL: where everything that was acknowledged is kept, each tenant's rows behind a wall of their own.
//!
//! What is here: the private [`cluster`] of a machine without a database, roles and migrations ([`setup`]), the two ways
//! to a transaction (`Db::tenant` and `Db::system`), and one module per noun with the functions on it. All SQL of the
//! platform is in this crate. It refuses to be an object mapper, and it knows neither HTTP nor calls in progress.
//!
//! Architecture invariants:
//! - the pools are private: a `TenantTx` exists only for a [`TenantScope`](seiketsu_domain::TenantScope), a scope only
//!   because a row of `platform.tenants` was read, and a `SystemTx` only for a `Reason`;
//! - row-level security is forced on every table of schema `public`, and [`catalogue`] can prove it;
//! - every statement on tenant data names `tenant_id` as well: the policies are a seatbelt, not the steering;
//! - [`DbError`] says what a caller can do about it and never carries the driver's text, which may quote rows;
//! - time is a parameter; the database's own clock stamps audit rows only.
//!
//! To add one more noun: a table in a new migration (see `migrations/README.md`), a module here with its row type and
//! functions on `&mut TenantTx`, a test through `testkit`; then `cargo xtask generate` for the checked queries.

mod endpoint;
mod error;

pub mod catalogue;
pub mod cluster;
pub mod setup;

#[cfg(feature = "repositories")]
mod bounded;
#[cfg(feature = "repositories")]
mod db;
#[cfg(feature = "repositories")]
mod names;
#[cfg(feature = "repositories")]
mod reason;
#[cfg(feature = "repositories")]
mod time;

#[cfg(feature = "repositories")]
pub mod agents;
#[cfg(feature = "repositories")]
pub mod callbacks;
#[cfg(feature = "repositories")]
pub mod calls;
#[cfg(feature = "repositories")]
pub mod ids;
#[cfg(feature = "repositories")]
pub mod leads;
#[cfg(feature = "repositories")]
pub mod listings;
#[cfg(feature = "repositories")]
pub mod members;
#[cfg(feature = "repositories")]
pub mod outbox;
#[cfg(feature = "repositories")]
pub mod phrases;
#[cfg(feature = "repositories")]
pub mod platform;
#[cfg(feature = "repositories")]
pub mod recordings;
#[cfg(feature = "repositories")]
pub mod settings;
#[cfg(feature = "repositories")]
pub mod transfer_targets;
#[cfg(feature = "repositories")]
pub mod transfers;
#[cfg(feature = "repositories")]
pub mod turns;
#[cfg(feature = "repositories")]
pub mod usage;
#[cfg(feature = "repositories")]
pub mod viewings;
#[cfg(feature = "repositories")]
pub mod voice_messages;

#[cfg(feature = "repositories")]
pub use db::{Db, DbOptions, SystemTx, TenantTx};
pub use endpoint::{Endpoint, EndpointError};
pub use error::DbError;
#[cfg(feature = "repositories")]
pub use names::UnknownName;
#[cfg(feature = "repositories")]
pub use reason::Reason;
