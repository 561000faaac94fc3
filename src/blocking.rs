//! Runs work that computes, or waits for a disk, on threads where it does not block tasks.

use tokio::task::JoinError;

/// Runs `work`; returns none when the runtime ends before it began. A panic of it is resumed in the
/// caller: if it were swallowed, a bug would look like an answer.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await.map_err(JoinError::try_into_panic) {
        Ok(done) => Some(done),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(_)) => None,
    }
}

/// Runs `work` without waiting for it. A runtime that ends drops work that has not begun.
pub fn run_detached(work: impl FnOnce() + Send + 'static) {
    drop(tokio::task::spawn_blocking(work));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_done_is_returned_and_a_panic_is_the_caller_s() {
        assert_eq!(run(|| 7).await, Some(7));
        let caller = tokio::spawn(run(|| assert!(std::hint::black_box(false), "a mistake")));
        assert!(caller.await.unwrap_err().is_panic());
    }
}
