//! Limits how many bytes of deliveries are processed at the same time.
//!
//! Small deliveries have a limit of their own, and never wait for large ones. A large one acquires
//! its bytes in three stages: admission, memory, parsing. When the first stage is full, the
//! delivery is answered with 503 at once. While it waits for the second, its body is still in the
//! buffers of the sender.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::{Instant, timeout_at},
};

use super::meters::{Meters, Shed};
use crate::blocking;

/// Up to this many bytes a delivery is small: about three hundred users of 200 bytes.
pub(super) const SMALL: usize = 64 * 1024;

/// Most small deliveries at the same time: 64 MiB together.
const SMALL_AT_ONCE: usize = 1024;

/// Most bytes of admitted large bodies, whichever stage they are in: what two slow cores commit
/// before the senders time out.
const LET_IN: usize = 128 * 1024 * 1024;

/// Most bytes of large bodies in memory: six of the default maximum (`webhook.max_body_bytes`).
const IN_MEMORY: usize = 24 * 1024 * 1024;

/// Most bytes of large bodies that are being parsed, or are parsed and wait for their commit. A
/// parsed body takes several times its memory, and one of the default maximum keeps the store busy.
const PARSED: usize = 4 * 1024 * 1024;

/// Bytes per permit: one acquire can take at most 2^32 - 1 permits of a semaphore.
const UNIT: usize = 1024;

/// Total time that a small delivery may wait, without its own arrival. Its commit may still happen
/// afterwards; the id then identifies the sender's retry as a duplicate.
const SMALL_PATIENCE: Duration = Duration::from_secs(10);

/// The same for a large delivery: below the 30 s that proxies commonly wait for an answer.
const LARGE_PATIENCE: Duration = Duration::from_secs(25);

/// The limits, shared by all deliveries.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    small: Arc<Semaphore>,
    let_in: Quota,
    in_memory: Quota,
    parsed: Quota,
    meters: Meters,
}

/// What one delivery has acquired; released on drop.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    /// The permit of a small delivery; `None` once it is large.
    small: Option<OwnedSemaphorePermit>,
    let_in: Option<OwnedSemaphorePermit>,
    in_memory: Option<OwnedSemaphorePermit>,
    parsed: Option<OwnedSemaphorePermit>,
    /// Bytes of body that the share has room for.
    room: usize,
    /// Bytes of this share in the meter.
    shown: usize,
    /// Remaining time to wait.
    patience: Duration,
}

/// There is no room in the budget, or not in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom;

impl Budget {
    pub(super) fn new(meters: Meters) -> Self {
        Self {
            small: Arc::new(Semaphore::new(SMALL_AT_ONCE)),
            let_in: Quota::new(LET_IN),
            in_memory: Quota::new(IN_MEMORY),
            parsed: Quota::new(PARSED),
            meters,
        }
    }

    /// Acquires a share for a delivery, which is small until the share grows.
    pub(super) fn take_share(&self) -> Result<Share, NoRoom> {
        let small = self.small.clone().try_acquire_owned().map_err(|error| match error {
            TryAcquireError::NoPermits => self.count_shed(Shed::Count),
            TryAcquireError::Closed => NoRoom,
        })?;
        Ok(Share {
            budget: self.clone(),
            small: Some(small),
            let_in: None,
            in_memory: None,
            parsed: None,
            room: SMALL,
            shown: 0,
            patience: SMALL_PATIENCE,
        })
    }

    /// Counts a delivery whose commit took too long.
    pub(super) fn count_timeout(&self) {
        self.count_shed(Shed::Time);
    }

    /// Rejects all waiting and new deliveries, at shutdown. They are not counted as shed.
    pub(super) fn close(&self) {
        self.small.close();
        for quota in [&self.let_in, &self.in_memory, &self.parsed] {
            quota.units.close();
        }
    }

    fn count_shed(&self, why: Shed) -> NoRoom {
        self.meters.count_shed(why);
        NoRoom
    }
}

