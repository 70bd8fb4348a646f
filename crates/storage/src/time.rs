//! `timestamptz` columns as [`jiff::Timestamp`]: microseconds since 2000-01-01 on the wire.

use jiff::Timestamp;
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef, types::Oid},
};

/// 2000-01-01T00:00:00Z, PostgreSQL's epoch, in microseconds of Unix time.
const EPOCH_US: i64 = 946_684_800_000_000;
/// 4713 BC, the earliest instant that PostgreSQL knows, counted from its epoch; earlier ones are `-infinity` there.
const EARLIEST_US: i64 = -211_813_488_000_000_000;
const MINUS_INFINITY: i64 = i64::MIN;
const INFINITY: i64 = i64::MAX;

/// A timestamp on its way in or out. Sub-microsecond digits are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PgTime(pub(crate) Timestamp);

impl Type<Postgres> for PgTime {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl Encode<'_, Postgres> for PgTime {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let since_epoch_us = self.0.as_microsecond() - EPOCH_US;
        let sent = if since_epoch_us < EARLIEST_US { MINUS_INFINITY } else { since_epoch_us };
        Encode::<Postgres>::encode(sent, buffer)
    }
}

impl<'r> Decode<'r, Postgres> for PgTime {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            return Err("timestamps are read in binary form only".into());
        }
        let since_epoch_us: i64 = Decode::<Postgres>::decode(value)?;
        Ok(Self(match since_epoch_us {
            MINUS_INFINITY => Timestamp::MIN,
            INFINITY => Timestamp::MAX,
            finite => Timestamp::from_microsecond(finite.saturating_add(EPOCH_US))?,
        }))
    }
}

/// What a column keeps of a timestamp: microseconds.
pub(crate) fn stored(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
