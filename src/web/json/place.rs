//! JSON form of a place.

use serde::Serialize;

use crate::domain;

/// City, state and country, as far as they are known.
#[derive(Debug, Serialize)]
pub struct Place {
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
}

impl From<domain::Place> for Place {
    fn from(domain::Place { city, state, country }: domain::Place) -> Self {
        Self { city, state, country }
    }
}
