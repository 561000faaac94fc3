//! Records refused deliveries, so that operators can see the reason and the body.
//!
//! A task writes them to the store, so that no answer waits long. Those that the store cannot
//! record are kept in memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};
use tokio_util::sync::CancellationToken;

use crate::{
    ledger::change::RecordRefused,
    store::{KeptDelivery, Store, StoreError},
};

/// Most refused deliveries in the queue of the task.
const QUEUE: usize = 256;

/// Most refused deliveries that are kept in memory.
const IN_MEMORY: usize = 100;

/// How long an answer waits for the commit, so that a client that reads the list right after its
/// answer usually finds the row.
const PATIENCE: Duration = Duration::from_millis(250);

/// The entry to the task; clones share its queue.
#[derive(Debug, Clone)]
pub struct Refusals {
    queue: mpsc::Sender<Waiting>,
    unkept: Unkept,
}

/// The task that writes refused deliveries to the store.
#[derive(Debug)]
pub struct RefusalWriter {
    queue: mpsc::Receiver<Waiting>,
    store: Store,
    unkept: Unkept,
}

type Waiting = (RecordRefused, oneshot::Sender<()>);

/// Refused deliveries that the store could not record, the newest last.
#[derive(Debug, Clone, Default)]
struct Unkept(Arc<Mutex<VecDeque<KeptDelivery>>>);

impl Refusals {
    /// Creates the queue and its task.
    #[must_use]
    pub fn new(store: Store) -> (Self, RefusalWriter) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let unkept = Unkept::default();
        let writer = RefusalWriter { queue: receiver, store, unkept: unkept.clone() };
        (Self { queue: sender, unkept }, writer)
    }

    /// The refused deliveries that the store could not record, the newest first.
    #[must_use]
    pub fn unkept(&self) -> Vec<KeptDelivery> {
        self.unkept.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    /// Drops the deliveries in memory, because they can name a user who is purged.
    pub fn drop_unkept(&self) {
        self.unkept.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Queues a refused delivery and waits up to [`PATIENCE`] until it is written. A delivery that
    /// was answered with 503 does not wait: the store is already too slow.
    pub(super) async fn keep_refusal(&self, refused: RecordRefused) {
        let is_busy = refused.status == 503;
        let (done, written) = oneshot::channel();
        match self.queue.try_send((refused, done)) {
            Ok(()) if is_busy => {}
            Ok(()) => {
                let _ = tokio::time::timeout(PATIENCE, written).await;
            }
            Err(TrySendError::Full((refused, _)) | TrySendError::Closed((refused, _))) => {
                self.unkept.push(refused);
            }
        }
    }
}

impl RefusalWriter {
    /// Writes until stopped, and then the rest of the queue.
    ///
    /// # Errors
    /// When the store is closed.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), StoreError> {
        loop {
            tokio::select! {
                biased;
                next = self.queue.recv() => match next {
                    Some(waiting) => self.write_refusal(waiting).await?,
                    None => return Ok(()),
                },
                () = stop.cancelled() => break,
            }
        }
        while let Ok(waiting) = self.queue.try_recv() {
            self.write_refusal(waiting).await?;
        }
        Ok(())
    }

    async fn write_refusal(&self, (refused, done): Waiting) -> Result<(), StoreError> {
        match self.store.commit_unless_busy(refused.clone()).await {
            Ok(_) => {}
            Err(StoreError::Closed) => return Err(StoreError::Closed),
            Err(error) => {
                tracing::warn!(%error, "a refused webhook delivery is kept in memory only");
                self.unkept.push(refused);
            }
        }
        // The answer may have stopped waiting.
        let _ = done.send(());
        Ok(())
    }
}

impl Unkept {
    fn push(&self, refused: RecordRefused) {
        let kept = KeptDelivery {
            number: None,
            id: None,
            detail_id: None,
            received_at: refused.received_at,
            sent_at: None,
            published_at: None,
            detail_type: None,
            source: None,
            account: None,
            region: None,
            check_id: None,
            title: None,
            severity: None,
            result: refused.result.to_owned(),
            status: refused.status,
            reason: Some(refused.reason),
            users_failing: 0,
            users_newly_failing: 0,
            users_known: 0,
            users_cleared: 0,
            logins_skipped: 0,
            notes: Vec::new(),
            repeats: 0,
            last_repeat_at: None,
            replayed_as: None,
            size: refused.size.and_then(|size| u64::try_from(size).ok()),
            has_body: false,
        };
        let mut unkept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unkept.len() == IN_MEMORY {
            unkept.pop_front();
        }
        unkept.push_back(kept);
    }
}
