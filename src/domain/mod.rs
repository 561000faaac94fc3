//! Pure types and decisions: no I/O, no async, no clock of its own.
//!
//! Old state + observation + time → new state + events.

mod check;
mod delivery;
pub mod event;
pub mod failure;
mod ip;
pub mod ip_users;
mod login;
mod schedule;
mod severity;
pub mod user;
mod watch;

/// A moment in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

pub use check::{CheckDefinition, CheckId};
pub use delivery::{CheckFilter, Delivery, DeliveryKind, FailingUser, ReportedCheck};
pub use event::{AttributeValue, Attributes, Event, EventName};
pub use ip::{IpAddress, IpAddressError};
pub use ip_users::{IpChange, IpUser, IpUsers};
pub use login::{Login, LoginError};
pub use schedule::{Schedule, ScheduleError};
pub use severity::{Grade, Severity};
pub use user::{Place, UserChange, UserField, UserObservation, UserState};
pub use watch::{WatchPolicy, WatchSource, WatchSubject};
