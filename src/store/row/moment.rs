//! Moments: microseconds since 1970 in UTC.

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use crate::{
    domain::{Timestamp, sensible},
    store::sql::{Bind, Cell, Column, Mismatch, Param},
};

/// A moment as a column's value, stored and loaded as one that makes sense. One that no
/// calendar has is refused as out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Moment(pub(in crate::store) Timestamp);

impl From<Moment> for Timestamp {
    fn from(Moment(at): Moment) -> Self {
        at
    }
}

/// A moment is stored and loaded as one that makes sense. One that no calendar has is refused.
impl Column<'_> for Timestamp {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        let moment = Timestamp::from_timestamp_micros(i64::read(cell)?);
        moment.map(sensible).ok_or(Mismatch::Range)
    }
}

impl Bind for Timestamp {
    fn bind(&self) -> Param<'_> {
        Param::Integer(sensible(*self).timestamp_micros())
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        let moment = Timestamp::from_timestamp_micros(micros);
        moment.map(|moment| Self(sensible(moment))).ok_or(FromSqlError::OutOfRange(micros))
    }
}

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(sensible(self.0).timestamp_micros().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back_and_one_out_of_range_is_refused() {
        let at: Timestamp = "2026-01-31T18:00:00.123456Z".parse().unwrap();
        let micros = at.timestamp_micros();
        assert_eq!(Moment(at).to_sql().unwrap(), ToSqlOutput::from(micros));
        assert_eq!(Moment::column_result(ValueRef::Integer(micros)).unwrap(), Moment(at));
        for (year, shown) in [("0001", "1970"), ("9999", "2261")] {
            let at: Timestamp = format!("{year}-06-01T00:00:00Z").parse().unwrap();
            let micros = ValueRef::Integer(at.timestamp_micros());
            let loaded = Moment::column_result(micros).unwrap().0;
            assert_eq!(loaded.format("%Y").to_string(), shown);
            assert_eq!(Moment(at).to_sql().unwrap(), loaded.timestamp_micros().into());
        }
        let refused = Moment::column_result(ValueRef::Integer(i64::MAX));
        assert!(matches!(refused, Err(FromSqlError::OutOfRange(i64::MAX))));
        assert!(Moment::column_result(ValueRef::Null).is_err());
    }
}
