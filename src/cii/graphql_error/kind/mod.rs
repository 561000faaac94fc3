//! What a GraphQL error means: each is of exactly one kind.
//!
//! AWS `AppSync` reports outages, throttling and missing rights with HTTP 200
//! and an error for each alias; type and message are all there is to tell them
//! apart. "Not found" in a message is usually not about the subject (a host, a
//! table), so that kind is recognised narrowly: taking an outage for it would
//! end failures.

use super::{GraphqlError, PathSegment, sentence};

/// Kinds of GraphQL errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service does not know the user or address of the request.
    NotFound,
    /// An outage: the same request may be answered later.
    Passing,
    /// The service asks for fewer requests, as HTTP 429 does.
    Throttled,
    /// The API client has no right to what it asked for.
    NoRight,
    /// Anything else: the same request fails again.
    Lasting,
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cii) enum Subject<'a> {
    /// A user, by login.
    User(&'a str),
    /// An IP address.
    Address(&'a str),
    /// A user or an address that is not at hand.
    Either,
    /// A list, of which nothing can be not found.
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

/// Types that mean the subject, without `Exception` or `Error` at their end. A
/// `ResourceNotFoundException` is `DynamoDB`'s: a table is missing.
const NOT_FOUND_USER: [&str; 5] =
    ["usernotfound", "endusernotfound", "nosuchuser", "nosuchenduser", "loginnotfound"];
const NOT_FOUND_ADDRESS: [&str; 3] = ["ipnotfound", "ipaddressnotfound", "addressnotfound"];

impl GraphqlError {
    /// What this error of the root field `root` means for a request about
    /// `subject`.
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

    /// Whether it is about the root field, or does not say what it is about.
    /// `endUserDetails` is the user of `getEndUser`.
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

/// The kind of several errors about one request. One that lasts decides, as
/// asking again is of no use; that nothing was found needs every error to say so.
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

/// The service's functions run in AWS Lambda, whose own failures have types such
/// as `Lambda:Unhandled` and `Runtime.ExitError`.
fn is_lambda_failure(name: &str) -> bool {
    name == "Unhandled" || ["Lambda:", "Lambda.", "Runtime."].iter().any(|at| name.starts_with(at))
}

fn flatten_name(name: &str) -> String {
    name.to_lowercase().replace([' ', '_', '-'], "")
}

/// A type without what stands before it (`Lambda:`, `Custom.`) and without
/// `Exception`, `Error` or `Fault` at its end. `UnauthorizedException` stays: it
/// is a refused token, not a missing right.
fn base_type_name(name: &str) -> String {
    let last = name.rsplit([':', '.', '#']).next().unwrap_or_default();
    let name = flatten_name(last);
    if name == "unauthorizedexception" {
        return name;
    }
    let ends = ["exception", "error", "fault"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
}

/// The message without the subject, whose text could be taken for words.
fn without_subject(message: &str, subject: Subject<'_>) -> String {
    match subject {
        Subject::User(text) | Subject::Address(text) => sentence::remove_subject(message, text),
        Subject::Either | Subject::List => message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
