//! From the store to `/metrics`: the projector follows commits and updates the view, and the
//! exposition renders the view for scrapes.

mod applications;
mod checks;
mod describe;
mod exposition;
mod family;
mod format;
mod frames;
mod gzip;
mod history;
mod label;
mod own;
mod people;
mod projector;
mod rendered;
mod round;
mod sample;
mod scope;
#[cfg(test)]
mod tests;
mod view;

pub use exposition::{Coding, Exposition, ExpositionError};
pub use family::{Definition, Family, Kind};
pub use format::Format;
pub use frames::Frames;
pub use history::{ExtraLabel, History};
pub use own::UnknownType;
pub use projector::Projector;
pub use scope::{Scope, TenantListing};
