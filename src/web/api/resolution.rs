//! How long failures of a check last: those that ended, and those that last too long.

use chrono::TimeDelta;
use serde::Serialize;

use crate::{
    domain::{CheckId, Objectives, Timestamp},
    store::{CheckState, Reader, StoreError},
};

/// For how far back the median is.
const RECENT: TimeDelta = TimeDelta::days(30);

/// Failures that ended of which the median is told; of more, the newest.
const ENDED: usize = 10_000;

/// How long failures lasted whose beginning is known and that ended because the user failed no
/// longer.
#[derive(Debug, Serialize)]
pub(super) struct TimeToResolve {
    /// Since the first one.
    count: u64,
    sum_seconds: f64,
    last_30_days: Recent,
}

#[derive(Debug, Serialize)]
struct Recent {
    count: u64,
    median_seconds: Option<u64>,
}

/// Who fails for longer than the objective.
#[derive(Debug, Serialize)]
pub(super) struct Overdue {
    objective_seconds: u64,
    users: u64,
    /// By how much the one who fails for the longest is past it.
    longest_seconds: u64,
}

/// What changed in 24 hours.
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
    /// Nothing where there is no objective.
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

/// How long a failure of a check may last.
pub(super) fn objective(
    id: &str,
    state: &CheckState,
    objectives: &Objectives,
) -> Option<TimeDelta> {
    CheckId::new(id).and_then(|id| objectives.limit_for(&id, &state.severity))
}

/// Whole seconds; a time that is not over has none.
pub(super) fn whole_seconds(time: TimeDelta) -> u64 {
    u64::try_from(time.num_seconds()).unwrap_or(0)
}
