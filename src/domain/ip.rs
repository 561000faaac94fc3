//! An IP address in canonical form.

use std::{fmt, net::IpAddr, str::FromStr};

/// An IP address. All spellings of one address are equal; an IPv4 address mapped into IPv6
/// (`::ffff:203.0.113.7`) equals that IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpAddress(IpAddr);

/// Why a text is no IP address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IpAddressError {
    /// A range of addresses; the API accepts only single ones.
    #[error("{0:?} is a range; name the addresses one by one")]
    Range(String),
    /// Neither an IPv4 nor an IPv6 address.
    #[error("{0:?} is not an IP address")]
    NotAnAddress(String),
}

impl FromStr for IpAddress {
    type Err = IpAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(Self(address.to_canonical())),
            Err(_) if text.contains('/') => Err(IpAddressError::Range(text.to_owned())),
            Err(_) => Err(IpAddressError::NotAnAddress(text.to_owned())),
        }
    }
}

impl fmt::Display for IpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_an_address_are_one() {
        let parse = |text: &str| text.parse::<IpAddress>().unwrap();
        assert_eq!(parse("2001:DB8:0:0::1"), parse("2001:db8::1"));
        assert_eq!(parse("::ffff:203.0.113.7"), parse("203.0.113.7"));
        assert_eq!(parse("::ffff:203.0.113.7").to_string(), "203.0.113.7");
    }

    #[test]
    fn a_range_is_refused_as_a_range() {
        assert!(matches!("203.0.113.0/24".parse::<IpAddress>(), Err(IpAddressError::Range(_))));
        assert!(matches!("localhost".parse::<IpAddress>(), Err(IpAddressError::NotAnAddress(_))));
    }
}
