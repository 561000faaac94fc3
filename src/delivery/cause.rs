//! Describes why a batch did not arrive, for the log and the page.

use axum::http::StatusCode;
use tonic::Code;

use crate::domain::cut_text;

/// Maximum bytes of a text from outside that are shown.
const MAX_TEXT: usize = 200;

/// Describes a failed connection, from the texts of an error and its sources, the outermost first.
/// The operating system, TLS and HTTP provide no types for this at this level.
pub(super) fn describe_errors(chain: &str) -> String {
    let lower = chain.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let known = if says(&["dns error", "failed to lookup address", "name or service not known"]) {
        "the endpoint's host name is not resolved"
    } else if says(&["connection refused"]) {
        "the connection is refused: nothing listens at the endpoint's port"
    } else if says(&["causedasendentity"]) {
        // Rejected even when it is trusted. `openssl req -x509` signs such certificates.
        "the collector's certificate is of an unknown issuer: it signed itself as an authority \
         (CA:TRUE), which is not accepted for a server"
    } else if says(&["unknownissuer"]) {
        "the collector's certificate is of an unknown issuer; OTEL_EXPORTER_OTLP_CERTIFICATE names \
         a file of trusted ones"
    } else if says(&["certificate expired", "certificate: expired"]) {
        "the collector's certificate has expired"
    } else if says(&["not valid yet", "notvalidyet"]) {
        "the collector's certificate is not valid yet; check both clocks"
    } else if says(&["not valid for name", "notvalidforname"]) {
        "the collector's certificate is for another host name"
    } else if says(&["certificate revoked", "certificate: revoked"]) {
        "the collector's certificate is revoked"
    } else if says(&["invalid peer certificate"]) {
        "the collector's certificate is not accepted"
    } else if says(&["certificaterequired", "badcertificate", "unknownca"]) {
        "the collector does not accept our certificate; OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and \
         OTEL_EXPORTER_OTLP_CLIENT_KEY name it"
    } else if says(&["invalidcontenttype", "corrupt message"]) {
        "the endpoint does not speak TLS; is it http:// instead of https://?"
    } else if says(&["network is unreachable", "no route to host", "host is unreachable"]) {
        "there is no route to the endpoint's host"
    } else if is_timeout(chain) {
        "there was no answer in time"
    } else if says(&["h2 protocol error", "http2 error", "frame with invalid size"]) {
        "the endpoint does not speak gRPC; is it the port for OTLP over HTTP?"
    } else if says(&["invalid http version", "invalid http header"]) {
        "the endpoint does not speak HTTP/1.1; is it a port for TLS or gRPC?"
    } else if says(&["connection reset", "connection closed", "incompletemessage", "broken pipe"]) {
        "the connection was closed before an answer came"
    } else {
        "the connection failed"
    };
    let innermost = match chain.rsplit_once("invalid peer certificate: ") {
        Some((_, detail)) => detail,
        None => chain.rsplit(": ").next().unwrap_or(chain),
    };
    let innermost = sanitize(innermost);
    if innermost.is_empty() { known.to_owned() } else { format!("{known} ({innermost})") }
}

/// Whether the texts of an error and its sources mention a timeout.
pub(super) fn is_timeout(chain: &str) -> bool {
    let lower = chain.to_lowercase();
    ["timed out", "timeout expired", "deadline"].iter().any(|words| lower.contains(words))
}

/// The texts of an error's sources, the outermost first. The error's own text is left out: it may
/// contain the URL, which can contain a password.
pub(super) fn join_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ")
}

/// Describes a status that is no success.
pub(super) fn describe_status(status: StatusCode, location: Option<&str>) -> String {
    let code = status.as_u16();
    if status.is_redirection() {
        let target = location
            .and_then(redirect_host)
            .map_or_else(|| "somewhere else".to_owned(), |host| format!("to {}", sanitize(host)));
        return format!(
            "it answered {code} and redirects {target}, which is not followed; set the endpoint \
             that receives logs itself"
        );
    }
    let name = status.canonical_reason().unwrap_or("a status without a name");
    let meaning = match code {
        400 | 422 => ": it does not accept the records",
        401 | 403 => ": it does not accept the credentials; OTEL_EXPORTER_OTLP_HEADERS holds them",
        404 | 405 => ": there is no receiver of logs at this path",
        407 => ": a proxy wants credentials",
        408 => ": it waited for the request for too long",
        413 => ": the batch is too large for it",
        415 => ": it does not accept protobuf",
        429 => ": it is asked too often",
        502 | 504 => ": a proxy does not reach the collector",
        503 => ": it cannot take events now",
        _ => "",
    };
    format!("it answered {code} {name}{meaning}")
}

