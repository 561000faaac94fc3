//! Checks the `Host` of a request, against DNS rebinding: a page whose name was changed to resolve
//! to this machine sends that name. A request to an IP address is accepted, since an address cannot
//! be rebound.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::{Access, Refusal};

pub(super) fn check_host(access: &Access, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
    let of_uri = uri.authority().map(|authority| authority.as_str().to_owned());
    let of_header = headers
        .get_all(header::HOST)
        .iter()
        .map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let named: Vec<_> = of_uri.into_iter().chain(of_header).collect();
    if headers.get_all(header::HOST).iter().count() > 1 {
        return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, "the host is named twice"));
    }
    match named.iter().find(|host| !is_own_name(access, host)) {
        None => Ok(()),
        Some(other) => Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!(
                "{other:?} is no name of this listener; use its address, or add the name to \
                 ops.hosts, or set ops.public_url"
            ),
        )),
    }
}

fn is_own_name(access: &Access, host: &str) -> bool {
    let host = host.trim().to_ascii_lowercase();
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, port)| {
            let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            is_port && address.parse::<Ipv6Addr>().is_ok()
        });
    }
    let name = match host.split_once(':') {
        Some((name, port)) if is_port(port) => name,
        Some(_) => return false,
        None => &host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.parse::<IpAddr>().is_ok()
        || matches!(name, "localhost" | "ip6-localhost" | "localhost.localdomain")
        // Browsers resolve these to loopback without a name server (RFC 6761).
        || name.ends_with(".localhost")
        || access.hosts.contains(name)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
