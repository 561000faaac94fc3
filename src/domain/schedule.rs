//! When something happens again and again.

use std::str::FromStr;

use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

use super::Timestamp;

/// A cron schedule with seconds, in UTC.
#[derive(Debug, Clone)]
pub struct Schedule {
    pattern: String,
    cron: Cron,
}

/// The text is no schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected second, minute, hour, day of month, month and weekday, such as \"0 */15 * * * *\""
)]
pub struct ScheduleError;

impl FromStr for Schedule {
    type Err = ScheduleError;

    /// Takes six fields, by the rules of the library that rings the bells.
    fn from_str(pattern: &str) -> Result<Self, Self::Err> {
        let parser = CronParser::builder().seconds(Seconds::Required).dom_and_dow(true).build();
        let cron = parser.parse(pattern).map_err(|_| ScheduleError)?;
        Ok(Self { pattern: pattern.to_owned(), cron })
    }
}

impl Schedule {
    /// The text it was made of.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The first moment after `moment`; none when there is none.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        self.cron.find_next_occurrence(&moment, false).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_moment_is_after_the_given_one() {
        let schedule: Schedule = "0 */15 * * * *".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let next = schedule.next_after(at("2026-01-02T03:15:00Z"));
        assert_eq!(next, Some(at("2026-01-02T03:30:00Z")));
    }

    #[test]
    fn five_fields_are_too_few() {
        assert!("*/15 * * * *".parse::<Schedule>().is_err());
    }
}
