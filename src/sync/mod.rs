//! Scheduled jobs: what is watched is asked about again and again.

mod ips;
mod job;
mod meters;
mod round;
mod schedule;
mod users;

pub use ips::IpsJob;
pub use job::{Job, Outcome, Runner};
pub use meters::Meters;
pub use schedule::{Scheduler, SchedulerError};
pub use users::UsersJob;
