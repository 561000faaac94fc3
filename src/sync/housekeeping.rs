//! Background maintenance of the store: entries of the watch list that expire, rows that are too
//! old, and ended failures of merged checks.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::trust::Trust;
use crate::{
    clock,
    domain::{Retention, Timestamp},
    ledger::change::{ExpireWatch, MoveEnded, TrustClock},
    store::{Reader, Store, StoreError},
};

/// How often expiry is checked; short compared with the minutes that operators specify.
const INTERVAL: Duration = Duration::from_secs(5);

/// How long expiry pauses when it finds only entries that cannot be decoded.
const STUCK_FOR: Duration = Duration::from_mins(1);

/// How often old rows are removed.
const PRUNING: Duration = Duration::from_hours(1);

/// Maximum number of ended failures that one commit moves to another check: about 4 ms of the
/// writer thread.
const MOVED_AT_ONCE: usize = 2000;

/// Pause between sweeps, so that queued deliveries are committed.
const PAUSE: Duration = Duration::from_millis(50);

/// Maintains the store.
#[derive(Debug)]
pub struct Housekeeping {
    /// The store.
    pub store: Store,
    /// How long rows are kept.
    pub retention: Retention<chrono::TimeDelta>,
    /// The last moment before the start at which the clock was trusted.
    pub trusted: Option<Timestamp>,
    /// Whether the daemon has an OTLP delivery, for which events are kept.
    pub delivers_events: bool,
}

impl Housekeeping {
    /// Runs until `stop` is cancelled.
    ///
    /// # Errors
    /// When the store is closed meanwhile.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let mut pruned: Option<Instant> = None;
        // When entries of the watch list were last found that cannot expire.
        let mut stuck: Option<Instant> = None;
        let mut trust = Trust::new(self.trusted, clock::now());
        while !stop.is_cancelled() {
            let is_due = pruned.is_none_or(|pruned| pruned.elapsed() >= PRUNING);
            // By a clock that is ahead, every row is too old.
            let is_trusted = trust.is_trusted(clock::now());
            // What keeps one of them from its end, such as a row that cannot be read, keeps no other.
            let moved = self.move_ended(&stop).await;
            let is_stuck = stuck.is_some_and(|stuck| stuck.elapsed() < STUCK_FOR);
            let expired = if is_trusted && !is_stuck { self.expire(&stop).await } else { Ok(true) };
            if matches!(expired, Ok(false)) && stuck.replace(Instant::now()).is_none() {
                tracing::warn!(
                    "entries of the watch list that expired cannot be understood, and stay; a newer \
                     exporter may have written them"
                );
            }
            let removed = if is_due && is_trusted { Some(self.prune(&stop).await) } else { None };
            if matches!(removed, Some(Ok(()))) {
                pruned = Some(Instant::now());
            }
            let outcomes = [moved, expired.map(drop), removed.unwrap_or(Ok(()))];
            let errors: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
            if errors.iter().any(|error| matches!(error, StoreError::Closed)) {
                return Err(StoreError::Closed);
            }
            for error in errors {
                tracing::warn!(%error, "the store cannot be kept in order");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
        Ok(())
    }

    /// Moves ended failures of merged checks.
    async fn move_ended(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        while !stop.is_cancelled()
            && self.store.read(Reader::has_ended_to_move).await?
            && self.store.commit(MoveEnded { limit: MOVED_AT_ONCE }).await?
        {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Ends entries of the watch list whose time has passed; false when some cannot be ended.
    async fn expire(&self, stop: &CancellationToken) -> Result<bool, StoreError> {
        let now = clock::now();
        let (mut expired, mut is_done) = (0, true);
        while !stop.is_cancelled()
            && self.store.read(move |reader| reader.has_expired_watch(now)).await?
        {
            match self.store.commit(ExpireWatch { at: now }).await? {
                0 => {
                    is_done = false;
                    break;
                }
                some => expired += some,
            }
            tokio::time::sleep(PAUSE).await;
        }
        if expired > 0 {
            tracing::info!(expired, "entries of the watch list expired");
        }
        Ok(is_done)
    }

    /// Removes rows that are older than the retention.
    async fn prune(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let now = clock::now();
        self.store.commit(TrustClock { at: now }).await?;
        let before = self.retention.map(|retention| now - retention);
        let mut removed = 0;
        while !stop.is_cancelled() {
            match self.store.sweep(before, self.delivers_events).await? {
                0 => break,
                some => removed += some,
            }
            tokio::time::sleep(PAUSE).await;
        }
        if removed > 0 {
            tracing::info!(rows = removed, "what was older than the retention of [store] is gone");
        }
        Ok(())
    }
}
