//! When jobs run: the cron library does nothing but ring a bell.

use std::sync::Arc;

use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use tokio::sync::Notify;
use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};

use crate::domain::Timestamp;

/// A cron schedule with seconds, in UTC.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
}

/// Why a schedule cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The text is no schedule.
    #[error("{0:?} is no cron schedule with seconds, such as \"0 */15 * * * *\"")]
    Pattern(String),
    /// The scheduler refuses it.
    #[error("the scheduler failed: {0}")]
    Scheduler(#[from] JobSchedulerError),
}

impl Schedule {
    /// Takes a schedule of six fields: second, minute, hour, day, month, weekday.
    ///
    /// # Errors
    /// When the text is no such schedule.
    pub fn new(pattern: &str) -> Result<Self, ScheduleError> {
        let parser = CronParser::builder().seconds(Seconds::Required).dom_and_dow(true).build();
        let cron =
            parser.parse(pattern).map_err(|_| ScheduleError::Pattern(pattern.to_owned()))?;
        Ok(Self { cron })
    }

    /// The first moment after `moment`; none when there is none.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        self.cron.find_next_occurrence(&moment, false).ok()
    }
}

/// Rings the bells of all jobs.
pub struct Scheduler {
    scheduler: JobScheduler,
}

impl Scheduler {
    /// Starts ringing: each bell by its schedule.
    ///
    /// # Errors
    /// When the scheduler refuses a schedule.
    pub async fn start(bells: Vec<(String, Arc<Notify>)>) -> Result<Self, ScheduleError> {
        let scheduler = JobScheduler::new().await?;
        for (pattern, bell) in bells {
            let job = tokio_cron_scheduler::Job::new(pattern.as_str(), move |_, _| {
                bell.notify_one();
            })?;
            scheduler.add(job).await?;
        }
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    /// Stops ringing.
    pub async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the scheduler did not stop cleanly");
        }
    }
}
