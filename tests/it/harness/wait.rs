//! Waiting for conditions.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Far longer than anything should take, also on a machine that stalls, so that only a defect reaches
/// it.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often something is tried that may take long by chance.
const TRIES: usize = 5;

/// Asks again and again until there is an answer; panics, saying what was
/// awaited, when there never is one.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Does something until it takes less than this, and returns how often it was done. What a defect makes
/// slow is slow each time; what a machine makes slow that stalls is not.
pub async fn in_less_than<F: Future<Output = ()>>(
    limit: Duration,
    mut act: impl FnMut() -> F,
) -> usize {
    let mut tries = 0;
    loop {
        assert!(tries < TRIES, "it takes {limit:?} or more each time");
        tries += 1;
        let begun = Instant::now();
        act().await;
        if begun.elapsed() < limit {
            return tries;
        }
    }
}
