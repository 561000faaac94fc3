//! Since when the collector does not accept events, and why: for the log, the page and the API.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;

use super::error::Reason;
use crate::domain::Timestamp;

/// The minimum time between two log lines with the same reason.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Why events wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The value of the `reason` label.
    pub reason: &'static str,
    /// A description of the last failure.
    pub cause: String,
    /// When the first request failed.
    pub since: Timestamp,
    logged_at: Timestamp,
}

/// The current outage, if there is one; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Outages(Arc<Mutex<Option<Outage>>>);

impl Outages {
    /// The current outage; none when the last request succeeded, or none was made.
    #[must_use]
    pub fn current(&self) -> Option<Outage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records a failed request; returns whether to log it.
    pub(super) fn record_failure(&self, reason: Reason, cause: &str, now: Timestamp) -> bool {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (reason, cause) = (reason.into_str(), cause.to_owned());
        let Some(outage) = &mut *current else {
            *current = Some(Outage { reason, cause, since: now, logged_at: now });
            return true;
        };
        let is_news = outage.reason != reason || now - outage.logged_at >= PAUSE;
        outage.reason = reason;
        outage.cause = cause;
        if is_news {
            outage.logged_at = now;
        }
        is_news
    }

    /// Records a successful request; returns since when requests had failed.
    pub(super) fn record_success(&self) -> Option<Timestamp> {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        ended.map(|outage| outage.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_the_first_a_new_reason_and_each_minute() {
        let outages = Outages::default();
        let at = |second| Timestamp::from_timestamp(second, 0).unwrap();
        for (second, reason, is_logged) in [
            (0, Reason::Unavailable, true),
            (1, Reason::Unavailable, false),
            (2, Reason::Timeout, true),
            (3, Reason::Timeout, false),
            (62, Reason::Timeout, true),
            (63, Reason::Timeout, false),
        ] {
            assert_eq!(outages.record_failure(reason, "x", at(second)), is_logged, "{second}");
        }
        let current = outages.current().unwrap();
        assert_eq!((current.reason, current.since), ("timeout", at(0)));
        assert_eq!((outages.record_success(), outages.current()), (Some(at(0)), None));
        assert!(outages.record_failure(Reason::Timeout, "x", at(64)));
    }
}
