//! A watched user: what is known, and what changed.

mod diff;
mod place;
mod state;

pub use diff::{UserChange, changes};
pub use place::Place;
pub use state::{UserField, UserObservation, UserState};
