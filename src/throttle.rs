//! Limits log lines that outside input can cause: one line of a kind per period, with the number of
//! lines that were suppressed before it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The period in which a kind is logged once.
const WHILE: Duration = Duration::from_mins(1);

/// The throttle of one kind of lines.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    at: Option<Instant>,
    untold: u64,
}

impl Throttle {
    /// Whether to write this line; returns the number of lines suppressed since the last one.
    pub fn next(&self, now: Instant) -> Option<u64> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.at.is_some_and(|at| now.duration_since(at) < WHILE) {
            last.untold = last.untold.saturating_add(1);
            return None;
        }
        last.at = Some(now);
        Some(std::mem::take(&mut last.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_while_is_written_with_how_many_were_not() {
        let (kind, now) = (Throttle::default(), Instant::now());
        assert_eq!((kind.next(now), kind.next(now), kind.next(now)), (Some(0), None, None));
        assert_eq!((kind.next(now + WHILE), kind.next(now + WHILE)), (Some(2), None));
        assert_eq!(kind.next(now + WHILE * 2), Some(1));
    }
}
