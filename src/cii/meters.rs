//! Metrics of the requests to the service.

use prometheus::{Gauge, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use strum::{IntoStaticStr, VariantArray};

use crate::{domain::Timestamp, meter};

/// Metrics of the requests to the API and to its token endpoint.
#[derive(Debug, Clone)]
pub struct Meters {
    requests: IntCounterVec,
    retries: IntCounterVec,
    circuit_open: IntGauge,
    right_missing: IntGaugeVec,
    duration: HistogramVec,
    token_expiry: Gauge,
}

/// The operation of a request; the `operation` label, which is the root field of the query, or
/// `token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "camelCase", const_into_str)]
pub(super) enum Operation {
    Token,
    Ping,
    GetEndUser,
    GetEndUserState,
    GetEndUsersByIp,
    ListEndUsers,
    GetIntegrationsStatus,
    GetTotalCheckFailingCounts,
    ListAdminLogins,
    #[strum(serialize = "registerWebhookWithApiKey")]
    RegisterWebhook,
    UnregisterWebhook,
}

impl Operation {
    /// Whether the operation is idempotent, so that it may be repeated.
    pub(super) const fn may_repeat(self) -> bool {
        !matches!(self, Self::RegisterWebhook | Self::UnregisterWebhook)
    }
}

/// How a request ended; the `result` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// With all requested data.
    Ok,
    /// With some of the data, and errors in place of the rest.
    Partial,
    /// With errors and no data.
    GraphqlError,
    /// The credentials were refused, or the client lacks the right.
    Unauthorized,
    /// There were too many requests.
    Throttled,
    /// With a status of 500 or more.
    ServerError,
    /// With another status than success.
    ClientError,
    /// There was no answer in time.
    Timeout,
    /// There was no connection, or the answer was truncated.
    ConnectError,
    /// The answer was not one of the API.
    Malformed,
}

impl Outcome {
    /// The label's value.
    #[must_use]
    pub fn into_str(self) -> &'static str {
        self.into()
    }
}

impl Meters {
    /// Creates the meters with all values at zero.
    ///
    /// # Errors
    /// Never in practice: only if a name or a label broke Prometheus's rules.
    pub fn new() -> prometheus::Result<Self> {
        let (operations, outcomes) =
            (meter::label_values::<Operation>(), meter::label_values::<Outcome>());
        let operation = ("operation", operations.as_slice());
        Ok(Self {
            requests: meter::counters(
                "cii_api_requests_total",
                "Requests to the Cisco Identity Intelligence API and to its token endpoint, \
                 by how they ended; connect_error includes answers that broke off.",
                &[operation, ("result", outcomes.as_slice())],
            )?,
            retries: meter::counters(
                "cii_api_retries_total",
                "Requests to the API that were sent again because the one before failed in a \
                 way that may pass.",
                &[operation],
            )?,
            circuit_open: IntGauge::new(
                "cii_api_circuit_open",
                "1 while the API is down and only pinged, else 0.",
            )?,
            right_missing: meter::gauges(
                "cii_api_right_missing",
                "1 while the API client has no right to the operation, which is then sent \
                 only every 6 hours, else 0.",
                &[operation],
            )?,
            duration: meter::histograms(
                "cii_api_request_duration_seconds",
                "How long a request took, from sending it to the end of its answer or to \
                 giving up.",
                &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],
                &[operation],
            )?,
            token_expiry: Gauge::new(
                "cii_api_token_expiry_timestamp_seconds",
                "When the access token in use expires, in Unix time; 0 when there is none.",
            )?,
        })
    }

    /// Registers the meters with `registry`.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        meter::register(
            registry,
            [
                Box::new(self.requests.clone()),
                Box::new(self.retries.clone()),
                Box::new(self.circuit_open.clone()),
                Box::new(self.right_missing.clone()),
                Box::new(self.duration.clone()),
                Box::new(self.token_expiry.clone()),
            ],
        )
    }

    /// The number of requests with this outcome since the start, over all operations.
    #[must_use]
    pub fn requests(&self, outcome: Outcome) -> u64 {
        let count = |operation: &Operation| {
            self.requests.with_label_values(&[operation.into_str(), outcome.into_str()]).get()
        };
        Operation::VARIANTS.iter().map(count).sum()
    }

    /// Whether the circuit is open.
    #[must_use]
    pub fn is_circuit_open(&self) -> bool {
        self.circuit_open.get() != 0
    }

    pub(super) fn count_request(
        &self,
        operation: Operation,
        outcome: Outcome,
        took: std::time::Duration,
    ) {
        self.requests.with_label_values(&[operation.into_str(), outcome.into_str()]).inc();
        self.duration.with_label_values(&[operation.into_str()]).observe(took.as_secs_f64());
    }

    pub(super) fn count_retry(&self, operation: Operation) {
        self.retries.with_label_values(&[operation.into_str()]).inc();
    }

    pub(super) fn set_circuit_open(&self, is_open: bool) {
        self.circuit_open.set(i64::from(is_open));
    }

    pub(super) fn set_right_missing(&self, operation: Operation, is_missing: bool) {
        self.right_missing.with_label_values(&[operation.into_str()]).set(i64::from(is_missing));
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds stay exact for 285 million years")]
    pub(super) fn set_token_expiry(&self, at: Option<Timestamp>) {
        self.token_expiry.set(at.map_or(0.0, |at| at.timestamp() as f64));
    }

    #[cfg(test)]
    pub(super) fn request_count(&self, operation: Operation, result: &str) -> u64 {
        self.requests.with_label_values(&[operation.into_str(), result]).get()
    }

    #[cfg(test)]
    pub(super) fn is_right_missing(&self, operation: Operation) -> i64 {
        self.right_missing.with_label_values(&[operation.into_str()]).get()
    }

    #[cfg(test)]
    pub(super) fn token_expiry(&self) -> f64 {
        self.token_expiry.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_there_from_the_start() {
        let (meters, registry) = (Meters::new().unwrap(), Registry::new());
        meters.register(&registry).unwrap();
        let series: Vec<_> = registry
            .gather()
            .iter()
            .map(|family| (family.name().to_owned(), family.get_metric().len()))
            .collect();
        assert_eq!(
            series,
            [
                ("cii_api_circuit_open".to_owned(), 1),
                ("cii_api_request_duration_seconds".to_owned(), 11),
                ("cii_api_requests_total".to_owned(), 110),
                ("cii_api_retries_total".to_owned(), 11),
                ("cii_api_right_missing".to_owned(), 11),
                ("cii_api_token_expiry_timestamp_seconds".to_owned(), 1),
            ]
        );
    }
}
