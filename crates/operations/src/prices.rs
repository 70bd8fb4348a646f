//! The price table: `infrastructure/prices.toml`, or another file of the same shape.

use crate::amount::Amount;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The table that is part of the binary, so that a plan can be priced where the repository is not.
pub const BUILT_IN: &str = include_str!("../../../infrastructure/prices.toml");
/// A table is text that people wrote; more than this is something else.
const MAX_BYTES: usize = 1 << 20;

/// How far a price can be trusted; the table's head says what each word means. Ordered: the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One source of unknown care.
    Low,
    /// One good source, or neighbours that agree.
    Medium,
    /// An official page, or several sources that agree.
    High,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// The price of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// What is counted: `vCPU-hour`, `GB`, `share` (a discount).
    pub unit: String,
    /// Dollars for one, or the share of a discount.
    pub amount: Amount,
    /// Where it was seen.
    pub source: String,
    /// When it was seen.
    pub date: Date,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

/// All prices of a region.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceTable {
    /// The region they hold for.
    pub region: String,
    /// Hours that a month is taken to have: 730 is a twelfth of a year.
    pub hours_per_month: f64,
    prices: BTreeMap<String, Price>,
}

/// What is wrong with a table, or missing in it.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// It is not TOML of this shape.
    #[error("the price table cannot be read: {0}")]
    Malformed(#[from] toml::de::Error),
    /// It is too long to be a price table.
    #[error("the price table has {0} bytes; a megabyte is the most")]
    TooLong(usize),
    /// An entry makes no sense.
    #[error("the price `{name}` {why}")]
    Invalid {
        /// Its name in the table.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A price is needed and not there.
    #[error(
        "no price is called `{name}`, and {needed_by} needs it: add [prices.\"{name}\"] with unit, usd (or low and high), \
         source, date and confidence to infrastructure/prices.toml, or give another table with --prices"
    )]
    Missing {
        /// The name that was looked for.
        name: String,
        /// The address of the resource, or the line.
        needed_by: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    region: String,
    hours_per_month: f64,
    prices: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    unit: String,
    usd: Option<f64>,
    low: Option<f64>,
    likely: Option<f64>,
    high: Option<f64>,
    source: String,
    date: String,
    confidence: Confidence,
}

impl PriceTable {
    /// Reads a table and checks every entry.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        if text.len() > MAX_BYTES {
            return Err(PriceError::TooLong(text.len()));
        }
        let document: Document = toml::from_str(text)?;
        if !(document.hours_per_month > 0.0 && document.hours_per_month <= 744.0) {
            return Err(PriceError::Invalid {
                name: "hours_per_month".to_owned(),
                why: "is not between 1 and 744".to_owned(),
            });
        }
        let mut prices = BTreeMap::new();
        for (name, entry) in document.prices {
            let price = entry.price().map_err(|why| PriceError::Invalid { name: name.clone(), why })?;
            prices.insert(name, price);
        }
        Ok(Self { region: document.region, hours_per_month: document.hours_per_month, prices })
    }

    /// The price of that name, for whoever needs it.
    pub fn get(&self, name: &str, needed_by: &str) -> Result<&Price, PriceError> {
        self.prices
            .get(name)
            .ok_or_else(|| PriceError::Missing { name: name.to_owned(), needed_by: needed_by.to_owned() })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Price)> {
        self.prices.iter().map(|(name, price)| (name.as_str(), price))
    }

    /// The dates between which its prices were seen.
    pub fn dates(&self) -> Option<(Date, Date)> {
        let dates = || self.prices.values().map(|price| price.date);
        Some((dates().min()?, dates().max()?))
    }
}

impl Entry {
    fn price(self) -> Result<Price, String> {
        let amount = match (self.usd, self.low, self.likely, self.high) {
            (Some(usd), None, None, None) => Amount::exactly(usd),
            (None, Some(low), likely, Some(high)) => {
                Amount { low, likely: likely.unwrap_or(f64::midpoint(low, high)), high }
            }
            _ => return Err("needs either `usd`, or `low` and `high` (and perhaps `likely`)".to_owned()),
        };
        let ordered = 0.0 <= amount.low && amount.low <= amount.likely && amount.likely <= amount.high;
        if !ordered || !amount.high.is_finite() {
            return Err("is not 0 <= low <= likely <= high".to_owned());
        }
        if self.unit == "share" && amount.high >= 1.0 {
            return Err("is a share of one and not below one".to_owned());
        }
        if self.unit.trim().is_empty() || self.source.trim().is_empty() {
            return Err("says no unit, or not where it was seen".to_owned());
        }
        let date = self
            .date
            .parse()
            .map_err(|_| format!("has the date `{}`; expected 2026-11-23, say", self.date))?;
        Ok(Price { unit: self.unit, amount, source: self.source, date, confidence: self.confidence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entry: &str) -> Result<PriceTable, PriceError> {
        PriceTable::parse(&format!("region = \"r\"\nhours_per_month = 730\n[prices.\"a\"]\n{entry}"))
    }

    #[test]
    fn the_built_in_table_is_sound() {
        let table = PriceTable::parse(BUILT_IN).unwrap();
        assert_eq!(table.region, "us-east-1");
        assert!(table.iter().count() > 60);
        let vcpu = table.get("fargate.x86_64.vcpu", "a test").unwrap();
        assert_eq!((vcpu.unit.as_str(), vcpu.amount), ("vCPU-hour", Amount::exactly(0.04048)));
    }

    #[test]
    fn a_missing_price_names_itself_and_who_needs_it() {
        let error = PriceTable::parse(BUILT_IN)
            .unwrap()
            .get("rds.postgres.db.x9.huge", "module.database.aws_db_instance.primary")
            .unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("`rds.postgres.db.x9.huge`") && told.contains("aws_db_instance.primary"),
            "{told}"
        );
        assert!(told.contains("prices.toml"), "{told}");
    }

    #[test]
    fn entries_that_make_no_sense_are_refused() {
        let rest = "unit = \"GB\"\nsource = \"s\"\ndate = \"2026-11-23\"\nconfidence = \"low\"\n";
        for (entry, expected) in [
            ("low = 2.0\nhigh = 1.0\n", "low <= likely <= high"),
            ("usd = -1.0\n", "low <= likely <= high"),
            ("usd = nan\n", "low <= likely <= high"),
            ("usd = inf\n", "low <= likely <= high"),
            ("usd = 1.0\nlow = 1.0\n", "either `usd`"),
            ("", "either `usd`"),
            ("low = 1.0\n", "either `usd`"),
        ] {
            let told = table(&format!("{entry}{rest}")).unwrap_err().to_string();
            assert!(told.contains("`a`") && told.contains(expected), "{entry}: {told}");
        }
        let share =
            "usd = 1.0\nunit = \"share\"\nsource = \"s\"\ndate = \"2026-11-23\"\nconfidence = \"low\"\n";
        assert!(table(share).unwrap_err().to_string().contains("share"));
        let date = "usd = 1.0\nunit = \"GB\"\nsource = \"s\"\ndate = \"yesterday\"\nconfidence = \"low\"\n";
        assert!(table(date).unwrap_err().to_string().contains("yesterday"));
        let source =
            "usd = 1.0\nunit = \"GB\"\nsource = \" \"\ndate = \"2026-11-23\"\nconfidence = \"low\"\n";
        assert!(table(source).unwrap_err().to_string().contains("where it was seen"));
        let unknown = format!("usd = 1.0\ncurrency = \"EUR\"\n{rest}");
        assert!(matches!(table(&unknown), Err(PriceError::Malformed(_))));
    }
}
