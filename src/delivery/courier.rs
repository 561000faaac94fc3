//! Carries the log to the collector: batch by batch, and on only when a batch
//! was taken.
//!
//! While a batch is sent, the outcome of the one before it is kept and the one after it
//! is read. Order and cursor do not change by that: one request is open at a time, and the
//! cursor moves only over what was acknowledged. A kill repeats two batches at most.

use std::{future::Future, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Meters, Outages, Sender,
    backoff::Failures,
    error::{Reason, SendError, Sent},
    walk::{BATCH, Lane, Part, Refused, Walk},
};
use crate::{
    clock,
    domain::{EventName, TenantId, redact_names},
    ledger::change::RecordProgress,
    store::{Batch, Reader, Store, StoreError, StoredEvent},
};

/// How long the batch in hand may take once the daemon stops.
const LAST_BATCH: Duration = Duration::from_millis(2500);

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

/// Why an event is parked that was never sent.
const UNREADABLE: &str = "unreadable";

/// Where events come from, and where it is kept how far they got.
trait Log {
    async fn cursor(&self) -> Result<i64, StoreError>;
    /// A batch of the events after `seq`.
    async fn load_after(&self, seq: i64) -> Result<Batch, StoreError>;
    /// The first `limit` numbers of what is to be sent on purpose.
    async fn resend_seqs(&self, limit: usize) -> Result<Vec<i64>, StoreError>;
    /// A batch of the events with these numbers that still exist.
    async fn load_events(&self, seqs: &[i64]) -> Result<Batch, StoreError>;
    async fn save_progress(&self, progress: RecordProgress) -> Result<(), StoreError>;
    async fn count_pending(&self) -> Result<u64, StoreError>;
    /// Which tenant events are from, once a delivery told it.
    async fn tenant_id(&self) -> Result<Option<TenantId>, StoreError>;
    /// How often rows that can be in memory were changed.
    fn erasures(&self) -> u64;
    /// Resolves when there is something new to send on purpose.
    fn wait_for_resend(&self) -> impl Future<Output = ()> + Send;
}

/// Where events go.
trait Collector {
    /// Its address, without secrets.
    fn endpoint(&self) -> &str;
    /// Whether it says which tenant events are from.
    fn is_identified(&self) -> bool;
    /// Has it say so from now on.
    fn identify(&self, tenant: TenantId);
    fn send(
        &self,
        events: Vec<StoredEvent>,
    ) -> impl Future<Output = Result<Sent, SendError>> + Send;
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

    async fn load_after(&self, seq: i64) -> Result<Batch, StoreError> {
        self.read(move |reader| reader.public_events_after(seq, BATCH)).await
    }

    async fn resend_seqs(&self, limit: usize) -> Result<Vec<i64>, StoreError> {
        self.read(move |reader| reader.otlp_resends(limit)).await
    }

    async fn load_events(&self, seqs: &[i64]) -> Result<Batch, StoreError> {
        let seqs = seqs.to_vec();
        self.read(move |reader| reader.public_events(&seqs, BATCH)).await
    }

    async fn save_progress(&self, progress: RecordProgress) -> Result<(), StoreError> {
        self.commit(progress).await
    }

    async fn count_pending(&self) -> Result<u64, StoreError> {
        Ok(self.read(Reader::otlp_backlog).await?.pending)
    }

    async fn tenant_id(&self) -> Result<Option<TenantId>, StoreError> {
        self.read(Reader::tenant_id).await
    }

    fn erasures(&self) -> u64 {
        self.erasures()
    }

    fn wait_for_resend(&self) -> impl Future<Output = ()> + Send {
        self.otlp_resend_requested()
    }
}

impl Collector for Sender {
    fn endpoint(&self) -> &str {
        Self::endpoint(self)
    }

    fn is_identified(&self) -> bool {
        Self::is_identified(self)
    }

    fn identify(&self, tenant: TenantId) {
        Self::identify(self, tenant);
    }

