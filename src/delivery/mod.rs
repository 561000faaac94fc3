//! From the log to an OTLP collector: at least once, in order, from a cursor
//! that the store keeps.

mod backoff;
mod courier;
mod error;
mod meters;
mod record;
mod sender;
mod settings;

pub use courier::Courier;
pub use error::OtlpStartError;
pub use meters::Meters;
pub use sender::Sender;
pub use settings::{OtlpSettings, Protocol};
