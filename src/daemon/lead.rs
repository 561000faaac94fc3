//! Runs the duties of the leader: of several replicas, only the one with the lease polls, sends and
//! prunes.

use prometheus::{IntGauge, Registry};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{EndedEarly, StartError, tasks::Tasks};
use crate::{
    store::{Standing, Store},
    sync::Scheduler,
};

/// Pause before the next try when a duty could not begin.
const RETRY: std::time::Duration = std::time::Duration::from_secs(2);

/// A part of the daemon that only the leader runs.
pub(super) trait Duty: Send + Sync + 'static {
    /// Writes what other parts expect in the store, before the duty begins. `is_start` as for
    /// [`begin`](Self::begin).
    fn prepare(
        &self,
        _store: &Store,
        _is_start: bool,
    ) -> impl Future<Output = Result<(), StartError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Begins the duty. `store` is fenced: after the term its commits fail.
    ///
    /// `is_start` is true when the term begins with the process, and false for a takeover.
    fn begin(
        &self,
        store: Store,
        is_start: bool,
        tasks: &mut Tasks,
    ) -> impl Future<Output = Result<Option<Scheduler>, StartError>> + Send;
}

/// Begins and ends a duty as this process gets and loses the lease.
pub(super) struct Lead<D> {
    duty: D,
    store: Store,
    standing: watch::Receiver<Standing>,
    /// The term for which the duty is prepared.
    prepared: Option<Fence>,
    term: Option<Term>,
}

/// The fencing token of a term; `None` for a database file, which has no other replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fence(Option<i64>);

/// A term: the time in which this process leads, with the tasks of the duty.
struct Term {
    fence: Option<i64>,
    tasks: Tasks,
    scheduler: Option<Scheduler>,
}

impl Term {
    async fn end(self) {
        if let Some(scheduler) = self.scheduler {
            scheduler.stop().await;
        }
        self.tasks.stop().await;
    }
}

impl<D: Duty> Lead<D> {
    /// Prepares the duty if this process leads already.
    ///
    /// # Errors
    /// When it cannot; then the start of the daemon fails.
    pub(super) async fn prepare(
        duty: D,
        store: Store,
        standing: watch::Receiver<Standing>,
    ) -> Result<Self, StartError> {
        let mut lead = Self { duty, store, standing, prepared: None, term: None };
        let standing = lead.standing.borrow().clone();
        if let Standing::Leader { fence } = standing {
            lead.duty.prepare(&lead.store.with_fence(fence), true).await?;
            lead.prepared = Some(Fence(fence));
        }
        Ok(lead)
    }

    /// Begins the duty if it was prepared: this process led then.
    ///
    /// # Errors
    /// When it cannot be begun.
    pub(super) async fn start(mut self) -> Result<Self, StartError> {
        if let Some(Fence(fence)) = self.prepared {
            self.term = Some(self.begin(fence, true).await?);
        }
        Ok(self)
    }

    async fn begin(&mut self, fence: Option<i64>, is_start: bool) -> Result<Term, StartError> {
        let store = self.store.with_fence(fence);
        if self.prepared != Some(Fence(fence)) {
            self.duty.prepare(&store, is_start).await?;
            self.prepared = Some(Fence(fence));
        }
        let mut tasks = Tasks::default();
        let begun = self.duty.begin(store, is_start, &mut tasks).await;
        match begun {
            Ok(scheduler) => Ok(Term { fence, tasks, scheduler }),
            Err(error) => {
                tasks.stop().await;
                Err(error)
            }
        }
    }

    /// Begins and ends the duty with each term, until stopped.
    ///
    /// # Errors
    /// When one of its tasks ends within the term.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<(), EndedEarly> {
        loop {
            let standing = self.standing.borrow_and_update().clone();
            match (&mut self.term, standing) {
                (Some(term), Standing::Leader { fence }) if term.fence == fence => {
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = wait_for_change(&mut self.standing) => {}
                        ended = term.tasks.wait_for_end() => return Err(ended),
                    }
                }
                (Some(_), _) => {
                    if let Some(term) = self.term.take() {
                        term.end().await;
                    }
                }
                (None, Standing::Leader { fence }) => match self.begin(fence, false).await {
                    Ok(term) => self.term = Some(term),
                    Err(error) => {
                        tracing::error!(%error, "what the leader does cannot be taken up");
                        tokio::select! {
                            () = stop.cancelled() => break,
                            () = tokio::time::sleep(RETRY) => {}
                        }
                    }
                },
                (None, _) => tokio::select! {
                    () = stop.cancelled() => break,
                    () = wait_for_change(&mut self.standing) => {}
                },
            }
        }
        if let Some(term) = self.term {
            term.end().await;
        }
        Ok(())
    }
}

/// Resolves when the standing changes; never for a database file, where it cannot.
async fn wait_for_change(standing: &mut watch::Receiver<Standing>) {
    if standing.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Registers the metric that shows whether this process leads.
///
/// # Errors
/// When a metric of the same name is registered already.
pub(super) fn register_meter(
    registry: &Registry,
    standing: &watch::Receiver<Standing>,
) -> prometheus::Result<IntGauge> {
    let leader = IntGauge::new(
        "cii_leader",
        "1 when this replica polls, sends and prunes, else 0; always 1 with a database file.",
    )?;
    registry.register(Box::new(leader.clone()))?;
    leader.set(standing.borrow().is_leader().into());
    Ok(leader)
}

/// Logs each change of the leader.
pub(super) async fn report_standing(
    mut standing: watch::Receiver<Standing>,
    meter: IntGauge,
    stop: CancellationToken,
) -> Result<(), std::convert::Infallible> {
    loop {
        meter.set(standing.borrow().is_leader().into());
        match &*standing.borrow_and_update() {
            Standing::Leader { fence: None } => {}
            Standing::Leader { fence: Some(term) } => {
                tracing::info!(term, "this replica leads: it polls, sends and prunes");
            }
            Standing::Follower { leader } => {
                let leader = leader.as_deref().unwrap_or("nobody yet");
                tracing::info!(leader, "this replica follows: another one polls, sends and prunes");
            }
            Standing::Unknown => {
                tracing::warn!("who leads cannot be found out; this replica leaves it to others");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = wait_for_change(&mut standing) => {}
        }
    }
}