    fn send(
        &self,
        events: Vec<StoredEvent>,
    ) -> impl Future<Output = Result<Sent, SendError>> + Send {
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
struct RoundState {
    walk: Walk,
    /// The newest number of the log that was ever in the walk.
    read_to: i64,
    /// The next of the log, read while the one before it was sent.
    ahead: Option<Batch>,
    /// The events of the next part, when they were read with their numbers.
    loaded: Option<Batch>,
    /// How many erasures there were when they were read.
    erasures: u64,
    /// What became of the last part, when it is not yet kept.
    unkept: Option<RecordProgress>,
    commits: watch::Receiver<i64>,
    /// After tries that say nothing of the records.
    backoff: Failures,
    /// After refusals with nobody taken since.
    patience: Failures,
}

impl RoundState {
    /// How far everything is taken, or parked.
    fn cursor(&self) -> i64 {
        self.walk.first_seq(Lane::Live).map_or(self.read_to, |first| first - 1)
    }

    /// That a part was taken, or parked.
    fn progress(&self, part: Part, parked: Option<Reason>) -> RecordProgress {
        RecordProgress {
            cursor: self.cursor(),
            parked: parked.map(|reason| (part.seqs.clone(), reason.into_str())),
            resent: if part.lane == Lane::Resend { part.seqs } else { Vec::new() },
            at: clock::now(),
        }
    }
}

impl<L: Log, C: Collector> Round<'_, L, C> {
    async fn run(&self, commits: watch::Receiver<i64>) -> Result<(), StoreError> {
        let mut state = RoundState {
            walk: Walk::default(),
            read_to: self.log.cursor().await?,
            ahead: None,
            loaded: None,
            erasures: self.log.erasures(),
            unkept: None,
            commits,
            backoff: Failures::default(),
            patience: Failures::default(),
        };
        while !self.stop.is_cancelled() {
            self.fill_walk(&mut state).await?;
            if let Some(part) = state.walk.next_part().cloned() {
                self.send_part(&mut state, part).await?;
            } else if state.walk.held_count() > 0 {
                state.walk.retry_held();
            } else {
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    changed = state.commits.changed() => if changed.is_err() { return Ok(()) },
                    () = self.log.wait_for_resend() => {}
                }
            }
        }
        self.save_progress(state.unkept.take()).await
    }

    /// Takes up what is new, in order. Held records are tried again after it: when
    /// one of the new is taken, the held ones were to blame.
    async fn fill_walk(&self, state: &mut RoundState) -> Result<(), StoreError> {
        self.drop_erased(state);
        let is_idle = state.walk.next_part().is_none();
        let mut is_wanted = is_idle || state.walk.held_count() >= PROBE_AFTER;
        while is_wanted {
            let batch = if let Some(batch) = state.ahead.take() {
                batch
            } else {
                state.commits.mark_unchanged();
                self.log.load_after(state.read_to).await?
            };
            let seqs: Vec<_> = batch.events.iter().map(|event| event.seq).collect();
            state.read_to = batch.last_seq().unwrap_or(state.read_to);
            state.walk.add_part(Lane::Live, seqs);
            self.park_unreadable(state, &batch).await?;
            // Nothing of a whole batch may be left to send, with others behind it.
            is_wanted = batch.events.is_empty() && batch.is_cut;
            state.loaded = Some(batch).filter(|batch| !batch.events.is_empty());
        }
        // On purpose comes after live, one batch at a time.
        if state.walk.next_part().is_none() {
            // Nothing is sent beside which it could be kept, and what was sent on purpose
            // would be read as still to be sent.
            self.save_progress(state.unkept.take()).await?;
            let mut seqs = self.log.resend_seqs(BATCH.events + state.walk.held_count()).await?;
            seqs.retain(|seq| !state.walk.contains(Lane::Resend, *seq));
            seqs.truncate(BATCH.events);
            state.walk.add_part(Lane::Resend, seqs);
        }
        Ok(())
    }

    /// Drops what was read before somebody was forgotten: it can name the person.
    fn drop_erased(&self, state: &mut RoundState) {
        let erasures = self.log.erasures();
        if std::mem::replace(&mut state.erasures, erasures) != erasures {
            (state.ahead, state.loaded) = (None, None);
        }
    }

    /// The events of a part; less of it, when they are too large for one batch.
    async fn load_part(
        &self,
        state: &mut RoundState,
        part: &mut Part,
    ) -> Result<Batch, StoreError> {
        self.drop_erased(state);
        if let Some(batch) = state.loaded.take() {
            return Ok(batch);
        }
        let batch = self.log.load_events(&part.seqs).await?;
        if batch.is_cut
            && let Some(seq) = batch.last_seq()
        {
            state.walk.split_next(seq);
            part.seqs.truncate(part.seqs.partition_point(|other| *other <= seq));
        }
        self.park_unreadable(state, &batch).await?;
        Ok(batch)
    }

    /// Parks events that cannot be understood: nobody else waits for them, and they are
    /// counted.
    async fn park_unreadable(&self, state: &RoundState, batch: &Batch) -> Result<(), StoreError> {
        if batch.unreadable.is_empty() {
            return Ok(());
        }
        tracing::error!(
            seqs = ?batch.unreadable,
            "events of the log cannot be understood; they are parked, and the others are sent"
        );
        let parked = Some((batch.unreadable.clone(), UNREADABLE));
        let cursor = state.cursor();
        self.log
            .save_progress(RecordProgress { cursor, resent: Vec::new(), parked, at: clock::now() })
            .await
    }

