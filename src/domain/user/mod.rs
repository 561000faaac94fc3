//! A watched user: the snapshot, and its changes.

mod diff;
mod event;
mod place;
mod sighting;
mod state;

pub use diff::{UserChange, changes};
pub use event::{UserContext, user_changed, user_first_seen};
pub use place::Place;
pub use sighting::{AddressMove, Move, Sighting, sightings};
pub use state::{UserField, UserObservation, UserState};