impl Share {
    /// Acquires room for a body of this many bytes in memory.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes <= self.room {
            return Ok(());
        }
        let budget = self.budget.clone();
        budget.let_in.try_raise(&mut self.let_in, bytes).map_err(|error| match error {
            TryAcquireError::NoPermits => budget.count_shed(Shed::Bytes),
            TryAcquireError::Closed => NoRoom,
        })?;
        // It counts as large from here on, so its small permit is free for others.
        if self.small.take().is_some() {
            self.patience = LARGE_PATIENCE;
        }
        // Released before waiting: two deliveries that each hold some and wait for more would
        // deadlock.
        self.in_memory = None;
        self.in_memory = Some(self.wait_for_permit(budget.in_memory.acquire(bytes)).await?);
        self.room = bytes;
        self.update_meter(bytes);
        Ok(())
    }

    /// Releases what the body does not need, once its length is known.
    pub(super) fn shrink(&mut self, bytes: usize) {
        if self.small.is_some() {
            return;
        }
        for permit in [&mut self.let_in, &mut self.in_memory].into_iter().flatten() {
            let over = permit.num_permits().saturating_sub(to_units(bytes));
            drop(permit.split(over));
        }
        self.room = self.room.min(bytes);
        self.update_meter(bytes);
    }

    /// Waits until a body of this many bytes may be parsed.
    pub(super) async fn wait_to_parse(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes > SMALL {
            let parsed = self.budget.parsed.clone();
            self.parsed = Some(self.wait_for_permit(parsed.acquire(bytes)).await?);
        }
        Ok(())
    }

    /// Runs `work` on a blocking thread. The share moves there, too: when the client disconnects,
    /// its memory is counted until the work ends.
    ///
    /// # Panics
    /// When `work` does.
    pub(super) async fn compute<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Self), NoRoom> {
        blocking::run(move || (work(), self)).await.ok_or(NoRoom)
    }

    /// The remaining time to wait.
    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    async fn wait_for_permit(
        &mut self,
        permit: impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>>,
    ) -> Result<OwnedSemaphorePermit, NoRoom> {
        let begun = Instant::now();
        let waited = timeout_at(begun + self.patience, permit).await;
        self.patience = self.patience.saturating_sub(begun.elapsed());
        match waited {
            Ok(permit) => permit.map_err(|_| NoRoom),
            Err(_) => Err(self.budget.count_shed(Shed::Time)),
        }
    }

    fn update_meter(&mut self, bytes: usize) {
        self.budget.meters.update_held_bytes(bytes, self.shown);
        self.shown = bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.update_meter(0);
    }
}

/// A number of bytes to acquire from. A request for more than all of them acquires all, so that it
/// does not wait forever.
#[derive(Debug, Clone)]
struct Quota {
    units: Arc<Semaphore>,
    most: usize,
}

impl Quota {
    fn new(bytes: usize) -> Self {
        Self { units: Arc::new(Semaphore::new(to_units(bytes))), most: to_units(bytes) }
    }

    async fn acquire(&self, bytes: usize) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.units.clone().acquire_many_owned(to_permits(to_units(bytes).min(self.most))).await
    }

    /// Acquires what `held` lacks for this many bytes, without waiting.
    fn try_raise(
        &self,
        held: &mut Option<OwnedSemaphorePermit>,
        bytes: usize,
    ) -> Result<(), TryAcquireError> {
        let has = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = to_units(bytes).min(self.most).saturating_sub(has);
        let more = self.units.clone().try_acquire_many_owned(to_permits(missing))?;
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }
}

const fn to_units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

