//! A wall clock that a test sets: a shim between a program and the C library.

use chrono::TimeDelta;

use super::shim::shim;

/// What a program is started with whose clock is ahead of the machine's by so much.
pub fn variables(ahead: TimeDelta) -> Vec<(&'static str, String)> {
    if ahead.is_zero() {
        return Vec::new();
    }
    let shim = shim("clock").to_str().expect("UTF-8").to_owned();
    vec![("LD_PRELOAD", shim), ("CLOCK_AHEAD", ahead.num_seconds().to_string())]
}
