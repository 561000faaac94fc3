//! A network of IP addresses.

use std::{fmt, net::IpAddr, str::FromStr};

/// A network, such as `192.0.2.0/24`; a single address is a network with one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    /// Its first address; an IPv4 network that is written as IPv6 is stored as IPv4.
    first: IpAddr,
    prefix: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no network; expected one such as 192.0.2.0/24 or 2001:db8::/32")]
pub struct NetworkError(String);

/// Bits before the IPv4 address in an IPv4-mapped IPv6 address.
const MAPPED: u8 = 96;

impl Network {
    /// Whether it contains every address of its kind.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.prefix == 0
    }

    /// Whether it contains an address, plain or IPv4-mapped.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && truncate(address, self.prefix) == self.first
    }
}

/// The address that limits per client use. A host can use a whole /64 of IPv6, so all of it is one
/// client.
#[must_use]
pub fn client_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        address @ IpAddr::V4(_) => address,
        address @ IpAddr::V6(_) => truncate(address, 64),
    }
}

/// The address with all bits after the prefix set to zero.
fn truncate(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NetworkError(text.to_owned());
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix: u8 = match prefix {
            // Rust parses `+8` as a number; here it is a mistake.
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                prefix.parse().ok().filter(|prefix| *prefix <= longest).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
            None => longest,
        };
        match address.to_canonical() {
            short @ IpAddr::V4(_) if address.is_ipv6() => {
                let prefix = prefix.checked_sub(MAPPED).ok_or_else(wrong)?;
                Ok(Self { first: truncate(short, prefix), prefix })
            }
            address => Ok(Self { first: truncate(address, prefix), prefix }),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_contains_its_addresses_in_any_spelling() {
        assert!(contains("192.0.2.0/24", "192.0.2.7") && !contains("192.0.2.0/24", "192.0.3.7"));
        assert!(contains("192.0.2.9/24", "::ffff:192.0.2.7"));
        assert!(contains("::ffff:192.0.2.0/120", "192.0.2.7"));
        assert!(contains("192.0.2.7", "192.0.2.7") && !contains("192.0.2.7", "192.0.2.8"));
        assert!(contains("0.0.0.0/0", "203.0.113.7") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1") && !contains("::/0", "192.0.2.7"));
        assert!(contains("2001:db8::1", "2001:db8::1"));
    }

    #[test]
    fn one_host_of_ipv6_is_one_client() {
        let client = |text: &str| client_address(text.parse().unwrap()).to_string();
        assert_eq!(client("2001:db8::1"), client("2001:db8::2"));
        assert_eq!(client("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "x", "192.0.2.0/33", "192.0.2.0/", "192.0.2/24", "192.0.2.0/+8", "::/129"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
