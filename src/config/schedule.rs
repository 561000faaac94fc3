//! Parses schedules, and suggests what was probably intended.

use std::time::Duration;

use crate::domain::{Schedule, Timestamp};

/// The fields of a schedule, in their order.
const FIELDS: [&str; 6] = ["second", "minute", "hour", "day of month", "month", "weekday"];

/// Parses a schedule. The error says what was probably intended.
pub(super) fn parse(pattern: &str) -> Result<Schedule, String> {
    match pattern.parse::<Schedule>() {
        Ok(schedule) if schedule.next_after(Timestamp::UNIX_EPOCH).is_some() => Ok(schedule),
        Ok(_) => Err(format!("{pattern:?} names moments that never come")),
        Err(error) => Err(format!("{error}, found {pattern:?}{}", more(pattern))),
    }
}

fn more(pattern: &str) -> String {
    if let Some(meant) = suggest_pattern(pattern) {
        return format!("; did you mean {meant:?}?");
    }
    wrong_field(pattern)
        .map_or_else(String::new, |(name, value)| format!("; {value:?} is no {name}"))
}

/// The only invalid field of a pattern, if there is exactly one.
fn wrong_field(pattern: &str) -> Option<(&'static str, &str)> {
    let fields: Vec<_> = pattern.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return None;
    }
    let mut wrong = (0..fields.len()).filter(|place| {
        let mut mended = fields.clone();
        // 1 is valid in every field, so replacing a field by it tests the others.
        mended[*place] = "1";
        mended.join(" ").parse::<Schedule>().is_ok()
    });
    let place = wrong.next()?;
    Some((FIELDS[place], fields[place]))
}

/// Suggests a pattern for one without seconds, a word such as `daily`, or an interval.
fn suggest_pattern(pattern: &str) -> Option<String> {
    let fields = pattern.split_whitespace().count();
    let with_second = format!("0 {}", pattern.trim());
    if fields == FIELDS.len() - 1 && with_second.parse::<Schedule>().is_ok() {
        return Some(with_second);
    }
    let word = pattern.trim().trim_start_matches('@').to_lowercase();
    let meant = match word.as_str() {
        "hourly" | "every hour" => "0 0 * * * *".to_owned(),
        "daily" | "midnight" | "every day" => "0 0 0 * * *".to_owned(),
        "weekly" | "every week" => "0 0 0 * * 1".to_owned(),
        "monthly" | "every month" => "0 0 0 1 * *".to_owned(),
        word => pattern_for_interval(word.trim_start_matches("every").trim())?,
    };
    Some(meant)
}

/// A pattern for an interval in minutes or hours that divides an hour or a day.
fn pattern_for_interval(time: &str) -> Option<String> {
    let time: Duration = humantime::parse_duration(time).ok()?;
    let minutes = time.as_secs() / 60;
    let is_whole = time == Duration::from_mins(minutes);
    match minutes {
        1..60 if is_whole && 60 % minutes == 0 => Some(format!("0 */{minutes} * * * *")),
        60 if is_whole => Some("0 0 * * * *".to_owned()),
        61..1440 if is_whole && 1440 % minutes == 0 && minutes.is_multiple_of(60) => {
            Some(format!("0 0 */{} * * *", minutes / 60))
        }
        1440 if is_whole => Some("0 0 0 * * *".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_quoted_with_what_was_probably_meant() {
        for (pattern, end) in [
            ("*/5 * * * *", "found \"*/5 * * * *\"; did you mean \"0 */5 * * * *\"?"),
            ("hourly", "found \"hourly\"; did you mean \"0 0 * * * *\"?"),
            ("daily", "did you mean \"0 0 0 * * *\"?"),
            ("every day", "did you mean \"0 0 0 * * *\"?"),
            ("15m", "did you mean \"0 */15 * * * *\"?"),
            ("every 6h", "did you mean \"0 0 */6 * * *\"?"),
            ("7m", "found \"7m\""),
            ("0 99 * * * *", "found \"0 99 * * * *\"; \"99\" is no minute"),
            ("0 0 24 * * *", "\"24\" is no hour"),
            ("0 0 0 * * Xyz", "\"Xyz\" is no weekday"),
            ("0 99 99 * * *", "found \"0 99 99 * * *\""),
            ("", "found \"\""),
            ("0 0 0 31 2 *", "names moments that never come"),
        ] {
            let error = parse(pattern).unwrap_err();
            assert!(error.ends_with(end), "{pattern}: {error}");
        }
        assert!(parse("0 */15 * * * *").is_ok());
    }
}
