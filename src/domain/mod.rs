//! Pure types and decisions: no I/O, no async, no clock.
//!
//! Old state + observation + time → new state + events.

mod backoff;
mod check;
mod delivery;
pub mod event;
pub mod failure;
mod ip;
pub mod ip_users;
mod list_answer;
mod login;
mod mention;
mod moment;
mod nameless;
mod network;
pub mod null_list;
mod objective;
mod past;
pub mod poll;
mod retention;
pub mod run;
mod schedule;
pub mod service;
mod severity;
mod small_map;
pub mod tenant;
mod tenant_id;
mod text;
pub mod user;
mod watch;
mod webhook_target;

/// A moment in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

pub use backoff::{Backoff, retry_after};
pub use check::{
    CheckDefinition, CheckId, CheckWords, ConfiguredChecks, DefinitionDates, MAX_CHECK_ID_BYTES,
    fold_title,
};
pub use delivery::{
    CheckFilter, Delivery, DeliveryKind, FailingUser, ReportedCheck, SkippedLogins, Unchanged,
};
pub use event::{AttributeValue, Attributes, Event, EventName};
pub use ip::{IpAddress, IpAddressError};
pub use ip_users::{IpChange, IpUser, IpUsers};
pub use list_answer::ListAnswer;
pub use login::{FORGOTTEN, Login, LoginError};
pub use mention::Mention;
pub use moment::{MomentError, parse_moment, sensible};
pub use nameless::{SOMEBODY, redact_names, redact_user};
pub use network::{Network, NetworkError, client_address};
pub use null_list::{ListField, NullLists};
pub use objective::Objectives;
pub use past::{Past, PastKind};
pub use poll::{PollEnd, PollError, PollOutcome, on_poll};
pub use retention::Retention;
pub use run::{JobOutcome, RunCounts, RunEnd, RunRule, RunTally, on_run};
pub use schedule::{Due, Schedule, ScheduleError};
pub use service::{Admin, Integration};
pub use severity::{Grade, Rank, Severity};
pub use small_map::SmallMap;
pub use tenant::{Dimension, TenantFigures, TenantUser};
pub use tenant_id::{OtherTenant, TenantId};
pub use text::{CUT, cut_text, one_line, replace_nul};
pub use user::{
    AddressMove, Move, Place, Sighting, UserChange, UserField, UserObservation, UserState,
    sightings,
};
pub use watch::{
    MAX_NOTE_BYTES, WatchEntry, WatchPolicy, WatchSource, WatchStanding, WatchSubject,
    WatchSubjectError, follow_deadline,
};
pub use webhook_target::WebhookTarget;
