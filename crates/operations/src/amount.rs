//! Amounts of money that are not known exactly.

use serde::Serialize;
use std::{
    iter::Sum,
    ops::{Add, AddAssign, Mul, Sub},
};

/// US dollars between two bounds, and what is most likely.
///
/// An estimate, never a debt: bills are counted in [`seiketsu_domain::MicroDollars`]. Floats, because unit prices go down to
/// fractions of a micro-dollar and bounds are wider than any rounding.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Amount {
    /// If every price in doubt is the lowest one.
    pub low: f64,
    /// If every price is the one that has most for it.
    pub likely: f64,
    /// If every price in doubt is the highest one.
    pub high: f64,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self::exactly(0.0);

    /// An amount without doubt.
    pub const fn exactly(dollars: f64) -> Self {
        Self { low: dollars, likely: dollars, high: dollars }
    }

    /// Whether the bounds are the same to the cent.
    pub fn is_certain(self) -> bool {
        (self.high - self.low).abs() < 0.005
    }

    /// What is left of it after a discount, whose bounds are shares of one. The highest discount leaves the lowest amount.
    #[must_use]
    pub fn less(self, share: Self) -> Self {
        Self {
            low: self.low * (1.0 - share.high),
            likely: self.likely * (1.0 - share.likely),
            high: self.high * (1.0 - share.low),
        }
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { low: self.low + other.low, likely: self.likely + other.likely, high: self.high + other.high }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The difference of two amounts that rest on the same prices: low with low, high with high. The bounds are ordered anew,
/// because what is saved on a dear price may be less than on a cheap one.
impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        let (a, b) = (self.low - other.low, self.high - other.high);
        Self { low: a.min(b), likely: self.likely - other.likely, high: a.max(b) }
    }
}

impl Mul<f64> for Amount {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self { low: self.low * factor, likely: self.likely * factor, high: self.high * factor }
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_discount_leaves_the_lowest_amount() {
        let left = Amount { low: 100.0, likely: 100.0, high: 110.0 }.less(Amount {
            low: 0.3,
            likely: 0.5,
            high: 0.7,
        });
        assert!((left.low - 30.0).abs() < 1e-9 && (left.high - 77.0).abs() < 1e-9, "{left:?}");
        assert!((left.likely - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_difference_keeps_its_bounds_in_order() {
        let saved =
            Amount { low: 10.0, likely: 12.0, high: 14.0 } - Amount { low: 3.0, likely: 6.0, high: 9.0 };
        assert!((saved.low - 5.0).abs() < 1e-9 && (saved.high - 7.0).abs() < 1e-9, "{saved:?}");
    }
}
