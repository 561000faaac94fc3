//! Moments: microseconds since 1970 in UTC.

use crate::{
    domain::{Timestamp, sensible},
    store::sql::{Bind, Cell, Column, Mismatch, Param},
};

/// A moment is clamped to the valid range when it is stored and loaded. One that is out of the
/// range of the calendar is an error.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back_and_one_out_of_range_is_refused() {
        let at: Timestamp = "2026-01-31T18:00:00.123456Z".parse().unwrap();
        let micros = at.timestamp_micros();
        assert!(at.bind() == Param::Integer(micros));
        assert_eq!(Timestamp::read(Cell::Integer(micros)), Ok(at));
        for (year, shown) in [("0001", "1970"), ("9999", "2261")] {
            let at: Timestamp = format!("{year}-06-01T00:00:00Z").parse().unwrap();
            let loaded = Timestamp::read(Cell::Integer(at.timestamp_micros())).unwrap();
            assert_eq!(loaded.format("%Y").to_string(), shown);
            assert!(at.bind() == Param::Integer(loaded.timestamp_micros()));
        }
        assert_eq!(Timestamp::read(Cell::Integer(i64::MAX)), Err(Mismatch::Range));
        assert!(Timestamp::read(Cell::Null).is_err());
    }
}
