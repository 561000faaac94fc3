//! From the store to `/metrics`: projector, view, exposition.

mod describe;
mod exposition;
mod family;
mod people;
mod projector;
mod sample;
#[cfg(test)]
mod tests;
mod view;

pub use exposition::{Exposition, ExpositionError, Scope, TenantListing};
pub use family::{Family, Kind};
pub use projector::Projector;
