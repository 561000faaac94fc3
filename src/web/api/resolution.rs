//! Durations of a check's failures: the time to resolve, and open failures beyond the objective.

use chrono::TimeDelta;
use serde::Serialize;

use crate::{
    domain::{CheckId, Objectives, Timestamp},
    store::{CheckState, Reader, StoreError},
};

/// The period of which the median is computed.
const RECENT: TimeDelta = TimeDelta::days(30);

/// Most ended failures of which the median is computed; the newest of more.
const ENDED: usize = 10_000;

/// Durations of the failures whose beginning a delivery dated and that the service reported as
/// resolved.
#[derive(Debug, Serialize)]
pub(super) struct TimeToResolve {
    /// Over all time.
    count: u64,
    sum_seconds: f64,
    last_30_days: Recent,
}

#[derive(Debug, Serialize)]
struct Recent {
    count: u64,
    median_seconds: Option<u64>,
}

/// Open failures that last longer than the objective.
#[derive(Debug, Serialize)]
pub(super) struct Overdue {
    objective_seconds: u64,
    users: u64,
    /// By how much the oldest failure exceeds the objective.
    longest_seconds: u64,
}

/// New and resolved failures in the last 24 hours.
#[derive(Debug, Serialize)]
pub(super) struct LastDay {
    new: u64,
    resolved: u64,
}

impl LastDay {
    pub(super) fn from_state(state: &CheckState, now: Timestamp) -> Self {
        let change = state.trend.last_day(now);
        Self { new: change.new, resolved: change.resolved }
    }
}

impl TimeToResolve {
    #[expect(clippy::cast_precision_loss, reason = "a sum of microseconds shown in seconds")]
    pub(super) fn read(
        reader: &Reader,
        id: &str,
        state: &CheckState,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let lasted = reader.ended_durations(Some(id), now - RECENT, ENDED)?;
        Ok(Self {
            count: state.durations.counts().iter().sum(),
            sum_seconds: state.durations.micros() as f64 / 1e6,
            last_30_days: Recent {
                count: lasted.map_or(0, |lasted| lasted.count),
                median_seconds: lasted.map(|lasted| whole_seconds(lasted.median)),
            },
        })
    }
}

impl Overdue {
    /// Reads the overdue failures; `None` when the check has no objective.
    pub(super) fn read(
        reader: &Reader,
        id: &str,
        state: &CheckState,
        objectives: &Objectives,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let Some(objective) = objective(id, state, objectives) else { return Ok(None) };
        let (users, _) = reader.failures_before(id, now - objective)?;
        let oldest = state.oldest_failure_at.map(|oldest| now - oldest - objective);
        Ok(Some(Self {
            objective_seconds: whole_seconds(objective),
            users,
            longest_seconds: oldest.map_or(0, whole_seconds),
        }))
    }
}

/// The objective of a check: how long a failure may last. `None` without one.
pub(super) fn objective(
    id: &str,
    state: &CheckState,
    objectives: &Objectives,
) -> Option<TimeDelta> {
    CheckId::new(id).and_then(|id| objectives.limit_for(&id, &state.severity))
}

/// Whole seconds; 0 for a negative time.
pub(super) fn whole_seconds(time: TimeDelta) -> u64 {
    u64::try_from(time.num_seconds()).unwrap_or(0)
}
