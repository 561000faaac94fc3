//! What the API and the commands write as JSON: one form for both.
//!
//! Names and order of the fields are a contract with programs. A term of the domain or
//! of the store can be renamed without a change here.

mod attributes;
mod delivery;
mod otlp;
mod place;
mod poll;
mod target;
mod watch;

pub use attributes::Attributes;
pub use delivery::{Delivery, DeliveryRecord};
pub use otlp::OtlpStanding;
pub use place::Place;
pub use poll::{PollError, PollState};
pub use target::WebhookTarget;
pub use watch::Watched;
