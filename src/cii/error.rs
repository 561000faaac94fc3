//! Errors of requests to the service.
//!
//! Each text is a sentence for the operator. None contains a token, a secret, or a body of the
//! server; that of a GraphQL error contains the service's message, cleaned.

use std::time::Duration;

use super::{
    graphql_error::{ErrorKind, GraphqlError, GraphqlErrors, PathSegment},
    hide::hide_secret,
    meters::Outcome,
};
use crate::domain::redact_names;

/// The text for an answer with a single invalid value.
const BAD_VALUE: &str = "a value in it cannot be read as JSON";

/// The text for a truncated answer. It was cut off on the way, so a retry may succeed.
const ENDS_EARLY: &str = "its JSON ends too early";

/// Why a query failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// There is no access token.
    #[error("no access token: {0}")]
    Token(#[from] TokenError),
    /// Two consecutive access tokens were refused.
    #[error(
        "the API refuses a fresh access token; check that api.url and api.token_url belong to \
         the same API client, and whether it needs api.audience"
    )]
    Unauthorized,
    /// The HTTP exchange failed.
    #[error("the API at api.url {0}")]
    Http(#[from] HttpError),
    /// Nothing was sent: the circuit is open, and the service is only pinged.
    #[error("{cause} (several times in a row; the service is only pinged until it answers)")]
    Resting {
        /// The failure of the last request that was sent.
        cause: String,
    },
    /// The answer does not match the published schema.
    #[error("the API at api.url sent an answer that cannot be understood: {0}")]
    Malformed(String),
    /// The API client lacks the right to this field.
    #[error("the API client has no right to {field}; give it the right in the console")]
    NoRight {
        /// The root field.
        field: &'static str,
    },
    /// The service answered, with errors instead of data.
    #[error("the API answered with errors: {0}")]
    Graphql(GraphqlErrors),
}

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The client's id or secret is refused.
    #[error(
        "the server at api.token_url refuses the API client (HTTP {status}{}); check \
         api.client_id, api.client_secret, api.audience and api.token_request",
        .code.as_ref().map(|code| format!(", {code}")).unwrap_or_default()
    )]
    Refused {
        /// The answer's HTTP status.
        status: u16,
        /// OAuth's `error` code (RFC 6749, 5.2), if it is a valid one.
        code: Option<String>,
    },
    /// The answer contains no usable token.
    #[error("the server at api.token_url sent an answer that cannot be understood: {0}")]
    Malformed(&'static str),
    /// The HTTP exchange failed.
    #[error("the server at api.token_url {0}")]
    Http(#[from] HttpError),
}

/// Why an HTTP exchange failed. The texts continue a sentence that begins with the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Status 429.
    #[error("is asked too often{}", retry_hint(.retry_after.as_ref()))]
    Throttled {
        /// How long the server asks not to be called.
        retry_after: Option<Duration>,
    },
    /// A 5xx status.
    #[error("has a fault of its own (HTTP {status}){}", retry_hint(.retry_after.as_ref()))]
    Server {
        /// The answer's HTTP status.
        status: u16,
        /// How long the server asks not to be called.
        retry_after: Option<Duration>,
    },
    /// Any other status than success; redirects are not followed.
    #[error("answers HTTP {status}; check that the URL is the one the console shows")]
    Client {
        /// The answer's HTTP status.
        status: u16,
    },
    /// No complete answer within the time limit.
    #[error("did not answer in time")]
    Timeout,
    /// No connection was established.
    #[error("cannot be reached: {0}")]
    Connect(String),
    /// The connection ended before the answer did.
    #[error("broke its answer off")]
    Cut,
    /// The answer is larger than the limit.
    #[error("sent more than the {max_bytes} bytes that api.max_answer_bytes allows")]
    TooLarge {
        /// The setting's value.
        max_bytes: usize,
    },
}

impl ApiError {
    /// The text for logs, without the service's messages, which can name users.
    #[must_use]
    pub fn redacted_text(&self) -> String {
        redact_names(&self.to_string())
    }

