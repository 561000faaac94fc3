//! Moments in UTC, and the range of those that make sense.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};

use super::{Timestamp, cut_text};

/// Bytes of a text that an error shows at most.
const SHOWN: usize = 60;

/// The first valid moment. Receivers count from 1970, most of them with an unsigned number.
const FIRST: Timestamp = Timestamp::UNIX_EPOCH;

/// The last valid moment, in seconds since 1970: the last second of 2261. A few months later,
/// nanoseconds since 1970 no longer fit in a signed 64-bit number.
const LAST_SECOND: i64 = 9_214_646_399;

/// The moment, clamped to the valid range: a field that was never set often has the year 1, and one
/// that means never the year 9999.
#[must_use]
pub fn sensible(moment: Timestamp) -> Timestamp {
    let last = DateTime::from_timestamp(LAST_SECOND, 0).unwrap_or(DateTime::<chrono::Utc>::MAX_UTC);
    moment.clamp(FIRST, last)
}

/// Why a text is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no moment; write one such as 2026-01-31T18:00:00Z, a date such as 2026-01-31 (UTC), \
     or how far from now it is, such as 30m, 24h or 7d"
)]
pub struct MomentError(pub String);

/// Reads a moment as people write it: RFC 3339, a date (its start in UTC), or a duration, which
/// `from_now` turns into a moment.
///
/// # Errors
/// When it is none of these.
pub fn parse_moment(
    text: &str,
    from_now: impl Fn(TimeDelta) -> Option<Timestamp>,
) -> Result<Timestamp, MomentError> {
    let text = text.trim();
    let date = || Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc());
    let away = || TimeDelta::from_std(humantime::parse_duration(text).ok()?).ok();
    let moment = text.parse().ok().or_else(date).or_else(|| from_now(away()?));
    moment.ok_or_else(|| MomentError(cut_text(text, SHOWN).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_one_by_rfc_3339_a_date_or_a_length_of_time() {
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        let read = |text: &str| parse_moment(text, |ago| now.checked_sub_signed(ago));
        for (text, expected) in [
            ("2026-01-31T18:00:00Z", "2026-01-31T18:00:00Z"),
            ("2026-01-31T18:00:00+02:00", "2026-01-31T16:00:00Z"),
            (" 2026-01-31 ", "2026-01-31T00:00:00Z"),
            ("30m", "2026-01-31T23:30:00Z"),
            ("24h", "2026-01-31T00:00:00Z"),
            ("7d", "2026-01-25T00:00:00Z"),
            ("1d 12h", "2026-01-30T12:00:00Z"),
        ] {
            assert_eq!(read(text), Ok(expected.parse().unwrap()), "{text}");
        }
        for wrong in ["", "7", "-7d", "yesterday", "2026-02-30", "99999999999y", "2026-01-31T18"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read("soon").unwrap_err().to_string().contains("30m, 24h or 7d"));
        assert!(read(&"x".repeat(999)).unwrap_err().to_string().len() < 400);
    }

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