fn to_permits(units: usize) -> u32 {
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn budget() -> Budget {
        Budget::new(Meters::new().unwrap())
    }

    async fn large(budget: &Budget, bytes: usize) -> Result<Share, NoRoom> {
        let mut share = budget.take_share()?;
        share.grow(bytes).await?;
        Ok(share)
    }

    #[tokio::test(start_paused = true)]
    async fn small_ones_do_not_wait_for_large_ones_and_large_ones_wait_for_memory() {
        let budget = budget();
        let first = large(&budget, 40 * MIB).await.unwrap();
        let second = tokio::spawn({
            let budget = budget.clone();
            async move { large(&budget, 40 * MIB).await }
        });
        tokio::task::yield_now().await;
        let mut small = budget.take_share().unwrap();
        small.grow(SMALL).await.unwrap();
        small.wait_to_parse(SMALL).await.unwrap();
        assert!(!second.is_finished());
        // Who is past what is let in need not wait.
        let begun = Instant::now();
        assert_eq!(large(&budget, 60 * MIB).await.err(), Some(NoRoom));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(first);
        second.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_too_long_is_told_and_nothing_is_kept_back() {
        let budget = budget();
        let mut first = large(&budget, 10 * MIB).await.unwrap();
        first.wait_to_parse(10 * MIB).await.unwrap();
        let mut second = large(&budget, 10 * MIB).await.unwrap();
        let begun = Instant::now();
        assert_eq!(second.wait_to_parse(10 * MIB).await, Err(NoRoom));
        assert_eq!(begun.elapsed(), LARGE_PATIENCE);
        assert_eq!(second.patience(), Duration::ZERO);
        drop((first, second));
        for (quota, bytes) in
            [(&budget.let_in, LET_IN), (&budget.in_memory, IN_MEMORY), (&budget.parsed, PARSED)]
        {
            assert_eq!(quota.units.available_permits(), to_units(bytes));
        }
        assert_eq!(budget.small.available_permits(), SMALL_AT_ONCE);
    }

    #[tokio::test]
    async fn what_a_body_does_not_need_is_given_back_and_one_larger_than_everything_comes_alone() {
        let budget = budget();
        let mut share = large(&budget, 4 * MIB).await.unwrap();
        share.shrink(MIB);
        assert_eq!(budget.let_in.units.available_permits(), to_units(LET_IN - MIB));
        drop(share);
        let whole = large(&budget, 256 * MIB).await.unwrap();
        assert_eq!(budget.let_in.units.available_permits(), 0);
        drop(whole);
        assert_eq!(budget.let_in.units.available_permits(), to_units(LET_IN));
    }

    #[tokio::test(start_paused = true)]
    async fn large_ones_that_wait_take_no_place_of_a_small_one_and_wait_for_none_of_their_own() {
        let budget = budget();
        let mut first = large(&budget, 10 * MIB).await.unwrap();
        let second = large(&budget, 10 * MIB).await.unwrap();
        let waiting = tokio::spawn(async move {
            first.grow(15 * MIB).await.unwrap();
            first
        });
        tokio::task::yield_now().await;
        assert_eq!(budget.small.available_permits(), SMALL_AT_ONCE);
        assert_eq!(budget.let_in.units.available_permits(), to_units(LET_IN - 25 * MIB));
        assert!(!waiting.is_finished());
        drop(second);
        let first = waiting.await.unwrap();
        assert_eq!(budget.in_memory.units.available_permits(), to_units(IN_MEMORY - 15 * MIB));
        drop(first);
        assert_eq!(budget.in_memory.units.available_permits(), to_units(IN_MEMORY));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_nobody_waits_for_keeps_its_share_to_its_end() {
        let budget = budget();
        let share = large(&budget, MIB).await.unwrap();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (ended, mut has_ended) = tokio::sync::oneshot::channel::<()>();
        let work = tokio::spawn(share.compute(move || {
            wait.recv().unwrap();
            drop(ended);
        }));
        tokio::task::yield_now().await;
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        assert_eq!(budget.let_in.units.available_permits(), to_units(LET_IN - MIB));
        assert!(has_ended.try_recv().is_err());
        go.send(()).unwrap();
        while budget.let_in.units.available_permits() < to_units(LET_IN) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_stop_turns_everybody_away_and_counts_as_no_load() {
        let budget = budget();
        let mut let_in = budget.take_share().unwrap();
        budget.close();
        assert_eq!(let_in.grow(MIB).await, Err(NoRoom));
        assert_eq!(let_in.wait_to_parse(MIB).await, Err(NoRoom));
        assert_eq!(budget.take_share().err(), Some(NoRoom));
        assert_eq!(budget.meters.shed_count(), 0);
    }
}
