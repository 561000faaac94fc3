//! Access control of the ops listener: the host name, the origin of a change, and the write token.

mod host;
mod origin;
mod writes;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::SecretString;
use tokio::sync::watch;

use super::problem::Problem;
use crate::ingest::KnownUser;

/// Paths that accept any host name: scrapers and probes use names that `ops.hosts` does not list.
/// Users appear there only as `metrics.user_series` allows.
const ANY_HOST: [&str; 3] = ["/metrics", "/-/healthy", "/-/ready"];

/// The access rules; replaced by a reload.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Accepted host names besides those of loopback, in lower case.
    pub hosts: BTreeSet<String>,
    /// The origin of `ops.public_url`: requests from its pages may change state.
    pub public_origin: Option<String>,
    /// Whether all requests that change state are refused.
    pub read_only: bool,
    /// Tokens for requests that change state. Without any, no token is needed.
    pub write_tokens: Vec<SecretString>,
}

/// The answer to a refused request: the problem, and the `WWW-Authenticate` challenge.
struct Refusal {
    problem: Problem,
    challenge: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { problem: Problem::new(status, detail), challenge: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        if let Some(challenge) = self.challenge {
            let value = header::HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// Passes a request on, or answers it with a refusal.
pub(super) async fn guard_request(
    State(access): State<watch::Receiver<Arc<Access>>>,
    request: Request,
    next: Next,
) -> Response {
    let access = access.borrow().clone();
    match access.check_request(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

impl Access {
    /// Whether the request has a valid write token.
    #[must_use]
    pub fn has_token(&self, headers: &HeaderMap) -> bool {
        writes::has_token(self, headers)
    }

    fn check_request<B>(&self, request: &axum::http::Request<B>) -> Result<(), Refusal> {
        if !ANY_HOST.contains(&request.uri().path()) {
            host::check_host(self, request.headers(), request.uri())?;
        }
        // Methods that change nothing need no origin and no token.
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        origin::check_origin(self, request.headers(), request.uri())?;
        let is_known = request.extensions().get::<KnownUser>().is_some();
        writes::check_write(self, request.headers(), is_known)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn access() -> Access {
        Access {
            hosts: ["cii.example.com".to_owned()].into(),
            public_origin: Some("https://cii.example.com".to_owned()),
            ..Access::default()
        }
    }

    fn status(access: &Access, method: &str, path: &str, given: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in given {
            request = request.header(*name, *value);
        }
        let checked = access.check_request(&request.body(()).unwrap());
        checked.err().map_or(200, |refusal| refusal.into_response().status().as_u16())
    }

    #[test]
    fn a_name_that_is_not_listed_reaches_metrics_and_health_only() {
        let access = access();
        let get = |path: &str, host: &str| status(&access, "GET", path, &[("host", host)]);
        for host in [
            "localhost",
            "LOCALHOST:9847",
            "localhost.",
            "cii.localhost:1",
            "127.0.0.1:9847",
            "192.0.2.7",
            "[2001:db8::1]:9847",
            "[::1]",
            "CII.example.com",
        ] {
            assert_eq!(get("/", host), 200, "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:9847",
            "[::1]evil.example",
            "[::1]:9847.evil.example",
            "[::1",
            "[evil.example]",
            "",
            "a:b:c",
        ] {
            for path in ["/", "/api/v1/checks", "/-/reload", "/metrics/x", "//metrics"] {
                assert_eq!(get(path, host), 421, "{host} {path}");
            }
            for path in ["/metrics", "/-/healthy", "/-/ready"] {
                assert_eq!(get(path, host), 200, "{host} {path}");
            }
        }
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(status(&access, "GET", "/", &twice), 421);
        // A proxy's form of a request names a host besides.
        let other = status(&access, "GET", "http://evil.example/", &[("host", "localhost")]);
        assert_eq!(other, 421);
        // HTTP/1.0 has no host name, and no browser uses it.
        assert_eq!(status(&access, "GET", "/", &[]), 200);
    }

    #[test]
    fn a_foreign_page_changes_nothing() {
        let access = access();
        let post = |given: &[(&str, &str)]| {
            let host = ("host", "127.0.0.1:9847");
            status(&access, "POST", "/-/reload", &[&[host], given].concat())
        };
        assert_eq!(post(&[]), 200);
        for own in ["http://127.0.0.1:9847", "https://127.0.0.1:9847", "https://cii.example.com"] {
            assert_eq!(post(&[("origin", own), ("sec-fetch-site", "same-origin")]), 200, "{own}");
        }
        for foreign in
            ["https://evil.example", "null", "http://127.0.0.1:3000", "https://cii.example.com:1"]
        {
            assert_eq!(post(&[("origin", foreign)]), 403, "{foreign}");
        }
        for site in ["cross-site", "same-site", "CROSS-SITE"] {
            assert_eq!(post(&[("sec-fetch-site", site)]), 403, "{site}");
        }
        assert_eq!(post(&[("sec-fetch-site", "none")]), 200);
        let host = ("host", "localhost");
        for method in ["PUT", "DELETE", "PATCH"] {
            let given = [host, ("origin", "https://evil.example")];
            assert_eq!(status(&access, method, "/api/v1/watch", &given), 403, "{method}");
        }
        let given = [host, ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        assert_eq!(status(&access, "GET", "/", &given), 200);
    }

    #[test]
    fn changes_need_the_token_where_there_is_one() {
        let access = Access {
            write_tokens: vec!["token-1".to_owned().into(), "token-2".to_owned().into()],
            ..Access::default()
        };
        let post = |given: &[(&str, &str)]| status(&access, "POST", "/-/reload", given);
        assert_eq!(post(&[("authorization", "Bearer token-1")]), 200);
        assert_eq!(post(&[("authorization", "bearer token-2")]), 200);
        for wrong in ["token-1", "Bearer token", "Basic token-1", "Bearer"] {
            assert_eq!(post(&[("authorization", wrong)]), 401, "{wrong}");
        }
        let token = ("authorization", "Bearer token-1");
        assert_eq!((post(&[]), post(&[token, token])), (401, 401));
        assert_eq!(status(&access, "GET", "/api/v1/watch", &[]), 200);
        let mut request = Request::post("/-/reload").body(()).unwrap();
        request.extensions_mut().insert(KnownUser);
        assert!(access.check_request(&request).is_ok());
        let read_only = Access { read_only: true, ..access };
        assert_eq!(status(&read_only, "DELETE", "/api/v1/watch", &[token]), 403);
        assert_eq!(status(&read_only, "GET", "/", &[]), 200);
    }
}
