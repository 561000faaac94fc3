//! Keeping what was refused, for people who look for the reason.
//!
//! A task of its own writes to the store, so that no answer waits for long. What
//! the store cannot take is kept in memory.

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

/// Refused deliveries that wait to be written at most.
const QUEUE: usize = 256;

/// Refused deliveries in memory at most.
const IN_MEMORY: usize = 100;

/// How long an answer waits for the row, so that whoever got it usually finds the
/// row at once.
const PATIENCE: Duration = Duration::from_millis(250);

/// Where refused deliveries are handed in; clones share it.
#[derive(Debug, Clone)]
pub struct Refusals {
    queue: mpsc::Sender<Waiting>,
    unkept: Unkept,
}

/// Writes what is handed in.
#[derive(Debug)]
pub struct RefusalWriter {
    queue: mpsc::Receiver<Waiting>,
    store: Store,
    unkept: Unkept,
}

type Waiting = (RecordRefused, oneshot::Sender<()>);

/// What the store could not take, the newest last.
#[derive(Debug, Clone, Default)]
struct Unkept(Arc<Mutex<VecDeque<KeptDelivery>>>);

impl Refusals {
    /// A place to hand refused deliveries in, and its task.
    #[must_use]
    pub fn new(store: Store) -> (Self, RefusalWriter) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let unkept = Unkept::default();
        let writer = RefusalWriter { queue: receiver, store, unkept: unkept.clone() };
        (Self { queue: sender, unkept }, writer)
    }

    /// What the store could not take, the newest first.
    #[must_use]
    pub fn unkept(&self) -> Vec<KeptDelivery> {
        self.unkept.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    /// Drops what is in memory alone: it can name somebody who is to be forgotten.
    pub fn drop_unkept(&self) {
        self.unkept.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Hands a refused delivery in. Waits until it is written, but not for long;
    /// not at all when the store was just too busy for the delivery itself.
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
    /// Writes until told to stop, and then what still waits.
    ///
    /// # Errors
    /// When the store was closed under it.
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
        // Whoever waited may have gone on.
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
