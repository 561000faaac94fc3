//! Waiting for conditions.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Far longer than anything should take, so that only a defect reaches it.
const PATIENCE: Duration = Duration::from_mins(1);

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