    /// Sends a part once. What became of it is kept beside the next request, or as soon
    /// as there is none.
    async fn send_part(&self, state: &mut RoundState, mut part: Part) -> Result<(), StoreError> {
        let Batch { events, is_cut, .. } = self.load_part(state, &mut part).await?;
        let Some(first) = events.first().map(|event| event.event.name) else {
            state.walk.drop_next();
            self.save_progress(state.unkept.take()).await?;
            state.unkept = Some(state.progress(part, None));
            return Ok(());
        };
        let count = events.len();
        if !self.collector.is_identified()
            && let Some(tenant) = self.log.tenant_id().await?
        {
            self.collector.identify(tenant);
        }
        // A batch that the limit did not end was the end of the log: what comes during
        // the request makes one batch after it, instead of a small one and another.
        let reads_ahead =
            part.lane == Lane::Live && is_cut && state.walk.is_last() && state.ahead.is_none();
        let (sent, kept, ahead) = tokio::join!(
            self.send_once(events),
            self.save_progress(state.unkept.take()),
            self.read_ahead(state.read_to, reads_ahead),
        );
        kept?;
        state.ahead = state.ahead.take().or(ahead);
        match sent {
            Ok(sent) => {
                self.report_taken(count, &sent).await?;
                state.backoff = Failures::default();
                state.patience = Failures::default();
                state.walk.record_taken();
                state.unkept = Some(state.progress(part, None));
                Ok(())
            }
            Err(error) if error.reason == Reason::Refused => {
                self.handle_refusal(state, part, first, &error).await;
                Ok(())
            }
            Err(error) => {
                self.meters.count_failure(error.reason);
                self.log_outage(&error, "the collector does not take events; they wait");
                let wait = state.backoff.next_wait(error.retry_after);
                self.wait(wait).await;
                Ok(())
            }
        }
    }

    /// The next batch of the log, if it is wanted and there is one.
    async fn read_ahead(&self, read_to: i64, is_wanted: bool) -> Option<Batch> {
        if !is_wanted {
            return None;
        }
        // A store that fails is met again when the batch is needed, and what is known of
        // the one under way is not lost over it.
        let batch = self.log.load_after(read_to).await.ok()?;
        batch.last_seq().is_some().then_some(batch)
    }

    async fn report_taken(&self, events: usize, sent: &Sent) -> Result<(), StoreError> {
        self.meters.count_exported(events, sent.rejected);
        if let Some(since) = self.outages.record_success() {
            let waiting = self.log.count_pending().await?;
            let seconds = (clock::now() - since).num_seconds();
            tracing::info!(
                endpoint = self.collector.endpoint(),
                seconds,
                waiting,
                "the collector takes events again; those that waited are sent now"
            );
        }
        // It may repeat what it was sent.
        let message = redact_names(sent.message.as_deref().unwrap_or_default());
        if sent.rejected > 0 {
            let rejected = sent.rejected;
            tracing::warn!(rejected, message, "the collector took a batch and dropped events");
        } else if !message.is_empty() {
            tracing::warn!(message, "the collector took a batch with a warning");
        }
        Ok(())
    }

    /// Decides what becomes of a refused part. `name` is that of its first event.
    async fn handle_refusal(
        &self,
        state: &mut RoundState,
        part: Part,
        name: EventName,
        error: &SendError,
    ) {
        match state.walk.record_refusal() {
            Refused::Halved if state.walk.held_count() == 0 => return,
            Refused::Halved => {}
            Refused::Parked => {
                let (seq, event, cause) =
                    (part.seqs.first(), name.as_str(), redact_names(&error.cause));
                tracing::error!(
                    seq,
                    event,
                    cause,
                    "the collector refuses an event and takes others; it is parked, and \
                     `cii-exporter otlp retry` sends it again"
                );
                self.meters.count_failure(Reason::Refused);
                state.unkept = Some(state.progress(part, Some(Reason::Refused)));
                return;
            }
            Refused::Held => {
                // Fewer, with others still to be tried, may be their own fault.
                if state.walk.next_part().is_none() || state.walk.held_count() >= MANY {
                    self.meters.count_failure(Reason::Refused);
                    self.log_outage(
                        error,
                        "the collector refuses every event it is sent; they wait, and none is \
                         parked",
                    );
                }
            }
        }
        let wait = state.patience.next_wait(error.retry_after);
        self.wait_for_commit(wait, &mut state.commits).await;
    }

    async fn save_progress(&self, progress: Option<RecordProgress>) -> Result<(), StoreError> {
        match progress {
            Some(progress) => self.log.save_progress(progress).await,
            None => Ok(()),
        }
    }

    fn log_outage(&self, error: &SendError, what: &'static str) {
        if self.outages.record_failure(error.reason, &error.cause, clock::now()) {
            tracing::warn!(
                endpoint = self.collector.endpoint(),
                reason = error.reason.into_str(),
                cause = redact_names(&error.cause),
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
    async fn wait_for_commit(&self, time: Duration, commits: &mut watch::Receiver<i64>) {
        let begun = Instant::now();
        tokio::select! {
            () = self.wait(time) => return,
            _ = commits.changed() => {}
        }
        self.wait(HURRY.min(time.saturating_sub(begun.elapsed()))).await;
    }

    /// One try; once the daemon stops, it may take a while longer and no more.
    async fn send_once(&self, events: Vec<StoredEvent>) -> Result<Sent, SendError> {
        let patience = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_BATCH).await;
        };
        tokio::select! {
            sent = self.collector.send(events) => sent,
            () = patience => Err(SendError::new(Reason::Timeout, "the daemon stops")),
        }
    }
}

#[cfg(test)]
mod tests;
