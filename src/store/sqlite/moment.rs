//! Moments as the database keeps them: microseconds since 1970 in UTC.

use crate::domain::Timestamp;
use crate::store::StoreError;

/// The moment of a column's value.
pub(in crate::store) fn from_micros(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_timestamp_micros(micros).ok_or(StoreError::Corrupt("moment"))
}

/// The column's value for a moment.
pub(in crate::store) const fn to_micros(moment: Timestamp) -> i64 {
    moment.timestamp_micros()
}
