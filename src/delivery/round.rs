//! Sends the log to the collector, batch by batch. The next batch is sent only when the one before
//! it was accepted.
//!
//! While a batch is sent, the outcome of the one before it is stored and the one after it is read.
//! This changes neither the order nor the cursor: one request is open at a time, and the cursor
//! moves only over acknowledged batches. A kill repeats at most two batches.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Meters, Outages,
    backoff::Failures,
    ends::{Collector, Log},
    error::{Reason, SendError, Sent},
    walk::{BATCH, Lane, Part, Refused, Walk},
};
use crate::{
    clock,
    domain::{EventName, redact_names},
    ledger::change::RecordProgress,
    store::{Batch, StoreError, StoredEvent},
};

/// How long the current batch may take once the daemon stops.
const LAST_BATCH: Duration = Duration::from_millis(2500);

/// The pause before new events are sent while others are held. It also bounds the rate of requests
/// to a collector that refuses everything.
const HURRY: Duration = Duration::from_secs(1);

/// After this many refused records, and none accepted, the log blames the collector.
const MANY: usize = 3;

/// With this many records held, new events are sent before the held ones are retried: the old ones
/// may have in common what is refused.
const PROBE_AFTER: usize = 16;

/// The reason of a parked event that was never sent.
const UNREADABLE: &str = "unreadable";

/// The courier's loop from the stored cursor on, until the store fails or the daemon stops.
pub(super) struct Round<'a, L, C> {
    pub(super) log: &'a L,
    pub(super) collector: &'a C,
    pub(super) meters: &'a Meters,
    pub(super) outages: &'a Outages,
    pub(super) stop: &'a CancellationToken,
}

/// The state of a round between two requests.
struct RoundState {
    walk: Walk,
    /// The highest number that was read from the log.
    read_to: i64,
    /// The next batch of the log, read while the one before it was sent.
    ahead: Option<Batch>,
    /// The events of the next part, if they were read with their numbers.
    loaded: Option<Batch>,
    /// The number of erasures when the events were read.
    erasures: u64,
    /// The outcome of the last part, if it is not yet stored.
    unkept: Option<RecordProgress>,
    commits: watch::Receiver<i64>,
    /// Counts failures that say nothing about the records.
    backoff: Failures,
    /// Counts refusals since a record was last accepted.
    patience: Failures,
}

impl RoundState {
    /// The number up to which every event is accepted or parked.
    fn cursor(&self) -> i64 {
        self.walk.first_seq(Lane::Live).map_or(self.read_to, |first| first - 1)
    }

    /// The progress after a part was accepted or parked.
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
    /// Sends until the daemon stops; the outcome of the last batch is stored then.
    ///
    /// # Errors
    /// When the store fails: the next round begins at the stored cursor.
    pub(super) async fn run(&self, commits: watch::Receiver<i64>) -> Result<(), StoreError> {
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
                // The wait after their refusal is over, and nothing else is left to send.
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

    /// Queues new events, in order. Held records are retried after them: when a new event is
    /// accepted, the refusals were the fault of the held records.
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
            // All events of a batch may be unreadable while others follow.
            is_wanted = batch.events.is_empty() && batch.is_cut;
            state.loaded = Some(batch).filter(|batch| !batch.events.is_empty());
        }
        // Events on purpose come after new events, one batch at a time.
        if state.walk.next_part().is_none() {
            // No request is sent during which the outcome could be stored, and unless it is stored,
            // the events that were just sent on purpose would be read again.
            self.save_progress(state.unkept.take()).await?;
            let mut seqs = self.log.resend_seqs(BATCH.events + state.walk.held_count()).await?;
            seqs.retain(|seq| !state.walk.contains(Lane::Resend, *seq));
            seqs.truncate(BATCH.events);
            state.walk.add_part(Lane::Resend, seqs);
        }
        Ok(())
    }

    /// Drops events that were read before a person was erased: they can name the person.
    fn drop_erased(&self, state: &mut RoundState) {
        let erasures = self.log.erasures();
        if std::mem::replace(&mut state.erasures, erasures) != erasures {
            (state.ahead, state.loaded) = (None, None);
        }
    }

    /// The events of a part. When they are too large for one batch, the part is split.
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

    /// Parks events that cannot be decoded, so that they do not block others and are counted.
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

    /// Sends a part once. The outcome is stored during the next request, or at once when there is
    /// none.
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
        // A batch below the limit was the end of the log. Events that come during the request form
        // one batch after it; reading ahead would split them into two.
        let reads_ahead =
            part.lane == Lane::Live && is_cut && state.walk.is_last() && state.ahead.is_none();
        // A round ends when the outcome cannot be stored; this batch may then be sent again, which
        // at-least-once delivery allows.
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

    /// The next batch of the log, if it is wanted and not empty.
    async fn read_ahead(&self, read_to: i64, is_wanted: bool) -> Option<Batch> {
        if !is_wanted {
            return None;
        }
        // A store that fails is noticed when the batch is needed. Returning the error here would
        // lose the outcome of the current request.
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
        // The collector's message may repeat the records, which name people.
        let message = redact_names(sent.message.as_deref().unwrap_or_default());
        if sent.rejected > 0 {
            let rejected = sent.rejected;
            tracing::warn!(rejected, message, "the collector took a batch and dropped events");
        } else if !message.is_empty() {
            tracing::warn!(message, "the collector took a batch with a warning");
        }
        Ok(())
    }

    /// Handles the refusal of a part. `name` is that of its first event.
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
                // A few refused records, with others still to send, may be their own fault.
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

    /// Waits, but at most [`HURRY`] after a commit.
    async fn wait_for_commit(&self, time: Duration, commits: &mut watch::Receiver<i64>) {
        let begun = Instant::now();
        tokio::select! {
            () = self.wait(time) => return,
            _ = commits.changed() => {}
        }
        self.wait(HURRY.min(time.saturating_sub(begun.elapsed()))).await;
    }

    /// Sends a batch once. After the daemon begins to stop, it may take [`LAST_BATCH`] longer.
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
