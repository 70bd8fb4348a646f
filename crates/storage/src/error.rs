//! What can go wrong between us and PostgreSQL, sorted by what a caller can do about it.

use sqlx::{Error, error::DatabaseError};
use std::borrow::Cow;

/// A failure of the database or of a statement.
///
/// The text of a variant is safe to log and to show to operators. The driver's own text may quote rows and is reachable
/// only as the source.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Nothing listens, the connection broke or carried something that is not PostgreSQL's protocol, the server shuts
    /// down, or no connection became free in time. Whether a statement in flight took effect is unknown.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Error),
    /// The statement ran longer than it may.
    #[error("the database took too long")]
    Timeout(#[source] Error),
    /// Deadlock or serialisation failure: the whole transaction may be tried again at once.
    #[error("the transaction collided with another one")]
    Contended(#[source] Error),
    /// A unique or exclusion constraint: such a row exists already.
    #[error("such a row exists already (`{constraint}`)")]
    Conflict {
        /// The constraint's name.
        constraint: String,
    },
    /// A foreign key: the row refers to one which is not there, or belongs to somebody else.
    #[error("a row that is referred to does not exist (`{constraint}`)")]
    BrokenReference {
        /// The constraint's name.
        constraint: String,
    },
    /// A check constraint or a value of the wrong shape.
    #[error("a value is not allowed (`{constraint}`)")]
    Invalid {
        /// The constraint's name, or what PostgreSQL calls the class of the failure.
        constraint: String,
    },
    /// The row that was to be changed is not there, or belongs to somebody else.
    #[error("no such {what}")]
    Missing {
        /// The noun.
        what: &'static str,
    },
    /// The role may not do this: row-level security or a missing grant. A bug, or an attack.
    #[error("the database role may not do this")]
    Forbidden(#[source] Error),
    /// A stored value that this release cannot read.
    #[error("a stored {what} cannot be read")]
    Unreadable {
        /// The noun.
        what: &'static str,
    },
    /// The role is not what it must be: it would go around row-level security.
    #[error(
        "role `{role}` is {found}, which row-level security does not bind; run `seiketsu migrate` as administrator"
    )]
    UnsafeRole {
        /// The role that was connected as.
        role: String,
        /// What is wrong with it.
        found: &'static str,
    },
    /// The database has not been migrated to what this release needs.
    #[error("the database is at migration {found} and this release needs {needed}; run `seiketsu migrate`")]
    SchemaBehind {
        /// The newest migration that was applied; 0 if none.
        found: i64,
        /// The newest one that this release knows.
        needed: i64,
    },
    /// Anything else: a bug in a statement.
    #[error("a statement failed")]
    Statement(#[source] Error),
}

impl DbError {
    /// Whether the database is away or overloaded: the same work may succeed later, and nothing is wrong with it.
    pub const fn is_away(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Timeout(_) | Self::Contended(_) => true,
            Self::Conflict { .. }
            | Self::BrokenReference { .. }
            | Self::Invalid { .. }
            | Self::Missing { .. }
            | Self::Forbidden(_)
            | Self::Unreadable { .. }
            | Self::UnsafeRole { .. }
            | Self::SchemaBehind { .. }
            | Self::Statement(_) => false,
        }
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        if let Error::Database(database) = &error {
            return match classify(database.as_ref()) {
                Class::Away => Self::Unavailable(error),
                Class::Slow => Self::Timeout(error),
                Class::Contended => Self::Contended(error),
                Class::Forbidden => Self::Forbidden(error),
                Class::Conflict(constraint) => Self::Conflict { constraint },
                Class::BrokenReference(constraint) => Self::BrokenReference { constraint },
                Class::Invalid(constraint) => Self::Invalid { constraint },
                Class::Other => Self::Statement(error),
            };
        }
        let away = matches!(
            error,
            Error::Io(_)
                | Error::Tls(_)
                | Error::Protocol(_)
                | Error::PoolTimedOut
                | Error::PoolClosed
                | Error::WorkerCrashed
                | Error::BeginFailed
        );
        if away { Self::Unavailable(error) } else { Self::Statement(error) }
    }
}

enum Class {
    Away,
    Slow,
    Contended,
    Forbidden,
    Conflict(String),
    BrokenReference(String),
    Invalid(String),
    Other,
}

/// By SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn classify(error: &dyn DatabaseError) -> Class {
    let code = error.code().unwrap_or(Cow::Borrowed(""));
    let constraint = || error.constraint().unwrap_or("unnamed").to_owned();
    match &*code {
        // Shutting down, starting up, too many connections; class 08 is the connection itself.
        "57P01" | "57P02" | "57P03" | "57P05" | "53300" => Class::Away,
        code if code.starts_with("08") => Class::Away,
        "57014" | "55P03" | "25P03" | "25P04" => Class::Slow,
        "40001" | "40P01" => Class::Contended,
        "42501" | "28000" | "28P01" => Class::Forbidden,
        "23505" | "23P01" => Class::Conflict(constraint()),
        "23503" => Class::BrokenReference(constraint()),
        "23514" | "23502" => Class::Invalid(constraint()),
        code if code.starts_with("22") => Class::Invalid(format!("sqlstate {code}")),
        _ => Class::Other,
    }
}
