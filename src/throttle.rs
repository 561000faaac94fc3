//! Lines of the log that anybody can cause: the first of a kind in a while, with how many it
//! kept to itself before.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long lines of a kind are written once.
const WHILE: Duration = Duration::from_mins(1);

/// One kind of lines.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    at: Option<Instant>,
    untold: u64,
}

impl Throttle {
    /// Whether this line is to be written: how many were not since the last one.
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