    /// The `result` label under which the failed exchange is counted.
    #[must_use]
    pub fn result_label(&self) -> &'static str {
        self.outcome().into_str()
    }

    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Token(error) => error.outcome(),
            Self::Unauthorized => Outcome::Unauthorized,
            Self::Http(error) => error.outcome(),
            Self::Resting { .. } => Outcome::ConnectError,
            Self::Malformed(_) => Outcome::Malformed,
            Self::Graphql(errors) if matches!(errors.kind(), ErrorKind::Throttled) => {
                Outcome::Throttled
            }
            Self::NoRight { .. } | Self::Graphql(_) => Outcome::GraphqlError,
        }
    }

    /// Whether the same request may succeed later without any change here.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Token(TokenError::Http(error)) | Self::Http(error) => error.is_transient(),
            Self::Malformed(text) => text == ENDS_EARLY,
            Self::Token(_) | Self::Unauthorized | Self::NoRight { .. } => false,
            Self::Resting { .. } => true,
            Self::Graphql(errors) => {
                matches!(errors.kind(), ErrorKind::Passing | ErrorKind::Throttled)
            }
        }
    }

    /// The GraphQL errors of the answer; empty for any other failure.
    #[must_use]
    pub fn errors(&self) -> &[GraphqlError] {
        if let Self::Graphql(errors) = self { errors } else { &[] }
    }

    /// Whether the service returned not-found for the requested user or address.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Graphql(errors) if errors.kind() == ErrorKind::NotFound)
    }

    /// The error for an answer with a single invalid value; `why` is the parser's error, whose text
    /// does not quote the answer.
    pub(super) fn bad_value(why: &serde_json::Error) -> Self {
        Self::Malformed(format!("{BAD_VALUE}: {why}"))
    }

    /// The error for a truncated answer.
    pub(super) fn truncated_json() -> Self {
        Self::Malformed(ENDS_EARLY.to_owned())
    }

    /// Whether a single invalid value makes the whole answer unreadable.
    pub(super) fn is_bad_value(&self) -> bool {
        matches!(self, Self::Malformed(text) if text.starts_with(BAD_VALUE))
    }

    /// Whether the service asks for fewer requests.
    pub(super) fn is_throttled(&self) -> bool {
        self.outcome() == Outcome::Throttled
    }

    /// Removes a secret that the service may have repeated.
    pub(super) fn without_secret(self, secret: &str) -> Self {
        let Self::Graphql(errors) = self else { return self };
        Self::Graphql(errors.map_kept(|error| {
            let texts = [&mut error.error_type, &mut error.error_info, &mut error.data];
            let names = error.path.iter_mut().filter_map(|step| match step {
                PathSegment::Field(name) => Some(name),
                PathSegment::Index(_) => None,
            });
            for text in texts.into_iter().flatten().chain([&mut error.message]).chain(names) {
                *text = hide_secret(text, secret, "[secret]");
            }
        }))
    }

    /// How long the server asks not to be called, at most 15 minutes.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Token(TokenError::Http(error)) | Self::Http(error) => match error {
                HttpError::Throttled { retry_after } | HttpError::Server { retry_after, .. } => {
                    *retry_after
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl TokenError {
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Refused { .. } => Outcome::Unauthorized,
            Self::Malformed(_) => Outcome::Malformed,
            Self::Http(error) => error.outcome(),
        }
    }
}

impl HttpError {
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Throttled { .. } => Outcome::Throttled,
            Self::Server { .. } => Outcome::ServerError,
            Self::Client { .. } => Outcome::ClientError,
            Self::Timeout => Outcome::Timeout,
            Self::Connect(_) | Self::Cut => Outcome::ConnectError,
            Self::TooLarge { .. } => Outcome::Malformed,
        }
    }

    const fn is_transient(&self) -> bool {
        match self {
            Self::Throttled { .. }
            | Self::Server { .. }
            | Self::Timeout
            | Self::Connect(_)
            | Self::Cut => true,
            Self::Client { status } => matches!(status, 408 | 425),
            Self::TooLarge { .. } => false,
        }
    }
}

fn retry_hint(retry_after: Option<&Duration>) -> String {
    retry_after
        .map(|wait| format!("; it asks not to be called for {} s", wait.as_secs()))
        .unwrap_or_default()
}
