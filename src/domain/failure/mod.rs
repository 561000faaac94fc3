//! Decides when a user fails a check, and when no longer.
//!
//! There are two sources: deliveries name users who fail, and answers of the API list all checks
//! that a user fails. Both have a time. For a user and a check, the most recent observation wins,
//! whatever the order of arrival.

mod answer;
mod curve;
mod delivery;
mod duration;
mod event;
mod exchange;
mod meaning;
mod report;
mod suspect;
mod trend;

pub use answer::{AnswerContext, AnswerDecision, NO_LONGER_FAILING, Opened, on_answer};
pub use curve::{Curve, Curves, Grid, PastStep};
pub use delivery::{CheckContext, DeliveryDecision, on_delivery};
pub use duration::{BOUNDS, Durations};
pub use event::{check_identified, check_words, delivery_filtered};
pub use exchange::{Exchange, find_renamed_checks};
pub use meaning::{CheckName, Meaning, Titled, meaning};
pub use report::{CLOCK_ERROR, FailureAnswer, OpenFailure, Verdict};
pub use suspect::Missing;
pub use trend::{Bucket, Change, TREND_DAYS, Trend, TrendDay};
