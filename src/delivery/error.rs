//! Errors of the delivery to a collector.

use std::{error::Error as _, time::Duration};

use tonic::Code;

use strum::{IntoStaticStr, VariantArray};

/// Why the delivery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OtlpStartError {
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Http(reqwest::Error),
    /// The gRPC client cannot be built.
    #[error("the gRPC client cannot be built: {}", .0.source().map_or_else(|| .0.to_string(), ToString::to_string))]
    Grpc(tonic::transport::Error),
    /// The official exporter rejects its settings.
    #[error(transparent)]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Why the collector did not accept events; the `reason` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// No connection, or the collector reports that it is unavailable.
    Unavailable,
    /// The collector limits the rate of requests.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The collector does not accept the credentials.
    Unauthorized,
    /// No receiver of logs is at the endpoint.
    NotFound,
    /// The collector refuses the records themselves; a retry would not help.
    Refused,
    /// The collector accepted a batch and reports that it dropped some records.
    PartialSuccess,
    /// The status is a success, but the body is no OTLP answer.
    NotOtlp,
    /// The endpoint redirects, which is not followed.
    Redirect,
    /// Anything else.
    Other,
}

impl Reason {
    /// The label's value.
    #[must_use]
    pub fn into_str(self) -> &'static str {
        self.into()
    }

    /// The meaning of an HTTP status, by the specification of OTLP.
    pub(super) const fn from_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            400 | 413 | 415 | 422 => Self::Refused,
            401 | 403 | 407 => Self::Unauthorized,
            404 | 405 => Self::NotFound,
            408 => Self::Timeout,
            429 => Self::Throttled,
            502..=504 => Self::Unavailable,
            _ => Self::Other,
        }
    }

    /// The meaning of a gRPC code.
    ///
    /// A message above the receiver's limit has the same code as a receiver that is temporarily
    /// overloaded. The first never succeeds, but a smaller one may; grpc-go and grpc-java
    /// distinguish them only by the text.
    pub(super) fn from_code(code: Code, message: &str) -> Self {
        let is_too_large =
            message.contains("larger than max") || message.contains("exceeds maximum size");
        // The client's own texts for an answer that is not gRPC.
        let is_foreign = [
            "protocol error: ",
            "Missing response message",
            "failed to decode Protobuf",
            "decoded message length too large",
        ]
        .iter()
        .any(|words| message.contains(words));
        let is_redirect = message.contains("mapped from HTTP status code 3");
        match code {
            Code::Internal | Code::Unknown | Code::OutOfRange if is_foreign => Self::NotOtlp,
            Code::Unknown if is_redirect => Self::Redirect,
            Code::ResourceExhausted if is_too_large => Self::Refused,
            Code::Unavailable => Self::Unavailable,
            Code::ResourceExhausted => Self::Throttled,
            Code::DeadlineExceeded | Code::Cancelled => Self::Timeout,
            Code::Unauthenticated | Code::PermissionDenied => Self::Unauthorized,
            Code::Unimplemented | Code::NotFound => Self::NotFound,
            Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => Self::Refused,
            _ => Self::Other,
        }
    }
}

/// A batch that the collector did not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SendError {
    pub(super) reason: Reason,
    /// How long the collector requests the sender to wait.
    pub(super) retry_after: Option<Duration>,
    /// The description; short, and without secrets.
    pub(super) cause: String,
}

impl SendError {
    pub(super) fn new(reason: Reason, cause: impl Into<String>) -> Self {
        Self { reason, retry_after: None, cause: cause.into() }
    }
}

/// A batch that the collector accepted, except for the rejected records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) rejected: u64,
    /// The collector's message about them, or its warning.
    pub(super) message: Option<String>,
}
