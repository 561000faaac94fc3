//! How much of deliveries is in hand at once, in bytes.
//!
//! Small deliveries are counted, and never wait for large ones. A large one takes its bytes
//! in three steps: to be let in at all, to be in memory, and to be parsed. Who does not get
//! past the first is told at once to come back; the sender's own buffers hold the body of who
//! waits for the second.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::{Instant, timeout_at},
};

use super::meters::{Meters, Shed};
use crate::blocking;

/// Bytes of a body up to which a delivery is small: about three hundred users of 200 bytes.
pub(super) const SMALL: usize = 64 * 1024;

/// Small deliveries in hand at once: 64 MiB at most.
const SMALL_AT_ONCE: usize = 1024;

/// Bytes of large bodies that are let in, wherever they are: what two slow cores commit
/// before their senders give up.
const LET_IN: usize = 128 * 1024 * 1024;

/// Bytes of large bodies in memory: six of the largest that are taken by default.
const IN_MEMORY: usize = 24 * 1024 * 1024;

/// Bytes of large bodies that are parsed, or wait parsed for their commit: what is parsed
/// takes several times the memory, and one of the largest that are taken by default is enough
/// to keep the store busy.
const PARSED: usize = 4 * 1024 * 1024;

/// Bytes to a permit: a semaphore gives 2^32 - 1 of them at once at most.
const UNIT: usize = 1024;

/// How long a small delivery may wait in all, but for its own arrival. The commit may still
/// happen then; the repeat is known by its id.
const SMALL_PATIENCE: Duration = Duration::from_secs(10);

/// The same for a large one, whose sender has to expect more; below the thirty seconds that
/// proxies commonly wait for an answer.
const LARGE_PATIENCE: Duration = Duration::from_secs(25);

/// The bytes that there are.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    small: Arc<Semaphore>,
    let_in: Quota,
    in_memory: Quota,
    parsed: Quota,
    meters: Meters,
}

/// What one delivery took of it; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    /// Nothing once it is large.
    small: Option<OwnedSemaphorePermit>,
    let_in: Option<OwnedSemaphorePermit>,
    in_memory: Option<OwnedSemaphorePermit>,
    parsed: Option<OwnedSemaphorePermit>,
    /// Bytes that there is room for.
    room: usize,
    /// Bytes of it that the meter shows.
    shown: usize,
    /// What is left of the patience.
    patience: Duration,
}

/// There is no room, or not in time.
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

    /// Room for a delivery, which is small until its share grows.
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

    /// Counts a commit that came too late for its sender.
    pub(super) fn count_timeout(&self) {
        self.count_shed(Shed::Time);
    }

    /// Turns away whoever waits for room, or comes. That is no load, and counts as none.
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
    /// Makes room for a body of so many bytes in memory.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes <= self.room {
            return Ok(());
        }
        let budget = self.budget.clone();
        budget.let_in.try_raise(&mut self.let_in, bytes).map_err(|error| match error {
            TryAcquireError::NoPermits => budget.count_shed(Shed::Bytes),
            TryAcquireError::Closed => NoRoom,
        })?;
        // Small ones need not wait for those that wait here.
        if self.small.take().is_some() {
            self.patience = LARGE_PATIENCE;
        }
        // Nor does one that waits here hold what another waits for: the two would for good.
        self.in_memory = None;
        self.in_memory = Some(self.wait_for_permit(budget.in_memory.acquire(bytes)).await?);
        self.room = bytes;
        self.update_meter(bytes);
        Ok(())
    }

    /// Gives back what the body, now that it is there, does not need.
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

    /// Waits until a body of so many bytes may be parsed.
    pub(super) async fn wait_to_parse(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes > SMALL {
            let parsed = self.budget.parsed.clone();
            self.parsed = Some(self.wait_for_permit(parsed.acquire(bytes)).await?);
        }
        Ok(())
    }

    /// Computes off the async workers, which have other requests to answer. The share goes
    /// along: a client that hangs up frees no memory before the work ends.
    ///
    /// # Panics
    /// When `work` does.
    pub(super) async fn compute<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Self), NoRoom> {
        blocking::run(move || (work(), self)).await.ok_or(NoRoom)
    }

    /// How long it may still wait.
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

/// So many bytes to take from. Who needs more than there can be takes all.
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

    /// Takes at once what is missing to so many bytes.
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
