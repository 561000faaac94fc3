//! Notifies jobs when a run may be due. The cron library does nothing else.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::domain::Schedule;

/// The cron library failed.
#[derive(Debug, thiserror::Error)]
#[error("the scheduler failed: {0}")]
pub struct SchedulerError(#[from] JobSchedulerError);

/// Notifies the bells of all jobs.
pub struct Scheduler {
    scheduler: JobScheduler,
}

impl Scheduler {
    /// Starts to notify each bell by its schedule.
    ///
    /// # Errors
    /// When the cron library fails.
    pub async fn start(bells: Vec<(Schedule, Arc<Notify>)>) -> Result<Self, SchedulerError> {
        let scheduler = JobScheduler::new().await?;
        for (schedule, bell) in bells {
            scheduler
                .add(Job::new(schedule.pattern_in_utc(), move |_, _| bell.notify_one())?)
                .await?;
        }
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    /// Stops the notifications.
    pub async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the scheduler did not stop cleanly");
        }
    }
}
