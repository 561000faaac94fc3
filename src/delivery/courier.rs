//! Carries the log to the collector: batch by batch, and on only when a batch
//! was taken.

use std::{future::Future, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Meters, Sender,
    backoff::Backoff,
    error::{Reason, SendError, Sent},
};
use crate::store::{Reader, Store, StoreError, StoredEvent};

/// Events a batch.
const BATCH: usize = 512;

/// How long the batch in hand may take once the daemon stops.
const LAST_BATCH: Duration = Duration::from_secs(3);

/// How long a store that fails is left alone.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// Where events come from, and where it is kept how far they got.
trait Log {
    async fn cursor(&self) -> Result<i64, StoreError>;
    async fn after(&self, seq: i64) -> Result<Vec<StoredEvent>, StoreError>;
    async fn advance(&self, seq: i64) -> Result<(), StoreError>;
    async fn park(&self, seq: i64, reason: Reason) -> Result<(), StoreError>;
}

/// Where events go.
trait Collector {
    fn send(&self, events: &[StoredEvent]) -> impl Future<Output = Result<Sent, SendError>> + Send;
}

/// Carries events from the store to a collector.
#[derive(Debug)]
pub struct Courier {
    store: Store,
    sender: Sender,
    meters: Meters,
}

impl Courier {
    /// A courier from `store` to the collector of `sender`.
    #[must_use]
    pub const fn new(store: Store, sender: Sender, meters: Meters) -> Self {
        Self { store, sender, meters }
    }

    /// Carries until told to stop; the batch in hand is finished first.
    ///
    /// # Errors
    /// When the store was closed under it.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let commits = self.store.commits();
        let round =
            Round { log: &self.store, collector: &self.sender, meters: &self.meters, stop: &stop };
        loop {
            match round.run(commits.clone()).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => {
                    tracing::error!(%error, "the delivery cannot use the store");
                    tokio::select! {
                        () = stop.cancelled() => return Ok(()),
                        () = tokio::time::sleep(STORE_RETRY) => {}
                    }
                }
            }
        }
    }
}

impl Log for Store {
    async fn cursor(&self) -> Result<i64, StoreError> {
        self.read(Reader::otlp_cursor).await
    }

    async fn after(&self, seq: i64) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(move |reader| reader.public_events_after(seq, BATCH)).await
    }

    async fn advance(&self, seq: i64) -> Result<(), StoreError> {
        self.advance_otlp(seq).await
    }

    async fn park(&self, seq: i64, reason: Reason) -> Result<(), StoreError> {
        self.park_otlp(seq, reason.as_str()).await
    }
}

impl Collector for Sender {
    fn send(&self, events: &[StoredEvent]) -> impl Future<Output = Result<Sent, SendError>> + Send {
        Self::send(self, events)
    }
}

/// One life of the courier, from the cursor on.
struct Round<'a, L, C> {
    log: &'a L,
    collector: &'a C,
    meters: &'a Meters,
    stop: &'a CancellationToken,
}

impl<L: Log, C: Collector> Round<'_, L, C> {
    async fn run(&self, mut commits: watch::Receiver<i64>) -> Result<(), StoreError> {
        let mut cursor = self.log.cursor().await?;
        while !self.stop.is_cancelled() {
            commits.mark_unchanged();
            let events = self.log.after(cursor).await?;
            let Some(last) = events.last().map(|event| event.seq) else {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    changed = commits.changed() => if changed.is_err() { return Ok(()) },
                }
                continue;
            };
            if !self.carry(&events).await? {
                return Ok(());
            }
            self.log.advance(last).await?;
            cursor = last;
        }
        Ok(())
    }

    /// Carries every event of the batch, in order; one that the collector
    /// refuses for ever is parked, and the rest goes on. Returns whether all is
    /// done; not, when the daemon stops before.
    async fn carry(&self, batch: &[StoredEvent]) -> Result<bool, StoreError> {
        // A refused batch is halved until what is refused stands alone.
        let mut waiting = vec![batch];
        let mut backoff = Backoff::default();
        let mut refusals = Backoff::default();
        while let Some(part) = waiting.pop() {
            match self.try_once(part).await {
                Ok(sent) => {
                    self.meters.exported(part.len(), sent.rejected);
                    refusals = Backoff::default();
                    if backoff.is_failing() {
                        tracing::info!("the collector takes events again");
                        backoff = Backoff::default();
                    }
                    if sent.rejected > 0 {
                        let rejected = sent.rejected;
                        tracing::warn!(rejected, "the collector took a batch and dropped events");
                    }
                    // What was taken is not sent again after a stop between parts.
                    if let Some(last) = part.last()
                        && !waiting.is_empty()
                    {
                        self.log.advance(last.seq).await?;
                    }
                }
                Err(SendError { reason: Reason::Refused, .. }) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    waiting.extend([second, first]);
                }
                Err(SendError { reason: Reason::Refused, .. }) => {
                    for refused in part {
                        let (seq, event) = (refused.seq, refused.event.name.as_str());
                        tracing::error!(seq, event, "the collector refuses an event; it is parked");
                        self.log.park(seq, Reason::Refused).await?;
                        self.log.advance(seq).await?;
                        self.meters.failed(Reason::Refused);
                    }
                    // One that refuses everything is more likely the wrong
                    // receiver: it must not empty the log before anybody looks.
                    let wait = refusals.after_failure(None);
                    if !waiting.is_empty() && !self.wait(wait).await {
                        return Ok(false);
                    }
                }
                Err(error) => {
                    self.meters.failed(error.reason);
                    if !backoff.is_failing() {
                        let reason = error.reason.as_str();
                        tracing::warn!(reason, "the collector does not take events; they wait");
                    }
                    waiting.push(part);
                    let wait = backoff.after_failure(error.retry_after);
                    if !self.wait(wait).await {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Returns whether the wait came to its end; not, when the daemon stops.
    async fn wait(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }

    /// One try; once the daemon stops, it may take a while longer and no more.
    async fn try_once(&self, part: &[StoredEvent]) -> Result<Sent, SendError> {
        let patience = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_BATCH).await;
        };
        tokio::select! {
            sent = self.collector.send(part) => sent,
            () = patience => Err(SendError { reason: Reason::Timeout, retry_after: None }),
        }
    }
}

#[cfg(test)]
mod tests;
