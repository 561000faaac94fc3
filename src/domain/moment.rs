//! Moments in UTC, and which of them make sense.

use chrono::DateTime;

use super::Timestamp;

/// What no moment here is before. Receivers count from it, most of them without a sign.
const FIRST: Timestamp = Timestamp::UNIX_EPOCH;

/// The last second of 2261, in seconds since 1970: what no moment here is after. A few months
/// later, nanoseconds since 1970 no longer fit in 64 bits with a sign.
const LAST_SECOND: i64 = 9_214_646_399;

/// The moment, or the first or last one that makes sense: a field that was never set often
/// says the year 1, and one that means never the year 9999.
#[must_use]
pub fn sensible(moment: Timestamp) -> Timestamp {
    let last = DateTime::from_timestamp(LAST_SECOND, 0).unwrap_or(DateTime::<chrono::Utc>::MAX_UTC);
    moment.clamp(FIRST, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_the_first_or_last_that_does() {
        for (text, expected) in [
            ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678901Z"),
            ("9999-12-31T23:59:59Z", "2261-12-31T23:59:59Z"),
        ] {
            let moment: Timestamp = text.parse().unwrap();
            assert_eq!(sensible(moment), expected.parse::<Timestamp>().unwrap());
            assert!(sensible(moment).timestamp_nanos_opt().is_some());
        }
        assert!(sensible(Timestamp::MAX_UTC) > sensible(Timestamp::MIN_UTC));
    }
}
