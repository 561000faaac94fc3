//! Scheduled jobs: they poll the API for what is watched.

mod housekeeping;
mod ips;
mod job;
mod meters;
mod polls;
mod prompt;
mod questions;
mod reason;
mod renames;
mod round;
mod schedule;
mod service;
mod shadow;
mod tenant;
mod trust;
mod users;

pub use housekeeping::Housekeeping;
pub use ips::{IpQuestions, IpsJob};
pub use job::{Job, Pace, Runner, Timing};
pub use meters::Meters;
pub use prompt::{PROMPT_DELAY, Prompt};
pub use questions::UserQuestions;
pub use schedule::{Scheduler, SchedulerError};
pub use service::ServiceJob;
pub use shadow::Shadow;
pub use tenant::TenantJob;
pub use users::UsersJob;
