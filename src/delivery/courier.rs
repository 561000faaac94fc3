//! Carries the log to the collector: batch by batch, and on only when a batch
//! was taken.

use std::{future::Future, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Meters, Outages, Sender,
    backoff::Backoff,
    error::{Reason, SendError, Sent},
    walk::{BATCH, Lane, Part, Refused, Walk},
};
use crate::{
    clock,
    store::{OtlpProgress, Reader, Store, StoreError, StoredEvent},
};

/// How long the batch in hand may take once the daemon stops.
const LAST_BATCH: Duration = Duration::from_secs(3);

/// How long a store that fails is not used.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// How soon new events are tried while others are held; a collector that refuses
/// everything is not asked more often than this.
const HURRY: Duration = Duration::from_secs(1);

/// So many records refused, and none taken, and it is said to be the collector.
const MANY: usize = 3;

/// So many, and new events are tried before the rest of those that wait: the old
/// ones may have in common what is refused.
const PROBE_AFTER: usize = 16;

/// Where events come from, and where it is kept how far they got.
trait Log {
    async fn cursor(&self) -> Result<i64, StoreError>;
    /// The numbers of the events after `seq`.
    async fn after(&self, seq: i64) -> Result<Vec<i64>, StoreError>;
    /// The first `limit` numbers of what is to be sent on purpose.
    async fn resends(&self, limit: usize) -> Result<Vec<i64>, StoreError>;
    /// Those of the events that still exist.
    async fn load(&self, seqs: &[i64]) -> Result<Vec<StoredEvent>, StoreError>;
    async fn keep(&self, progress: OtlpProgress) -> Result<(), StoreError>;
    async fn waiting(&self) -> Result<u64, StoreError>;
    /// Resolves when there is something new to send on purpose.
    fn resend_requested(&self) -> impl Future<Output = ()> + Send;
}

/// Where events go.
trait Collector {
    /// Its address, without secrets.
    fn endpoint(&self) -> &str;
    fn send(&self, events: &[StoredEvent]) -> impl Future<Output = Result<Sent, SendError>> + Send;
}

/// Carries events from the store to a collector.
#[derive(Debug)]
pub struct Courier {
    store: Store,
    sender: Sender,
    meters: Meters,
    outages: Outages,
}

impl Courier {
    /// A courier from `store` to the collector of `sender`, which records in
    /// `outages` why events wait.
    #[must_use]
    pub const fn new(store: Store, sender: Sender, meters: Meters, outages: Outages) -> Self {
        Self { store, sender, meters, outages }
    }

    /// Carries until told to stop; the batch in hand is finished first.
    ///
    /// # Errors
    /// When the store was closed under it.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let commits = self.store.commits();
        let round = Round {
            log: &self.store,
            collector: &self.sender,
            meters: &self.meters,
            outages: &self.outages,
            stop: &stop,
        };
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

    async fn after(&self, seq: i64) -> Result<Vec<i64>, StoreError> {
        self.read(move |reader| reader.public_numbers_after(seq, BATCH)).await
    }

    async fn resends(&self, limit: usize) -> Result<Vec<i64>, StoreError> {
        self.read(move |reader| reader.otlp_resends(limit)).await
    }

    async fn load(&self, seqs: &[i64]) -> Result<Vec<StoredEvent>, StoreError> {
        let seqs = seqs.to_vec();
        self.read(move |reader| reader.public_events(&seqs)).await
    }

    async fn keep(&self, progress: OtlpProgress) -> Result<(), StoreError> {
        self.keep_otlp_progress(progress).await
    }

    async fn waiting(&self) -> Result<u64, StoreError> {
        Ok(self.read(Reader::otlp_backlog).await?.pending)
    }

    fn resend_requested(&self) -> impl Future<Output = ()> + Send {
        self.otlp_resend_requested()
    }
}

impl Collector for Sender {
    fn endpoint(&self) -> &str {
        Self::endpoint(self)
    }

    fn send(&self, events: &[StoredEvent]) -> impl Future<Output = Result<Sent, SendError>> + Send {
        Self::send(self, events)
    }
}

/// One life of the courier, from the cursor on.
struct Round<'a, L, C> {
    log: &'a L,
    collector: &'a C,
    meters: &'a Meters,
    outages: &'a Outages,
    stop: &'a CancellationToken,
}

/// What a round remembers from one request to the next.
struct Course {
    walk: Walk,
    /// The newest number of the log that was ever in the walk.
    read_to: i64,
    commits: watch::Receiver<i64>,
    /// After tries that say nothing of the records.
    backoff: Backoff,
    /// After refusals with nobody taken since.
    patience: Backoff,
}

