//! Delivers the log to an OTLP collector: at least once, in order, from a cursor that the store
//! keeps.

mod backoff;
mod cause;
mod courier;
mod ends;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod meters;
mod naming;
mod ocsf;
mod on_purpose;
mod outage;
mod record;
mod resource;
mod round;
mod secrets;
mod sender;
mod walk;

pub use courier::Courier;
pub use error::{OtlpStartError, Reason};
pub use meters::Meters;
pub use on_purpose::{send_left_out, send_parked};
pub use outage::{Outage, Outages};
pub use resource::Origin;
pub use sender::Sender;