/// Describes a gRPC code, with the collector's message.
pub(super) fn describe_code(code: Code, message: &str) -> String {
    let meaning = match code {
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => {
            ": it does not accept the records"
        }
        Code::Unauthenticated | Code::PermissionDenied => {
            ": it does not accept the credentials; OTEL_EXPORTER_OTLP_HEADERS holds them"
        }
        Code::Unimplemented | Code::NotFound => ": there is no receiver of logs at the endpoint",
        Code::ResourceExhausted => ": the batch is too large for it, or it is asked too often",
        Code::Unavailable => ": it cannot take events now",
        Code::DeadlineExceeded | Code::Cancelled => ": there was no answer in time",
        _ => "",
    };
    let message = sanitize(message);
    if message.is_empty() {
        format!("it answered {code:?}{meaning}")
    } else {
        format!("it answered {code:?}{meaning} ({message})")
    }
}

/// The host, with its port, in a `Location`; none for a path.
fn redirect_host(location: &str) -> Option<&str> {
    let (_, rest) = location.split_once("//")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// An endpoint without parts that may be secret: user, password, query.
pub(super) fn redact_endpoint(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            sanitize(&format!("{scheme}://{host}{path}"))
        }
        None => sanitize(url.rsplit('@').next().unwrap_or_default()),
    }
}

/// Text from outside, shortened, on one line, and without control characters for a terminal.
pub(super) fn sanitize(text: &str) -> String {
    let printable = |letter: char| match letter {
        letter if letter.is_whitespace() => ' ',
        letter if letter.is_control() => '\u{fffd}',
        letter => letter,
    };
    cut_text(text.trim(), MAX_TEXT).chars().map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fail_in_words() {
        for (chain, words) in [
            (
                "client error (Connect): dns error: failed to lookup address information: Name or service not known",
                "host name is not resolved (Name or service not known)",
            ),
            (
                "transport error: tcp connect error: Connection refused (os error 111)",
                "connection is refused",
            ),
            ("client error (Connect): invalid peer certificate: UnknownIssuer", "unknown issuer"),
            ("x: invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", "unknown issuer"),
            (
                "x: invalid peer certificate: certificate expired: verification time 3 (UNIX), but certificate is not valid after 2 (1 seconds ago)",
                "has expired",
            ),
            (
                "x: invalid peer certificate: certificate not valid for name \"a\"; certificate is only valid for b",
                "another host name",
            ),
            ("x: received corrupt message of type InvalidContentType", "does not speak TLS"),
            ("transport error: operation timed out", "no answer in time"),
            ("strange", "the connection failed (strange)"),
            ("", "the connection failed"),
        ] {
            let cause = describe_errors(chain);
            assert!(cause.contains(words), "{chain}: {cause}");
        }
    }

    #[test]
    fn a_redirect_names_its_host_and_no_secret() {
        for (location, target) in [
            (
                Some("https://user:pass@login.example.com:8443/x?token=1"),
                "to login.example.com:8443,",
            ),
            (Some("//idp.example.com"), "to idp.example.com,"),
            (Some("/elsewhere"), "somewhere else,"),
            (None, "somewhere else,"),
        ] {
            let cause = describe_status(StatusCode::FOUND, location);
            assert!(cause.contains(target) && cause.contains("302"), "{cause}");
            assert!(!cause.contains("pass") && !cause.contains("token"), "{cause}");
        }
    }

    #[test]
    fn statuses_and_codes_have_their_meaning() {
        assert!(
            describe_status(StatusCode::UNAUTHORIZED, None)
                .contains("401 Unauthorized: it does not")
        );
        assert_eq!(describe_status(StatusCode::IM_A_TEAPOT, None), "it answered 418 I'm a teapot");
        assert_eq!(describe_code(Code::Internal, ""), "it answered Internal");
        let cause = describe_code(
            Code::InvalidArgument,
            &format!("bad\nthing\u{1b}[31m{}", "x".repeat(999)),
        );
        assert!(cause.contains("bad thing\u{fffd}[31m") && cause.chars().count() < 300, "{cause}");
    }

    #[test]
    fn an_endpoint_is_shown_without_user_and_query() {
        for (url, shown) in [
            ("https://u:p@c:4318/v1/logs?key=1", "https://c:4318/v1/logs"),
            ("http://c:4317", "http://c:4317"),
            ("u:p@c:4317", "c:4317"),
            ("http://c/@x", "http://c/@x"),
        ] {
            assert_eq!(redact_endpoint(url), shown);
        }
    }
}
