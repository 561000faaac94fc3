//! What can be written: a closed list, one file a kind.

mod check;
mod cursor;
mod delivery;
mod event;
mod failures;
mod forget;
mod ip;
mod job;
mod listing;
mod null_memory;
mod nulls;
mod otlp;
mod poll;
mod prune;
mod refusal;
mod service;
mod target;
mod tenant;
mod user;
mod watch;

use rusqlite::{Savepoint, Transaction};
use tokio::sync::oneshot;

use super::StoreError;
use crate::domain::{JobOutcome, PollOutcome};

pub(super) use cursor::OTLP;
pub use cursor::OtlpProgress;
pub use delivery::{DeliveryOutcome, RecordDelivery, RecordedDelivery};
pub use failures::RecordFailures;
pub use ip::RecordIp;
pub use job::RecordRun;
pub use nulls::{JudgedNulls, RecordNulls};
pub use poll::RecordPoll;
pub use refusal::RecordRefused;
pub use service::RecordService;
pub use tenant::{ListedUser, ListingEnd, RecordTenantPage};
pub use user::RecordUser;
pub use watch::{AddWatch, WatchAdded, WatchOutcome, WatchRemoved};

/// Where the outcome of a write goes once it is on the disk.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// Tells the sender of a write what became of it, once the group's commit has
/// succeeded or failed.
pub(super) type Acknowledge = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Something that is written as a whole or not at all.
pub(super) trait Transact: Sized {
    /// What the sender learns once it is on the disk.
    type Outcome: Send + 'static;

    /// The entry of the list, with the way back to the sender.
    fn with(self, reply: Reply<Self::Outcome>) -> Write;

    /// Reads what is, decides, and writes.
    fn apply(self, tx: &Savepoint<'_>) -> Result<Self::Outcome, StoreError>;
}

/// Everything that can be asked of the writer.
#[derive(Debug)]
pub(super) enum Write {
    Delivery(RecordDelivery, Reply<RecordedDelivery>),
    Refused(RecordRefused, Reply<i64>),
    Failures(RecordFailures, Reply<()>),
    User(RecordUser, Reply<()>),
    Ip(RecordIp, Reply<()>),
    Watch(watch::ConfigureWatch, Reply<WatchOutcome>),
    OtlpProgress(cursor::KeepProgress, Reply<()>),
    BeginOtlp(otlp::BeginOtlp, Reply<u64>),
    RetryParked(otlp::RetryParked, Reply<u64>),
    Backfill(otlp::Backfill, Reply<u64>),
    AddWatch(watch::AddWatch, Reply<WatchAdded>),
    RemoveWatch(watch::RemoveWatch, Reply<WatchRemoved>),
    ExpireWatch(watch::ExpireWatch, Reply<usize>),
    Poll(RecordPoll, Reply<Option<PollOutcome>>),
    Run(RecordRun, Reply<Option<JobOutcome>>),
    TenantPage(RecordTenantPage, Reply<Option<ListingEnd>>),
    DropListing(tenant::DropListing, Reply<()>),
    Forget(forget::Forget, Reply<()>),
    Nulls(RecordNulls, Reply<JudgedNulls>),
    Service(RecordService, Reply<()>),
    KeepTarget(target::KeepTarget, Reply<()>),
    ForgetTarget(target::ForgetTarget, Reply<()>),
    Prune(prune::Prune, Reply<usize>),
    Stop,
}

impl Write {
    /// Applies the write; what the sender learns waits for the commit.
    pub(super) fn apply(self, tx: &mut Transaction<'_>) -> Option<Acknowledge> {
        match self {
            Self::Delivery(write, reply) => Some(step(tx, write, reply)),
            Self::Refused(write, reply) => Some(step(tx, write, reply)),
            Self::Failures(write, reply) => Some(step(tx, write, reply)),
            Self::User(write, reply) => Some(step(tx, write, reply)),
            Self::Ip(write, reply) => Some(step(tx, write, reply)),
            Self::Watch(write, reply) => Some(step(tx, write, reply)),
            Self::OtlpProgress(write, reply) => Some(step(tx, write, reply)),
            Self::BeginOtlp(write, reply) => Some(step(tx, write, reply)),
            Self::RetryParked(write, reply) => Some(step(tx, write, reply)),
            Self::Backfill(write, reply) => Some(step(tx, write, reply)),
            Self::AddWatch(write, reply) => Some(step(tx, write, reply)),
            Self::RemoveWatch(write, reply) => Some(step(tx, write, reply)),
            Self::ExpireWatch(write, reply) => Some(step(tx, write, reply)),
            Self::Poll(write, reply) => Some(step(tx, write, reply)),
            Self::Run(write, reply) => Some(step(tx, write, reply)),
            Self::TenantPage(write, reply) => Some(step(tx, write, reply)),
            Self::DropListing(write, reply) => Some(step(tx, write, reply)),
            Self::Forget(write, reply) => Some(step(tx, write, reply)),
            Self::Nulls(write, reply) => Some(step(tx, write, reply)),
            Self::Service(write, reply) => Some(step(tx, write, reply)),
            Self::KeepTarget(write, reply) => Some(step(tx, write, reply)),
            Self::ForgetTarget(write, reply) => Some(step(tx, write, reply)),
            Self::Prune(write, reply) => Some(step(tx, write, reply)),
            Self::Stop => None,
        }
    }

    /// The acknowledgement of a write that was never applied, because its group
    /// failed.
    pub(super) fn refused(self) -> Option<Acknowledge> {
        match self {
            Self::Delivery(_, reply) => Some(refusal(reply)),
            Self::Refused(_, reply) => Some(refusal(reply)),
            Self::Failures(_, reply)
            | Self::User(_, reply)
            | Self::Ip(_, reply)
            | Self::OtlpProgress(_, reply)
            | Self::DropListing(_, reply)
            | Self::Forget(_, reply)
            | Self::Service(_, reply)
            | Self::KeepTarget(_, reply)
            | Self::ForgetTarget(_, reply) => Some(refusal(reply)),
            Self::BeginOtlp(_, reply) | Self::RetryParked(_, reply) | Self::Backfill(_, reply) => {
                Some(refusal(reply))
            }
            Self::Poll(_, reply) => Some(refusal(reply)),
            Self::Run(_, reply) => Some(refusal(reply)),
            Self::Nulls(_, reply) => Some(refusal(reply)),
            Self::TenantPage(_, reply) => Some(refusal(reply)),
            Self::Watch(_, reply) => Some(refusal(reply)),
            Self::AddWatch(_, reply) => Some(refusal(reply)),
            Self::RemoveWatch(_, reply) => Some(refusal(reply)),
            Self::ExpireWatch(_, reply) | Self::Prune(_, reply) => Some(refusal(reply)),
            Self::Stop => None,
        }
    }
}

/// One write within a savepoint: if it fails, the others of its group do not.
fn step<T: Transact>(tx: &mut Transaction<'_>, write: T, reply: Reply<T::Outcome>) -> Acknowledge {
    let outcome = tx.savepoint().map_err(StoreError::from).and_then(|savepoint| {
        let outcome = write.apply(&savepoint)?;
        savepoint.commit()?;
        Ok(outcome)
    });
    Box::new(move |committed| {
        let _ = reply.send(outcome.and_then(|outcome| committed.map(|()| outcome)));
    })
}

fn refusal<T: Send + 'static>(reply: Reply<T>) -> Acknowledge {
    Box::new(move |committed| {
        let _ = reply.send(committed.and(Err(StoreError::Closed)));
    })
}
