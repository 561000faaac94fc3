//! Parses times in the forms that senders write.

use chrono::{DateTime, NaiveDateTime, SecondsFormat};
use serde_json::{Number, Value};

use super::{
    notes::{Notes, quote},
    reading::{plainest_text, type_name},
};
use crate::domain::{Timestamp, failure::CLOCK_ERROR};

/// The years 2000 to 2099. Other times are not plausible for a delivery: an unset field often has
/// 1970, or the year 1. Within this range, seconds, milliseconds, microseconds and nanoseconds
/// cannot be confused.
const SECONDS: std::ops::Range<f64> = 946_684_800.0..4_102_444_800.0;

/// One second in each unit that a number can have.
const UNITS: [f64; 4] = [1.0, 1e3, 1e6, 1e9];

/// Formats besides RFC 3339, tried in order; those without a zone are UTC.
const WITH_ZONE: [&str; 3] =
    ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%Y%m%dT%H%M%S%.f%#z"];
const WITHOUT_ZONE: [&str; 4] =
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%MZ", "%Y%m%dT%H%M%S%.fZ"];

/// Reads the time of a field; a form other than RFC 3339 is noted.
pub(super) fn read(value: Option<&Value>, place: &str, notes: &mut Notes) -> Option<Timestamp> {
    let value = value?;
    let moment = match value {
        Value::Number(number) => from_number(number),
        Value::String(text) if text.trim().is_empty() => return None,
        Value::String(text) => match DateTime::parse_from_rfc3339(text.trim()) {
            Ok(moment) if is_plausible(moment.to_utc()) => return Some(moment.to_utc()),
            Ok(_) => None,
            Err(_) => from_text(text.trim()),
        },
        other => plainest_text(other).and_then(|text| from_text(text.trim())),
    };
    let moment = moment.filter(|moment| is_plausible(*moment));
    let kind = type_name(value);
    match (moment, value) {
        (Some(moment), _) => {
            let moment = moment.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            notes.add(place, format_args!("{kind}, read as {moment}"));
        }
        (None, Value::String(text)) => {
            notes.add(place, format_args!("{} is no time that can be read", quote(text)));
        }
        (None, _) => notes.add(place, format_args!("{kind}, no time that can be read")),
    }
    moment
}

/// Returns the time, or the time of receipt with a note when it is ahead of that by more than a
/// clock's error. A future time would count as newer than everything that follows.
pub(super) fn limit_to_receipt(
    moment: Option<Timestamp>,
    received_at: Timestamp,
    place: &str,
    notes: &mut Notes,
) -> Option<Timestamp> {
    let moment = moment?;
    if moment <= received_at + CLOCK_ERROR {
        return Some(moment);
    }
    let written = moment.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    notes.add(place, format_args!("{written} is ahead of the receipt, read as the receipt"));
    Some(received_at)
}

#[expect(clippy::cast_precision_loss, reason = "seconds of any year fit")]
fn is_plausible(moment: Timestamp) -> bool {
    SECONDS.contains(&(moment.timestamp() as f64))
}

fn from_text(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<Number>() {
        return from_number(&number);
    }
    let zoned = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    if let Ok(moment) = zoned {
        return Some(moment.to_utc());
    }
    let mut zoned = WITH_ZONE.iter().filter_map(|form| DateTime::parse_from_str(text, form).ok());
    if let Some(moment) = zoned.next() {
        return Some(moment.to_utc());
    }
    let mut naive =
        WITHOUT_ZONE.iter().filter_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    naive.next().map(|moment| moment.and_utc())
}

fn from_number(number: &Number) -> Option<Timestamp> {
    let number = number.as_f64()?;
    let seconds =
        UNITS.iter().map(|unit| number / unit).find(|seconds| SECONDS.contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "within 2000 to 2100, in microseconds")]
    let micros = (seconds * 1e6).round() as i64;
    Timestamp::from_timestamp_micros(micros)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_in_any_plain_form() {
        let at = |text: &str| Some(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
        for (value, expected) in [
            (json!(1_764_072_000), at("2025-11-25T12:00:00Z")),
            (json!(1_764_072_000_123_i64), at("2025-11-25T12:00:00.123Z")),
            (json!(1_764_072_000.5), at("2025-11-25T12:00:00.5Z")),
            (json!("1764072000"), at("2025-11-25T12:00:00Z")),
            (json!("1764072000123"), at("2025-11-25T12:00:00.123Z")),
            (json!("1764072000.25"), at("2025-11-25T12:00:00.25Z")),
            (json!("2025-11-25T12:00Z"), at("2025-11-25T12:00:00Z")),
            (json!("2025-11-25T12:00:00"), at("2025-11-25T12:00:00Z")),
            (json!("2025-11-25 12:00:00.589"), at("2025-11-25T12:00:00.589Z")),
            (json!("2025-11-25T13:00:00+0100"), at("2025-11-25T12:00:00Z")),
            (json!("2025-11-25 13:00:00 +01:00"), at("2025-11-25T12:00:00Z")),
            (json!("Tue, 25 Nov 2025 12:00:00 GMT"), at("2025-11-25T12:00:00Z")),
            (json!(["2025-11-25T12:00:00Z"]), at("2025-11-25T12:00:00Z")),
            (json!("20251125T120000Z"), at("2025-11-25T12:00:00Z")),
            (json!("20251125T130000+0100"), at("2025-11-25T12:00:00Z")),
            (json!("1970-01-01T00:00:00Z"), None),
            (json!("0001-01-01T00:00:00Z"), None),
            (json!("9999-12-31T23:59:59Z"), None),
            (json!("1999-12-31 23:59:59"), None),
            (json!("yesterday"), None),
            (json!(7), None),
            (json!(-1), None),
            (json!(1e300), None),
            (json!(true), None),
            (json!({}), None),
        ] {
            let mut notes = Notes::default();
            assert_eq!(read(Some(&value), "time", &mut notes), expected, "{value}");
            assert_eq!(notes.into_texts().len(), 1, "{value}");
        }
        let mut notes = Notes::default();
        let usual = json!("2024-07-24T14:25:28.589Z");
        assert_eq!(read(Some(&usual), "time", &mut notes), at("2024-07-24T14:25:28.589Z"));
        assert!(notes.into_texts().is_empty());
    }
}
