//! When a user fails a check, and when no longer.
//!
//! Two sources tell of it: deliveries name who fails, and answers of the API
//! list all that a user fails. Both have a time, and the newest word on a user
//! and a check holds, in whatever order the words arrive.

mod answer;
mod delivery;

pub use answer::{
    AnswerContext, AnswerDecision, CLOCK_ERROR, CheckName, FailureAnswer, OpenFailure, Verdict,
    fold_title, on_answer,
};
pub use delivery::{CheckContext, DeliveryDecision, on_delivery};
