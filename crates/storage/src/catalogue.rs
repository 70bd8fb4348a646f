//! Proof that the tenants' walls stand: what the system catalogue says about roles, grants, policies, keys and indexes.
//!
//! The rules are in `catalogue.sql`, one branch each; a test breaks every one of them in a scratch database and sees it
//! reported. To add one more: a branch there, and a line in `tests/it/catalogue.rs` that breaks it.

use crate::{DbError, Endpoint};
use std::fmt;

/// One way in which a role could reach past a wall.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// The rule that is broken.
    pub rule: String,
    /// The relation, policy, key, function or role that breaks it.
    pub object: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.object)
    }
}

/// Every defect of a database, sorted; none is what it must be. Any login will do: the catalogue is readable to all.
pub async fn defects(database: &Endpoint) -> Result<Vec<Defect>, DbError> {
    let mut connection = database.connect().await?;
    let rows: Vec<(String, String)> =
        sqlx::query_as(include_str!("catalogue.sql")).fetch_all(&mut connection).await?;
    Ok(rows.into_iter().map(|(rule, object)| Defect { rule, object }).collect())
}
