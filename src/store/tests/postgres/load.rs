//! Senders that deliver until they are stopped, and repeat what was not acknowledged.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::task::JoinSet;

use super::*;

/// Senders, and a reader of the log.
pub(super) struct Load {
    senders: JoinSet<()>,
    told: Arc<Tally>,
}

#[derive(Default)]
struct Tally {
    is_over: AtomicBool,
    acknowledged: Mutex<Vec<String>>,
    failed: AtomicUsize,
    read: AtomicUsize,
    failed_reads: AtomicUsize,
}

impl Load {
    /// Starts senders. Their deliveries have ids that begin with `name`.
    pub(super) fn start(store: &Store, name: &str, senders: usize) -> Self {
        let told = Arc::<Tally>::default();
        let mut set = JoinSet::new();
        for sender in 0..senders {
            let (store, told, name) = (store.clone(), told.clone(), name.to_owned());
            set.spawn(async move {
                let mut number = 0;
                while !told.is_over.load(Ordering::Relaxed) {
                    number += 1;
                    told.send(&store, format!("{name}-{sender}-{number}")).await;
                }
            });
        }
        let (store, reads) = (store.clone(), told.clone());
        set.spawn(async move { reads.read(&store).await });
        Self { senders: set, told }
    }

    /// How many deliveries were acknowledged, and how many tries failed.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.told.acknowledged().len(), self.told.failed.load(Ordering::Relaxed))
    }

    /// Waits until so many more deliveries are acknowledged, and something is read, too.
    pub(super) async fn wait_for_more(&self, more: usize) {
        let (acknowledged, read) = (self.counts().0, self.told.read.load(Ordering::Relaxed));
        until("deliveries are acknowledged", async || {
            self.counts().0 >= acknowledged + more && self.told.read.load(Ordering::Relaxed) > read
        })
        .await;
    }

    /// Waits until a delivery and a read fail.
    pub(super) async fn wait_for_failure(&self) {
        let of_reads = || self.told.failed_reads.load(Ordering::Relaxed);
        let (failed, reads) = (self.counts().1, of_reads());
        until("deliveries fail", async || self.counts().1 > failed && of_reads() > reads).await;
    }

    /// Makes the senders repeat what is not acknowledged yet, and stop; returns the acknowledged
    /// ids.
    pub(super) async fn stop(mut self) -> Vec<String> {
        self.told.is_over.store(true, Ordering::Relaxed);
        while let Some(sender) = self.senders.join_next().await {
            sender.unwrap();
        }
        self.told.acknowledged().clone()
    }
}

impl Tally {
    fn acknowledged(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a delivery until it is acknowledged.
    async fn send(&self, store: &Store, id: String) {
        let begun = Instant::now();
        for tries in 1.. {
            match deliver(store, &id).await {
                Ok(outcome) => {
                    // A commit whose answer was lost is a duplicate when it is repeated.
                    let is_known = tries > 1 && outcome == DeliveryOutcome::Duplicate;
                    assert!(is_known || outcome == NEW, "{id}: {outcome:?}, try {tries}");
                    break;
                }
                Err(error) => {
                    let expected =
                        [SqlErrorKind::Unreachable, SqlErrorKind::Locked, SqlErrorKind::ReadOnly];
                    assert!(kind(&error).is_some_and(|kind| expected.contains(&kind)), "{error:?}");
                    self.failed.fetch_add(1, Ordering::Relaxed);
                }
            }
            assert!(begun.elapsed() < Duration::from_mins(2), "{id} is never acknowledged");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.acknowledged().push(id);
    }

    /// Follows the log, and checks that it has no gap.
    async fn read(&self, store: &Store) {
        let mut last = store.read(Reader::last_seq).await.unwrap_or_default();
        while !self.is_over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let read = store.read(log_after(last)).await;
            assert!(begun.elapsed() < BOUND, "a read took {:?}", begun.elapsed());
            match read {
                Ok(events) => {
                    for (seq, ..) in events {
                        assert_eq!(seq, last + 1, "the log skips nothing");
                        last = seq;
                    }
                    self.read.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    // Of several hosts, one may be there that takes no writes.
                    let expected = [SqlErrorKind::Unreachable, SqlErrorKind::ReadOnly];
                    assert!(kind(&error).is_some_and(|kind| expected.contains(&kind)), "{error:?}");
                    self.failed_reads.fetch_add(1, Ordering::Relaxed);
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
