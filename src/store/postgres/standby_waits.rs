//! Commits that wait for a standby, as several looks saw them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How long a commit waits for a standby before that is an outage and no delay of the network.
const PATIENCE: Duration = Duration::from_secs(2);

/// Since when each session waits for a standby in one and the same statement.
///
/// The server knows when a statement began, not when it began to wait: a long one that waits for a
/// moment at its end looks as one that has waited all the time. So a wait counts from the look that
/// saw it first.
#[derive(Debug, Default)]
pub(super) struct StandbyWaits(HashMap<String, Instant>);

impl StandbyWaits {
    /// Takes the statements that wait now, separated by spaces; whether one of them waits for long.
    pub(super) fn record(&mut self, waiting: &str, now: Instant) -> bool {
        let since = |statement: &str| self.0.get(statement).copied().unwrap_or(now);
        self.0 = waiting
            .split(' ')
            .filter(|statement| !statement.is_empty())
            .map(|statement| (statement.to_owned(), since(statement)))
            .collect();
        self.0.values().any(|since| now.duration_since(*since) >= PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_that_waits_from_look_to_look_waits_for_long() {
        let begun = Instant::now();
        let at = |tenths: u32| begun + tenths * Duration::from_millis(100);
        let mut waits = StandbyWaits::default();
        assert!(!waits.record("1@a 2@a", at(0)), "seen for the first time");
        assert!(!waits.record("1@a 2@b", at(19)), "not for long");
        assert!(waits.record("1@a 2@b", at(20)), "the first one does since the first look");
        assert!(!waits.record("2@b", at(30)), "it is over");
        assert!(waits.record("2@b", at(39)), "the second one, in its second statement");
        assert!(!waits.record("", at(40)));
        assert!(!waits.record("2@b", at(60)), "what was not seen meanwhile begins anew");
    }
}
