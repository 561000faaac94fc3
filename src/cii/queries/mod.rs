//! The queries, one file for each root field.

mod card;
mod end_users;
mod failing_checks;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod ip_users;
mod ping;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod schema;
mod service;
mod trial;
mod untold;
mod user_state;
mod webhook_target;

pub use card::Card;
pub use end_users::{EndUser, EndUsersPage};
pub use trial::{Question, Trial};
pub use webhook_target::NewTarget;
