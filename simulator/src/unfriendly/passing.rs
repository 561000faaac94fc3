//! Faults that pass: about one request in six meets one.

use rand::{RngExt, rngs::SmallRng, seq::IndexedRandom};

use crate::faults::{AppsyncError, Fault, Kind, Leaves};

/// The share of requests that meet a fault.
const SHARE: f64 = 0.16;

pub(super) fn draw(rng: &mut SmallRng) -> Vec<Fault> {
    if !rng.random_bool(SHARE) {
        return Vec::new();
    }
    let all = kinds();
    all.choose(rng).cloned().map(Fault::graphql).into_iter().collect()
}

fn kinds() -> Vec<Kind> {
    let list = |field: &str| AppsyncError::timed_out().at_field(field);
    vec![
        Kind::Status(429, Some(1)),
        Kind::Status(502, None),
        Kind::Status(503, Some(1)),
        Kind::SlowMillis(300),
        Kind::Cut,
        Kind::MalformedJson,
        Kind::EmptyBody,
        Kind::HtmlPage,
        Kind::ByteOrderMark,
        Kind::ManyErrors(20),
        Kind::Error(AppsyncError::timed_out().strictly()),
        Kind::Error(AppsyncError::timed_out()),
        Kind::Error(AppsyncError::name_not_resolved().strictly()),
        Kind::Error(AppsyncError::name_not_resolved()),
        Kind::Error(AppsyncError::throughput_exceeded()),
        Kind::Error(AppsyncError::too_many_requests()),
        Kind::Error(list("ipAddresses")),
        Kind::Error(list("usedApplications").leaving(Leaves::EmptyList)),
        Kind::null("ipAddresses"),
        Kind::null("usedFactors"),
    ]
}
