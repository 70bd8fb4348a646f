//! What must not reach a log by accident.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A caller's words or data. `Debug` shows only that something is there; [`Pii::expose`] is the one way in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Wraps.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
    /// Looks at the value, on purpose.
    pub const fn expose(&self) -> &T {
        &self.0
    }
    /// Unwraps, on purpose.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pii(…)")
    }
}

impl<T> From<T> for Pii<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}
