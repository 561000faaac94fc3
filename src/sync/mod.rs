//! Scheduled jobs: what is watched is asked about again and again.

mod housekeeping;
mod ips;
mod job;
mod meters;
mod round;
mod schedule;
mod service;
mod tenant;
mod users;

pub use housekeeping::Housekeeping;
pub use ips::IpsJob;
pub use job::{Job, Outcome, Pace, Runner, Timing};
pub use meters::Meters;
pub use schedule::{Scheduler, SchedulerError};
pub use service::ServiceJob;
pub use tenant::TenantJob;
pub use users::UsersJob;
