//! Who asks, and what they may do.
//!
//! Three kinds of people and programs come in: an operator with an operator's key, a tenant's program with an API key,
//! and a member of a tenant with the cookie that signing in at the console gave them. Each permission is an extractor, so
//! that a handler's parameters say who may call it:
//!
//! | extractor | operator's key | tenant's key | member's cookie |
//! |---|---|---|---|
//! | [`Operator`] | yes | | |
//! | [`Reader`] | any tenant, named by `tenant=` | its own | their own |
//! | [`Member`](member::Member) | | | yes |
//! | `realtime::Authority` | | yes | whoever may do more than look |
//!
//! A cookie is good for changes, and for sockets, only from a page of our own: the request has to carry our `Origin`. The
//! cookie is `HttpOnly` and `SameSite=Strict` as well.

mod allowance;
mod asker;
mod attempts;
pub(crate) mod cookie;
pub(crate) mod member;
mod operator;
pub(crate) mod password;
mod per_tenant;
mod reader;

pub use allowance::RatePerMinute;
pub(crate) use allowance::{Allowance, Allowances, Left, Payer};
pub(crate) use asker::{Asker, is_own_page};
pub(crate) use attempts::Attempts;
pub(crate) use operator::{Operator, bearer};
pub(crate) use per_tenant::PerTenant;
pub(crate) use reader::{Reader, own_tenant};
