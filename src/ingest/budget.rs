//! How much of deliveries is in hand at once, in bytes.
//!
//! Small deliveries are counted, and never wait for large ones. A large one takes its bytes
//! in three steps: to be let in at all, to be in memory, and to be parsed. Who does not get
//! past the first is told at once to come back; the sender's own buffers hold the body of who
//! waits for the second.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::meters::{Meters, Shed};

/// Bytes of a body up to which a delivery is small: about three hundred users.
pub(super) const SMALL: usize = 64 * 1024;

/// Small deliveries in hand at once.
const SMALL_AT_ONCE: usize = 1024;

/// Bytes of large bodies that are let in, wherever they are: what two slow cores commit
/// before their senders give up.
const LET_IN: usize = 128 * 1024 * 1024;

/// Bytes of large bodies in memory.
const IN_MEMORY: usize = 48 * 1024 * 1024;

/// Bytes of large bodies that are parsed, or wait parsed for their commit: what is parsed
/// takes several times the memory, and one is enough to keep the store busy.
const PARSED: usize = 8 * 1024 * 1024;

/// A permit's worth: semaphores count to 2^32 at most.
const UNIT: usize = 1024;

/// How long a small delivery may wait in all, but for its own arrival. The commit may still
/// happen then; the repeat is known by its id.
const SMALL_PATIENCE: Duration = Duration::from_secs(10);

/// The same for a large one, whose sender has to expect more.
const LARGE_PATIENCE: Duration = Duration::from_secs(25);

/// The bytes that there are.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    small: Arc<Semaphore>,
    let_in: Pot,
    in_memory: Pot,
    parsed: Pot,
    meters: Meters,
}

/// What one delivery took of it; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    /// Nothing once it is large.
    small: Option<OwnedSemaphorePermit>,
    large: Vec<OwnedSemaphorePermit>,
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
            let_in: Pot::new(LET_IN),
            in_memory: Pot::new(IN_MEMORY),
            parsed: Pot::new(PARSED),
            meters,
        }
    }

    /// Room for a delivery, which is small until its share grows.
    pub(super) fn take(&self) -> Result<Share, NoRoom> {
        let small = self.small.clone().try_acquire_owned();
        let small = Some(small.map_err(|_| self.shed(Shed::Count))?);
        let patience = SMALL_PATIENCE;
        Ok(Share { budget: self.clone(), small, large: Vec::new(), shown: 0, patience })
    }

    /// Counts a commit that came too late for its sender.
    pub(super) fn gave_up(&self) {
        self.shed(Shed::Time);
    }

    /// Turns away whoever waits for room, or comes.
    pub(super) fn close(&self) {
        self.small.close();
        for pot in [&self.let_in, &self.in_memory, &self.parsed] {
            pot.units.close();
        }
    }

    fn shed(&self, why: Shed) -> NoRoom {
        self.meters.count_shed(why);
        NoRoom
    }
}

impl Share {
    /// Makes room for a body of so many bytes in memory.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes <= SMALL || self.is_large() {
            return Ok(());
        }
        let budget = self.budget.clone();
        let let_in = budget.let_in.try_take(bytes).ok_or_else(|| budget.shed(Shed::Bytes))?;
        self.patience = LARGE_PATIENCE;
        let in_memory = self.wait(budget.in_memory.take(bytes)).await?;
        self.large = vec![let_in, in_memory];
        self.small = None;
        self.show(bytes);
        Ok(())
    }

    /// Gives back what the body, now that it is there, does not need.
    pub(super) fn shrink(&mut self, bytes: usize) {
        for permit in &mut self.large {
            let over = permit.num_permits().saturating_sub(units(bytes));
            drop(permit.split(over));
        }
        if self.is_large() {
            self.show(bytes);
        }
    }

    /// Waits until a body of so many bytes may be parsed.
    pub(super) async fn parse(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if bytes > SMALL {
            let parsed = self.budget.parsed.clone();
            let permit = self.wait(parsed.take(bytes)).await?;
            self.large.push(permit);
        }
        Ok(())
    }

    /// How long it may still wait.
    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    const fn is_large(&self) -> bool {
        self.small.is_none()
    }

    async fn wait(
        &mut self,
        permit: impl Future<Output = Option<OwnedSemaphorePermit>>,
    ) -> Result<OwnedSemaphorePermit, NoRoom> {
        let begun = Instant::now();
        let waited = timeout_at(begun + self.patience, permit).await;
        self.patience = self.patience.saturating_sub(begun.elapsed());
        waited.ok().flatten().ok_or_else(|| self.budget.shed(Shed::Time))
    }

    fn show(&mut self, bytes: usize) {
        self.budget.meters.hold(bytes, self.shown);
        self.shown = bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.show(0);
    }
}

/// So many bytes to take from.
#[derive(Debug, Clone)]
struct Pot {
    units: Arc<Semaphore>,
    most: u32,
}

impl Pot {
    fn new(bytes: usize) -> Self {
        Self { units: Arc::new(Semaphore::new(units(bytes))), most: permits(bytes) }
    }

    /// Takes bytes; who needs more than there can be takes all.
    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = permits(bytes).min(self.most);
        self.units.clone().acquire_many_owned(permits).await.ok()
    }

    fn try_take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = permits(bytes).min(self.most);
        self.units.clone().try_acquire_many_owned(permits).ok()
    }
}

const fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(units(bytes)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn budget() -> Budget {
        Budget::new(Meters::new().unwrap())
    }

    async fn large(budget: &Budget, bytes: usize) -> Result<Share, NoRoom> {
        let mut share = budget.take()?;
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
        let mut small = budget.take().unwrap();
        small.grow(SMALL).await.unwrap();
        small.parse(SMALL).await.unwrap();
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
        let mut first = large(&budget, 20 * MIB).await.unwrap();
        first.parse(20 * MIB).await.unwrap();
        let mut second = large(&budget, 20 * MIB).await.unwrap();
        let begun = Instant::now();
        assert_eq!(second.parse(20 * MIB).await, Err(NoRoom));
        assert_eq!(begun.elapsed(), LARGE_PATIENCE);
        assert_eq!(second.patience(), Duration::ZERO);
        drop((first, second));
        for (pot, bytes) in
            [(&budget.let_in, LET_IN), (&budget.in_memory, IN_MEMORY), (&budget.parsed, PARSED)]
        {
            assert_eq!(pot.units.available_permits(), units(bytes));
        }
        assert_eq!(budget.small.available_permits(), SMALL_AT_ONCE);
    }

    #[tokio::test]
    async fn what_a_body_does_not_need_is_given_back_and_one_larger_than_everything_comes_alone() {
        let budget = budget();
        let mut share = large(&budget, 4 * MIB).await.unwrap();
        share.shrink(MIB);
        assert_eq!(budget.let_in.units.available_permits(), units(LET_IN - MIB));
        drop(share);
        let whole = large(&budget, 256 * MIB).await.unwrap();
        assert_eq!(budget.let_in.units.available_permits(), 0);
        drop(whole);
        assert_eq!(budget.let_in.units.available_permits(), units(LET_IN));
    }
}
