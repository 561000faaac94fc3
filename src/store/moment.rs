//! Moments as the database keeps them: microseconds since 1970 in UTC.

use super::StoreError;
use crate::domain::Timestamp;

/// The moment of a column's value.
pub(super) fn from_micros(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_timestamp_micros(micros).ok_or(StoreError::Corrupt("moment"))
}

/// The column's value for a moment.
pub(super) const fn to_micros(moment: Timestamp) -> i64 {
    moment.timestamp_micros()
}
