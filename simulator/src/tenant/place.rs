//! Places on Earth, and the addresses that people come from.

use std::net::IpAddr;

/// Where something is, as far as the service knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The town.
    pub city: Option<String>,
    /// The state or province.
    pub state: Option<String>,
    /// The country's ISO 3166-1 alpha-2 code.
    pub country: Option<String>,
}

impl Location {
    /// A place with all three parts known.
    #[must_use]
    pub fn new(city: &str, state: &str, country: &str) -> Self {
        Self {
            city: Some(city.to_owned()),
            state: Some(state.to_owned()),
            country: Some(country.to_owned()),
        }
    }
}

/// An address a user was seen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpAddress {
    /// The address as text, version 4 or 6.
    pub ip_address: String,
    /// Where the address is said to be.
    pub location: Option<Location>,
}

impl IpAddress {
    /// An address of unknown place.
    #[must_use]
    pub fn new(ip_address: &str) -> Self {
        Self { ip_address: ip_address.to_owned(), location: None }
    }

    /// The same address, placed.
    #[must_use]
    pub fn at(self, location: Location) -> Self {
        Self { location: Some(location), ..self }
    }
}

/// A place a user works from, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkingLocation {
    /// The place.
    pub location: Location,
    /// The share of the user's activity there, in per cent.
    pub prevalence: f64,
}

/// Whether two texts name the same address, however they are written.
pub(crate) fn same_address(a: &str, b: &str) -> bool {
    match (a.parse::<IpAddr>(), b.parse::<IpAddr>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::same_address;

    #[test]
    fn an_address_is_the_same_in_any_spelling() {
        assert!(same_address("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"));
        assert!(!same_address("192.0.2.1", "192.0.2.10"));
        assert!(same_address("unknown", "unknown"));
    }
}
