//! Money as integers.

use serde::{Deserialize, Serialize};
use std::{fmt, iter::Sum, ops::Add};
use utoipa::ToSchema;

/// Micro-dollars: one millionth of a US dollar. Never a float.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema,
)]
#[serde(transparent)]
pub struct MicroDollars(pub i64);

impl MicroDollars {
    /// Whole dollars.
    pub const fn dollars(dollars: i64) -> Self {
        Self(dollars * 1_000_000)
    }
}

impl Add for MicroDollars {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for MicroDollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), Add::add)
    }
}

impl fmt::Display for MicroDollars {
    /// `$1.234567`, with trailing zeros beyond the cents left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs() / 1_000_000;
        let mut fraction = format!("{:06}", self.0.unsigned_abs() % 1_000_000);
        while fraction.len() > 2 && fraction.ends_with('0') {
            fraction.pop();
        }
        write!(f, "{sign}${whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_shows_cents_and_as_many_more_digits_as_it_has() {
        assert_eq!(MicroDollars::dollars(3).to_string(), "$3.00");
        assert_eq!(MicroDollars(-1_234_500).to_string(), "-$1.2345");
        assert_eq!(MicroDollars(7).to_string(), "$0.000007");
    }
}
