//! A sample and its line, which is the same in both formats.

use std::{fmt::Write, time::Duration};

use super::{Definition, Family, format};
use crate::domain::{
    Timestamp,
    failure::{BOUNDS, Durations},
};

/// A sample's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// A count.
    Count(u64),
    /// A moment, written in seconds since 1970.
    Moment(Timestamp),
    /// A duration, written in seconds.
    Seconds(Duration),
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// 1 for yes, 0 for no.
impl From<bool> for Value {
    fn from(is_so: bool) -> Self {
        Self::Count(is_so.into())
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Moment(moment)
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Seconds(time)
    }
}

/// A sample of a family, written as its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) family: Family,
    line: String,
}

impl Sample {
    /// Creates a sample with the label values in the order of the family's definition.
    pub(super) fn new(family: Family, labels: &[&str], value: impl Into<Value>) -> Self {
        Self::with_suffix(family, "", labels, None, value)
    }

    /// Creates a sample whose name has a suffix, such as `_bucket`, with an optional bound.
    fn with_suffix(
        family: Family,
        suffix: &str,
        labels: &[&str],
        bound: Option<&str>,
        value: impl Into<Value>,
    ) -> Self {
        let Definition { name, labels: names, .. } = family.definition();
        debug_assert_eq!(labels.len(), names.len(), "{name}");
        let mut line = format!("{name}{suffix}");
        let labels = names.iter().copied().zip(labels.iter().copied());
        format::push_labels(&mut line, labels.chain(bound.map(|bound| ("le", bound))));
        // Writing to a String cannot fail.
        let _ = match value.into() {
            Value::Count(count) => writeln!(line, " {count}"),
            Value::Seconds(time) => writeln!(line, " {:.3}", time.as_secs_f64()),
            Value::Moment(moment) => {
                let micros = moment.timestamp_micros();
                let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
                writeln!(line, " {seconds}.{rest:06}")
            }
        };
        Self { family, line }
    }

    pub(super) fn line(&self) -> &str {
        &self.line
    }
}

/// Collects the samples of a subject.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Sample>);

impl Samples {
    pub(super) fn add(&mut self, family: Family, labels: &[&str], value: impl Into<Value>) {
        self.0.push(Sample::new(family, labels, value));
    }

    /// Adds all samples of a histogram, including empty buckets: `rate()` misses the first increase
    /// of a series that appears with it.
    pub(super) fn add_histogram(&mut self, family: Family, labels: &[&str], found: &Durations) {
        let mut count = 0;
        let bounds = BOUNDS.iter().map(u64::to_string).chain(["+Inf".to_owned()]);
        for (bound, more) in bounds.zip(found.counts()) {
            count += more;
            self.0.push(Sample::with_suffix(family, "_bucket", labels, Some(&bound), count));
        }
        let sum = Duration::from_micros(found.micros());
        self.0.push(Sample::with_suffix(family, "_sum", labels, None, sum));
        self.0.push(Sample::with_suffix(family, "_count", labels, None, count));
    }

    /// Adds a sample of a known value. An unknown value has no sample, instead of 0.
    pub(super) fn add_known(
        &mut self,
        family: Family,
        labels: &[&str],
        value: Option<impl Into<Value>>,
    ) {
        if let Some(value) = value {
            self.add(family, labels, value);
        }
    }

    pub(super) fn into_vec(self) -> Vec<Sample> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_cannot_leave_its_label() {
        let sample =
            Sample::new(Family::CheckInfo, &["a\"} 1\nevil 2", "low", "back\\slash"], 1_u64);
        assert_eq!(
            sample.line(),
            "cii_check_info{check_id=\"a\\\"} 1\\nevil 2\",severity=\"low\",title=\"back\\\\slash\"} 1\n"
        );
    }

    #[test]
    fn a_moment_is_seconds_with_a_fraction() {
        let moment = Timestamp::from_timestamp_micros(1_721_831_128_589_000).unwrap();
        let sample = Sample::new(Family::WebhookLastDelivery, &[], moment);
        assert_eq!(
            sample.line(),
            "cii_webhook_last_delivery_timestamp_seconds 1721831128.589000\n"
        );
    }
}
