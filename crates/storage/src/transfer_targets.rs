//! Whom a tenant's callers may be put through to. The only place where a number to be dialled comes from.

use crate::{
    DbError, TenantTx,
    ids::TransferTargetId,
    names::{self, named, storable},
};
use jiff::civil::{Time, Weekday};
use seiketsu_domain::PhoneNumber;
use serde::{Deserialize, Serialize};

named! {
    /// A day of the week.
    "day" Day {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// A span of hours on some days of the week, in the tenant's own time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSpan {
    /// On which days.
    pub days: Vec<Day>,
    /// From when.
    pub opens: Time,
    /// Until when, not included.
    pub closes: Time,
}

impl OpenSpan {
    /// Whether it holds a time of a day.
    pub fn contains(&self, day: Weekday, time: Time) -> bool {
        self.days.contains(&Day::from(day)) && (self.opens..self.closes).contains(&time)
    }
}

/// A person or desk that takes calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferTarget {
    /// Which target.
    pub id: TransferTargetId,
    /// As callers ask for it; unique within the tenant.
    pub name: String,
    /// What is dialled.
    pub number: PhoneNumber,
    /// When calls are taken; `None`: always.
    pub hours: Option<Vec<OpenSpan>>,
    /// Lower ones are asked first.
    pub position: u32,
}

impl TransferTarget {
    /// Whether calls are taken at a time of a day, in the tenant's own time.
    pub fn is_open(&self, day: Weekday, time: Time) -> bool {
        self.hours.as_ref().is_none_or(|spans| spans.iter().any(|span| span.contains(day, time)))
    }
}

/// Adds a target. [`DbError::Conflict`] if the tenant has one of this name.
pub async fn insert(tx: &mut TenantTx, target: &TransferTarget) -> Result<(), DbError> {
    let (connection, tenant) = tx.parts();
    let hours = target.hours.as_ref().map(serde_json::to_value).transpose();
    sqlx::query!(
        "insert into transfer_targets (tenant_id, id, name, number, hours, position) values ($1, $2, $3, $4, $5, $6)",
        tenant,
        target.id.uuid(),
        &*storable(&target.name),
        target.number.as_str(),
        hours.map_err(|_| DbError::Unreadable { what: "hours" })?,
        i32::try_from(target.position).unwrap_or(i32::MAX)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// All targets, those to be asked first at the front.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<TransferTarget>, DbError> {
    let (connection, tenant) = tx.parts();
    let rows = sqlx::query!(
        "select id, name, number, hours, position from transfer_targets
         where tenant_id = $1 order by position, name",
        tenant
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let hours = row.hours.map(serde_json::from_value).transpose();
            Ok(TransferTarget {
                id: TransferTargetId::from_uuid(row.id),
                name: row.name,
                number: names::read(&row.number, "phone number")?,
                hours: hours.map_err(|_| DbError::Unreadable { what: "hours" })?,
                position: row.position.unsigned_abs(),
            })
        })
        .collect()
}

/// Takes a target off the list; `false` if there is none.
pub async fn delete(tx: &mut TenantTx, id: TransferTargetId) -> Result<bool, DbError> {
    let (connection, tenant) = tx.parts();
    let outcome =
        sqlx::query!("delete from transfer_targets where tenant_id = $1 and id = $2", tenant, id.uuid())
            .execute(connection)
            .await?;
    Ok(outcome.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them_and_the_closing_time_is_closed() {
        let text = r#"[{"days": ["monday", "friday"], "opens": "09:00", "closes": "18:00"}]"#;
        let spans: Vec<OpenSpan> = serde_json::from_str(text).unwrap();
        let target = TransferTarget {
            id: TransferTargetId::from_uuid(uuid::Uuid::nil()),
            name: "Sales desk".to_owned(),
            number: "+15125550111".parse().unwrap(),
            hours: Some(spans),
            position: 0,
        };
        let at = |hour, minute| Time::new(hour, minute, 0, 0).unwrap();
        for (day, time, open) in [
            (Weekday::Monday, at(9, 0), true),
            (Weekday::Friday, at(17, 59), true),
            (Weekday::Friday, at(18, 0), false),
            (Weekday::Monday, at(8, 59), false),
            (Weekday::Tuesday, at(12, 0), false),
        ] {
            assert_eq!(target.is_open(day, time), open, "{day:?} {time}");
        }
        let always = TransferTarget { hours: None, ..target.clone() };
        assert!(always.is_open(Weekday::Sunday, at(3, 0)));
        let never = TransferTarget { hours: Some(Vec::new()), ..target };
        assert!(!never.is_open(Weekday::Monday, at(12, 0)));
    }
}
