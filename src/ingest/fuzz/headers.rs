//! Fuzz target for the headers of a delivery: credentials, encoding and forwarding.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::ingest::{auth::Credentials, encoding::Encoding, source::Sources};

/// The header that carries a secret.
const HEADER: &str = "x-api-client-token";
const SECRET: &str = "the-key-of-the-target";
const TOKEN: &str = "the-token-of-the-target";
const USER: &str = "user";
const PASSWORD: &str = "the-password";

/// `USER:PASSWORD` in Base64, without padding.
const BASIC: &str = "dXNlcjp0aGUtcGFzc3dvcmQ";

/// A trusted proxy, an untrusted peer, and the client behind the trusted proxy.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

/// Most characters of an encoding's name in an answer.
const MAX_NAME_CHARS: usize = 60;

/// Checks the properties of headers; each line of the input is one header.
///
/// # Panics
/// When a property is violated.
pub(crate) fn read(input: &[u8]) {
    let headers = parse(input);
    if admits(&headers) {
        let text = String::from_utf8_lossy(input);
        let proves = [SECRET, TOKEN, BASIC].iter().any(|proof| text.contains(proof));
        assert!(proves, "a delivery without a secret is let in");
    }
    if let Err(name) = Encoding::from_headers(&headers) {
        assert!(name.chars().count() <= MAX_NAME_CHARS && !name.contains(char::is_control));
    }
    assert_eq!(client(STRANGER, &headers), STRANGER, "a stranger is believed");
    // Whatever the client writes, a proxy appends the client's address: as a line of its own, or at
    // the end of the last line.
    for (name, hop) in [("x-forwarded-for", "192.0.2.9"), ("forwarded", "for=192.0.2.9")] {
        let mut apart = headers.clone();
        apart.append(name, HeaderValue::from_static(hop));
        let found = [client(PROXY, &apart), client(PROXY, &joined(headers.clone(), name, hop))];
        for found in found {
            assert!(found == CLIENT || found == PROXY, "{found} is neither client nor proxy");
        }
    }
}

fn parse(input: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(parts.next().unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

fn admits(headers: &HeaderMap) -> bool {
    let credentials = Credentials {
        has_users: false,
        secrets: vec!["another".into(), SECRET.into()],
        basic: Some((USER.to_owned(), vec![PASSWORD.into()])),
        bearer: vec![TOKEN.into()],
    };
    credentials.accepts_request(headers, HEADER)
}

fn client(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let networks = ["10.0.0.0/8", "2001:db8:f::/48"];
    let trusted_proxies = networks.iter().filter_map(|text| text.parse().ok()).collect();
    Sources { allow_from: Vec::new(), trusted_proxies }.find_client(peer, headers).address
}

/// Joins all lines of a header, and appends one element.
fn joined(mut headers: HeaderMap, name: &'static str, last: &str) -> HeaderMap {
    let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let line = lines.into_iter().chain([last.as_bytes()]).collect::<Vec<_>>().join(&b", "[..]);
    if let Ok(line) = HeaderValue::from_bytes(&line) {
        headers.insert(name, line);
    }
    headers
}
