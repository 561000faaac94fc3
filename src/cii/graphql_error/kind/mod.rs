//! Classifies GraphQL errors: each has exactly one kind.
//!
//! AWS `AppSync` reports outages, throttling and missing rights with HTTP 200 and an error per
//! alias; only type and message distinguish them. "Not found" in a message is usually about
//! something else than the subject, such as a host or a table. So that kind is recognised narrowly:
//! an outage that is taken for it would end failures.

use super::{GraphqlError, PathSegment, sentence};

/// Kinds of GraphQL errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service does not know the user or the address of the request.
    NotFound,
    /// An outage: the same request may succeed later.
    Passing,
    /// The service asks for fewer requests, as HTTP 429 does.
    Throttled,
    /// The API client lacks the right to the request.
    NoRight,
    /// Anything else: the same request would fail again.
    Lasting,
}

/// The subject of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cii) enum Subject<'a> {
    /// A user, by login.
    User(&'a str),
    /// An IP address.
    Address(&'a str),
    /// A user or an address that is unknown here.
    Either,
    /// A list, for which not-found is impossible.
    List,
}

const THROTTLED_TYPES: [&str; 5] =
    ["throttl", "toomanyrequests", "throughputexceeded", "limitexceeded", "slowdown"];
const THROTTLED_WORDS: [&str; 6] = [
    "rate exceeded",
    "too many requests",
    "throttl",
    "rate limit",
    "throughput exceeded",
    "exceeded the maximum allowed provisioned throughput",
];

const PASSING_TYPES: [&str; 14] = [
    "timeout",
    "timedout",
    "unavailable",
    "internalfailure",
    "internalservererror",
    "internalserverexception",
    "internalserviceerror",
    "internalserviceexception",
    "internalerror",
    "badgateway",
    "networkerror",
    "connectionerror",
    "transactionconflict",
    "exiterror",
];
const PASSING_WORDS: [&str; 23] = [
    "timed out",
    "timeout",
    "econnrefused",
    "econnreset",
    "econnaborted",
    "etimedout",
    "enotfound",
    "eai_again",
    "ehostunreach",
    "enetunreach",
    "epipe",
    "getaddrinfo",
    "socket hang up",
    "connection refused",
    "connection reset",
    "connection closed",
    "service unavailable",
    "temporarily unavailable",
    "internal server error",
    "internal failure",
    "bad gateway",
    "name resolution",
    "try again later",
];

/// Types for an unknown user, without `Exception` or `Error` at the end.
/// `ResourceNotFoundException` is not among them: it is `DynamoDB`'s, for a missing table.
const NOT_FOUND_USER: [&str; 5] =
    ["usernotfound", "endusernotfound", "nosuchuser", "nosuchenduser", "loginnotfound"];
const NOT_FOUND_ADDRESS: [&str; 3] = ["ipnotfound", "ipaddressnotfound", "addressnotfound"];

impl GraphqlError {
    /// The kind of this error of the root field `root` in a request for `subject`.
    pub(in crate::cii) fn kind(&self, root: &str, subject: Subject<'_>) -> ErrorKind {
        let name = self.error_type.as_deref().unwrap_or_default();
        let flat = flatten_name(name);
        let words = without_subject(&self.message, subject).to_lowercase();
        let names = |parts: &[&str]| parts.iter().any(|part| flat.contains(part));
        let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        if names(&THROTTLED_TYPES) || says(&THROTTLED_WORDS) {
            ErrorKind::Throttled
        } else if says(&PASSING_WORDS) {
            ErrorKind::Passing
        } else if self.is_about_subject(root) && self.is_not_found_message(subject) {
            ErrorKind::NotFound
        } else if base_type_name(name) == "unauthorized" || is_no_right(&words) {
            ErrorKind::NoRight
        } else if names(&PASSING_TYPES) || is_lambda_failure(name) {
            ErrorKind::Passing
        } else {
            ErrorKind::Lasting
        }
    }

    /// Whether it is about the root field, or has no path. `endUserDetails` is the user of
    /// `getEndUser`.
    fn is_about_subject(&self, root: &str) -> bool {
        match self.path.as_slice() {
            [] => true,
            [PathSegment::Field(name)] => root.is_empty() || name == root,
            [_, PathSegment::Field(name)] => name == "endUserDetails",
            _ => false,
        }
    }

    fn is_not_found_message(&self, subject: Subject<'_>) -> bool {
        let name = base_type_name(self.error_type.as_deref().unwrap_or_default());
        let is_user = matches!(subject, Subject::User(_) | Subject::Either);
        let is_address = matches!(subject, Subject::Address(_) | Subject::Either);
        let begins = |known: &[&str]| known.iter().any(|known| name.starts_with(known));
        let names_subject = (is_user || is_address) && name == "notfound"
            || is_user && begins(&NOT_FOUND_USER)
            || is_address && begins(&NOT_FOUND_ADDRESS);
        let words = without_subject(&self.message, subject);
        names_subject && !sentence::has_other_thing(&words)
            || is_user && sentence::has_absence_sentence(&words, &sentence::USER)
            || is_address && sentence::has_absence_sentence(&words, &sentence::ADDRESS)
    }
}

/// The combined kind of several errors of one request. A permanent error decides, because a retry
/// would be useless. Not-found requires all errors to say so.
pub(in crate::cii) fn combined_kind(kinds: impl IntoIterator<Item = ErrorKind>) -> ErrorKind {
    use ErrorKind::{Lasting, Passing, Throttled};
    kinds
        .into_iter()
        .reduce(|one, other| match (one, other) {
            (Throttled, _) | (_, Throttled) => Throttled,
            (Lasting, _) | (_, Lasting) => Lasting,
            (Passing, _) | (_, Passing) => Passing,
            (one, other) if one == other => one,
            _ => Lasting,
        })
        .unwrap_or(Lasting)
}

fn is_no_right(words: &str) -> bool {
    let words = words.replace("authorised", "authorized");
    words.contains("not authorized to access")
        || words.trim_end_matches('.').trim() == "not authorized"
}

/// Whether a type is a failure of AWS Lambda, in which the service's functions run, such as
/// `Lambda:Unhandled` or `Runtime.ExitError`.
fn is_lambda_failure(name: &str) -> bool {
    name == "Unhandled" || ["Lambda:", "Lambda.", "Runtime."].iter().any(|at| name.starts_with(at))
}

fn flatten_name(name: &str) -> String {
    name.to_lowercase().replace([' ', '_', '-'], "")
}

/// A type without its prefix (`Lambda:`, `Custom.`) and without `Exception`, `Error` or `Fault` at
/// the end. `UnauthorizedException` is kept: it is a refused token, not a missing right.
fn base_type_name(name: &str) -> String {
    let last = name.rsplit([':', '.', '#']).next().unwrap_or_default();
    let name = flatten_name(last);
    if name == "unauthorizedexception" {
        return name;
    }
    let ends = ["exception", "error", "fault"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
}

/// The message without the subject, whose text could be parsed as words of the message.
fn without_subject(message: &str, subject: Subject<'_>) -> String {
    match subject {
        Subject::User(text) | Subject::Address(text) => sentence::remove_subject(message, text),
        Subject::Either | Subject::List => message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
