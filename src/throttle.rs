//! What the log says of requests that are refused for how they are sent: the first of a kind
//! in a while, with how many it kept to itself before. Anybody can send them.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long requests of a kind are told once.
const WHILE: Duration = Duration::from_mins(1);

/// One kind of refused requests.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    at: Option<Instant>,
    untold: u64,
}

impl Told {
    /// Whether this one is to be told: how many were not since the last one.
    pub(super) fn next(&self, now: Instant) -> Option<u64> {
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
    fn one_in_a_while_is_told_with_how_many_were_not() {
        let (told, now) = (Told::default(), Instant::now());
        assert_eq!((told.next(now), told.next(now), told.next(now)), (Some(0), None, None));
        assert_eq!((told.next(now + WHILE), told.next(now + WHILE)), (Some(2), None));
        assert_eq!(told.next(now + WHILE * 2), Some(1));
    }
}
