//! Durations of failures, counted by length.

/// The upper bounds of the buckets, in seconds: from an hour, which needs a reaction to an alert,
/// to a year. Longer durations are in the last bucket.
pub const BOUNDS: [u64; 13] = [
    3_600, 14_400, 43_200, 86_400, 172_800, 259_200, 604_800, 1_209_600, 2_592_000, 5_184_000,
    7_776_000, 15_552_000, 31_536_000,
];

/// Durations of failures that ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    /// The number in each bucket, without those of the buckets before it.
    counts: [u64; BOUNDS.len() + 1],
    /// The sum of all, in microseconds. It is shown as seconds with a fraction, so that no duration
    /// is rounded.
    micros: u64,
}

impl Durations {
    /// Durations that were stored before.
    #[must_use]
    pub const fn new(counts: [u64; BOUNDS.len() + 1], micros: u64) -> Self {
        Self { counts, micros }
    }

    /// Counts one duration. A negative one, from a clock that went back, counts as zero.
    pub fn observe(&mut self, duration: chrono::TimeDelta) {
        let micros =
            duration.num_microseconds().map_or(u64::MAX, |micros| micros.max(0).cast_unsigned());
        let bucket = BOUNDS.iter().position(|bound| micros <= bound * 1_000_000);
        self.counts[bucket.unwrap_or(BOUNDS.len())] += 1;
        self.micros = self.micros.saturating_add(micros);
    }

    /// Adds the counts of another set.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.micros = self.micros.saturating_add(other.micros);
    }

    /// The number in each bucket alone; the last one has no bound.
    #[must_use]
    pub const fn counts(&self) -> &[u64; BOUNDS.len() + 1] {
        &self.counts
    }

    /// The sum of all, in microseconds.
    #[must_use]
    pub const fn micros(&self) -> u64 {
        self.micros
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_duration_is_counted_in_the_first_bucket_that_holds_it() {
        let mut durations = Durations::default();
        for (seconds, bucket) in
            [(-5, 0), (0, 0), (3_600, 0), (3_601, 1), (604_800, 6), (31_536_001, BOUNDS.len())]
        {
            let before = durations.counts()[bucket];
            durations.observe(TimeDelta::seconds(seconds));
            assert_eq!(durations.counts()[bucket], before + 1, "{seconds}");
        }
        assert_eq!(durations.counts().iter().sum::<u64>(), 6);
        assert_eq!(durations.micros(), (3_600 + 3_601 + 604_800 + 31_536_001) * 1_000_000);
        let mut twice = durations.clone();
        twice.add(&durations);
        assert_eq!(twice.counts()[0], 6);
    }
}
