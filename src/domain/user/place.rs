//! A place, as precise as the service gives it.

use std::fmt;

/// City, state and country; any of them may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the city.
    pub city: Option<String>,
    /// Name of the state or region, free text.
    pub state: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

impl Place {
    /// Whether no field is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.city, &self.state, &self.country];
        let text = parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
        f.write_str(if text.is_empty() { "an unknown place" } else { &text })
    }
}
