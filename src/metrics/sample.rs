//! One sample, and its line, which is the same in every format.

use std::fmt::Write;

use super::{Family, format};
use crate::domain::Timestamp;

/// A sample's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// A number of things.
    Count(u64),
    /// A moment, shown in seconds since 1970.
    Moment(Timestamp),
}

/// A sample of a family, with its labels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) family: Family,
    line: String,
}

impl Sample {
    pub(super) fn new(family: Family, labels: &[(&str, &str)], value: Value) -> Self {
        debug_assert!(labels.iter().map(|(name, _)| *name).eq(family.labels().iter().copied()));
        let mut line = family.name().to_owned();
        format::push_labels(&mut line, labels.iter().copied());
        // Writing to a String cannot fail.
        let _ = match value {
            Value::Count(count) => writeln!(line, " {count}"),
            Value::Moment(moment) => {
                let micros = moment.timestamp_micros();
                writeln!(
                    line,
                    " {}.{:06}",
                    micros.div_euclid(1_000_000),
                    micros.rem_euclid(1_000_000)
                )
            }
        };
        Self { family, line }
    }

    pub(super) fn line(&self) -> &str {
        &self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_cannot_leave_its_label() {
        let sample = Sample::new(
            Family::CheckInfo,
            &[("check_id", "a\"} 1\nevil 2"), ("severity", "low"), ("title", "back\\slash")],
            Value::Count(1),
        );
        assert_eq!(
            sample.line(),
            "cii_check_info{check_id=\"a\\\"} 1\\nevil 2\",severity=\"low\",title=\"back\\\\slash\"} 1\n"
        );
    }

    #[test]
    fn a_moment_is_seconds_with_a_fraction() {
        let moment = Timestamp::from_timestamp_micros(1_721_831_128_589_000).unwrap();
        let sample = Sample::new(Family::WebhookLastDelivery, &[], Value::Moment(moment));
        assert_eq!(
            sample.line(),
            "cii_webhook_last_delivery_timestamp_seconds 1721831128.589000\n"
        );
    }
}