impl<L: Log, C: Collector> Round<'_, L, C> {
    async fn run(&self, commits: watch::Receiver<i64>) -> Result<(), StoreError> {
        let mut course = Course {
            walk: Walk::default(),
            read_to: self.log.cursor().await?,
            commits,
            backoff: Backoff::default(),
            patience: Backoff::default(),
        };
        while !self.stop.is_cancelled() {
            self.fill(&mut course).await?;
            if let Some(part) = course.walk.next().cloned() {
                self.carry(&mut course, &part).await?;
            } else if course.walk.held() > 0 {
                course.walk.retry_held();
            } else {
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    changed = course.commits.changed() => if changed.is_err() { return Ok(()) },
                    () = self.log.resend_requested() => {}
                }
            }
        }
        Ok(())
    }

    /// Takes up what is new, in order. Held records are tried again after it: when
    /// one of the new is taken, the held ones were to blame.
    async fn fill(&self, course: &mut Course) -> Result<(), StoreError> {
        let is_idle = course.walk.next().is_none();
        if is_idle || course.walk.held() >= PROBE_AFTER {
            course.commits.mark_unchanged();
            let seqs = self.log.after(course.read_to).await?;
            course.read_to = seqs.last().copied().unwrap_or(course.read_to);
            course.walk.add(Lane::Live, seqs);
        }
        // On purpose comes after live, one batch at a time.
        if course.walk.next().is_none() {
            let mut seqs = self.log.resends(BATCH + course.walk.held()).await?;
            seqs.retain(|seq| !course.walk.has(Lane::Resend, *seq));
            seqs.truncate(BATCH);
            course.walk.add(Lane::Resend, seqs);
        }
        Ok(())
    }

    /// Sends a part once, and keeps what became of it.
    async fn carry(&self, course: &mut Course, part: &Part) -> Result<(), StoreError> {
        let events = self.log.load(&part.seqs).await?;
        if events.is_empty() {
            course.walk.gone();
            return self.keep(course, part, None).await;
        }
        match self.try_once(&events).await {
            Ok(sent) => {
                self.taken(events.len(), &sent).await?;
                course.backoff = Backoff::default();
                course.patience = Backoff::default();
                course.walk.taken();
                self.keep(course, part, None).await
            }
            Err(error) if error.reason == Reason::Refused => {
                self.refused(course, part, &events, &error).await
            }
            Err(error) => {
                self.meters.failed(error.reason);
                self.warn(&error, "the collector does not take events; they wait");
                let wait = course.backoff.after_failure(error.retry_after);
                self.wait(wait).await;
                Ok(())
            }
        }
    }

    async fn taken(&self, events: usize, sent: &Sent) -> Result<(), StoreError> {
        self.meters.exported(events, sent.rejected);
        if let Some(since) = self.outages.ended() {
            let waiting = self.log.waiting().await?;
            let seconds = (clock::now() - since).num_seconds();
            tracing::info!(
                endpoint = self.collector.endpoint(),
                seconds,
                waiting,
                "the collector takes events again; those that waited are sent now"
            );
        }
        let message = sent.message.as_deref().unwrap_or_default();
        if sent.rejected > 0 {
            let rejected = sent.rejected;
            tracing::warn!(rejected, message, "the collector took a batch and dropped events");
        } else if !message.is_empty() {
            tracing::warn!(message, "the collector took a batch with a warning");
        }
        Ok(())
    }

    async fn refused(
        &self,
        course: &mut Course,
        part: &Part,
        events: &[StoredEvent],
        error: &SendError,
    ) -> Result<(), StoreError> {
        match course.walk.refused() {
            Refused::Halved if course.walk.held() == 0 => return Ok(()),
            Refused::Halved => {}
            Refused::Parked => {
                for StoredEvent { seq, event, .. } in events {
                    let (event, cause) = (event.name.as_str(), &error.cause);
                    tracing::error!(
                        seq,
                        event,
                        cause,
                        "the collector refuses an event and takes others; it is parked, and \
                         `cii-exporter otlp retry` sends it again"
                    );
                }
                self.meters.failed(Reason::Refused);
                return self.keep(course, part, Some(Reason::Refused)).await;
            }
            Refused::Held => {
                // Fewer, with others still to be tried, may be their own fault.
                if course.walk.next().is_none() || course.walk.held() >= MANY {
                    self.meters.failed(Reason::Refused);
                    self.warn(
                        error,
                        "the collector refuses every event it is sent; they wait, and none is \
                         parked",
                    );
                }
            }
        }
        let wait = course.patience.after_failure(error.retry_after);
        self.wait_for_news(wait, &mut course.commits).await;
        Ok(())
    }

    /// Keeps that a part was taken, or parked.
    async fn keep(
        &self,
        course: &Course,
        part: &Part,
        parked: Option<Reason>,
    ) -> Result<(), StoreError> {
        let cursor = match course.walk.first(Lane::Live) {
            Some(first) => first - 1,
            None => course.read_to,
        };
        let progress = OtlpProgress {
            cursor,
            resent: if part.lane == Lane::Resend { part.seqs.clone() } else { Vec::new() },
            parked: parked.map(|reason| (part.seqs.clone(), reason.as_str())),
        };
        self.log.keep(progress).await
    }

    fn warn(&self, error: &SendError, what: &'static str) {
        if self.outages.failed(error.reason, &error.cause, clock::now()) {
            tracing::warn!(
                endpoint = self.collector.endpoint(),
                reason = error.reason.as_str(),
                cause = %error.cause,
                "{what}"
            );
        }
    }

    async fn wait(&self, time: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Waits for less when something is committed meanwhile.
    async fn wait_for_news(&self, time: Duration, commits: &mut watch::Receiver<i64>) {
        let begun = Instant::now();
        tokio::select! {
            () = self.wait(time) => return,
            _ = commits.changed() => {}
        }
        self.wait(HURRY.min(time.saturating_sub(begun.elapsed()))).await;
    }

    /// One try; once the daemon stops, it may take a while longer and no more.
    async fn try_once(&self, part: &[StoredEvent]) -> Result<Sent, SendError> {
        let patience = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_BATCH).await;
        };
        tokio::select! {
            sent = self.collector.send(part) => sent,
            () = patience => Err(SendError::new(Reason::Timeout, "the daemon stops")),
        }
    }
}

#[cfg(test)]
mod tests;
