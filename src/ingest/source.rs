//! Finds the client of a request, behind trusted proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

use crate::domain::Network;

/// Accepted networks and trusted proxies.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The accepted networks of senders; empty: all.
    pub allow_from: Vec<Network>,
    /// Proxies whose `X-Forwarded-For` and `Forwarded` are trusted.
    pub trusted_proxies: Vec<Network>,
}

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address, or that of the trusted proxy when its headers are invalid.
    pub address: IpAddr,
    /// Whether the address is the client's own.
    pub is_known: bool,
}

impl Sources {
    /// Whether a client may deliver. With a list of networks, a client of unknown address may not,
    /// even when the list contains the proxy.
    pub(super) fn admits_client(&self, client: Client) -> bool {
        self.allow_from.is_empty()
            || (client.is_known && any_contains(&self.allow_from, client.address))
    }

    /// Finds the client: the peer, or behind trusted proxies the last address before them. Headers
    /// that are invalid or contradict each other make it unknown: a proxy that sets one of the two
    /// headers passes the other one on as the client wrote it.
    #[must_use]
    pub fn find_client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let peer = peer.to_canonical();
        let itself = Client { address: peer, is_known: true };
        if !any_contains(&self.trusted_proxies, peer) {
            return itself;
        }
        let plain =
            read_hops(headers, "x-forwarded-for", split_commas, |hop| parse_address(hop.trim()));
        let standard =
            read_hops(headers, header::FORWARDED.as_str(), split_quoted, parse_forwarded_for);
        let named = match (plain, standard) {
            // The request is the proxy's own, such as a health check.
            (None, None) => return itself,
            (Some(one), None) | (None, Some(one)) => self.last_untrusted_hop(&one),
            (Some(one), Some(other)) => {
                let (one, other) = (self.last_untrusted_hop(&one), self.last_untrusted_hop(&other));
                one.filter(|one| Some(*one) == other)
            }
        };
        named.map_or(Client { address: peer, is_known: false }, |address| Client {
            address,
            is_known: true,
        })
    }

    /// The last hop that is not a trusted proxy; the first one when all are. `None` when that hop
    /// is invalid.
    fn last_untrusted_hop(&self, hops: &[Option<IpAddr>]) -> Option<IpAddr> {
        for hop in hops.iter().rev() {
            match hop {
                Some(hop) if any_contains(&self.trusted_proxies, *hop) => {}
                unknown_or_client => return *unknown_or_client,
            }
        }
        *hops.first()?
    }
}

fn any_contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// Reads the hops of a header over all of its lines, the client first; `None` when the header is
/// absent.
fn read_hops(
    headers: &HeaderMap,
    name: &str,
    split: impl Fn(&str) -> Vec<&str>,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Option<Vec<Option<IpAddr>>> {
    let mut hops = None;
    for line in headers.get_all(name) {
        let hops: &mut Vec<_> = hops.get_or_insert_default();
        match line.to_str() {
            Ok(line) => hops.extend(split(line).into_iter().map(&read)),
            Err(_) => hops.push(None),
        }
    }
    hops
}

fn split_commas(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

/// Splits at commas outside of quotes. After an unclosed quote an invalid hop is added: a client
/// that opens a quote would swallow what the proxy appends to the line, and so choose the hop that
/// counts.
fn split_quoted(line: &str) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let split = line.split(|c: char| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            '"' if !was_escaped => is_quoted = !is_quoted,
            ',' => return !is_quoted,
            _ => {}
        }
        false
    });
    let mut hops: Vec<_> = split.collect();
    if is_quoted {
        hops.push("");
    }
    hops
}

/// Parses the `for` of one element of `Forwarded` (RFC 7239); `None` when it is missing, repeated,
/// or no address.
fn parse_forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.by_ref().filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let value = named.next()?.1.trim();
    if named.next().is_some() {
        return None;
    }
    parse_address(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

/// Parses an address with or without a port, and of IPv6 with or without brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok().or_else(|| text.parse().ok().map(|at: SocketAddr| at.ip()));
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bare).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const XFF: &str = "x-forwarded-for";

    fn client(peer: &str, given: &[(&'static str, &'static str)]) -> String {
        let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let sources = Sources {
            allow_from: Vec::new(),
            trusted_proxies: networks(&["10.0.0.0/8", "2001:db8:f::/48"]),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, value.parse().unwrap());
        }
        let client = sources.find_client(peer.parse().unwrap(), &headers);
        let sources = Sources { allow_from: networks(&["0.0.0.0/0", "::/0"]), ..sources };
        assert_eq!(sources.admits_client(client), client.is_known, "{client:?}");
        if client.is_known {
            client.address.to_string()
        } else {
            format!("somebody behind {}", client.address)
        }
    }

    #[test]
    fn the_client_is_the_last_hop_that_is_no_proxy_of_ours() {
        assert_eq!(client("10.0.0.1", &[(XFF, "192.0.2.1")]), "192.0.2.1");
        assert_eq!(client("::ffff:10.0.0.1", &[(XFF, "192.0.2.1:4711")]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[(XFF, "198.51.100.9, 192.0.2.1, 10.0.0.2")]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[(XFF, "198.51.100.9"), (XFF, "192.0.2.1")]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[(XFF, "10.0.0.3,10.0.0.2")]), "10.0.0.3");
        assert_eq!(client("2001:db8:f::1", &[(XFF, "[2001:db8::7]:80")]), "2001:db8::7");
        for forwarded in [
            "for=192.0.2.1",
            "For=\"192.0.2.1:80\";proto=https;by=10.0.0.1",
            "for=198.51.100.9, for=192.0.2.1;host=\"a,b\", for=10.0.0.9",
        ] {
            assert_eq!(client("10.0.0.1", &[("forwarded", forwarded)]), "192.0.2.1", "{forwarded}");
        }
        let v6 = [("forwarded", "for=\"[2001:db8::7]:80\"")];
        assert_eq!(client("10.0.0.1", &v6), "2001:db8::7");
        let both = [(XFF, "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
        assert_eq!(client("10.0.0.1", &both), "192.0.2.1");
    }

    #[test]
    fn whoever_is_no_proxy_of_ours_is_not_believed() {
        let both = [(XFF, "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
        assert_eq!(client("203.0.113.5", &both), "203.0.113.5");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_cannot_be_read_is_not_believed() {
        for value in ["", "unknown", "192.0.2.1, x", "192.0.2.1,", "192.0.2.1 10.0.0.2"] {
            assert_eq!(client("10.0.0.1", &[(XFF, value)]), "somebody behind 10.0.0.1", "{value}");
        }
        for value in
            ["for=unknown", "for=_hidden", "proto=https", "for=192.0.2.1;for=192.0.2.2", "for=\"x"]
        {
            assert_eq!(
                client("10.0.0.1", &[("forwarded", value)]),
                "somebody behind 10.0.0.1",
                "{value}"
            );
        }
        // The client wrote all but the last element, which its proxy added.
        let taken_in = "for=192.0.2.1;host=\"a, for=192.0.2.9";
        assert_eq!(client("10.0.0.1", &[("forwarded", taken_in)]), "somebody behind 10.0.0.1");
        let contradiction = [(XFF, "192.0.2.1"), ("forwarded", "for=192.0.2.2")];
        assert_eq!(client("10.0.0.1", &contradiction), "somebody behind 10.0.0.1");
    }
}
