//! Errors as `AppSync` tells them, in an answer with HTTP status 200.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An error at a place of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppsyncError {
    /// The `errorType`.
    pub error_type: String,
    /// The `message`.
    pub message: String,
    /// The `errorInfo`.
    #[serde(default)]
    pub error_info: Value,
    /// The error's `data`.
    #[serde(default)]
    pub data: Value,
    /// Where, below the root field: names, indices, and `"*"` for each row. Empty: the root
    /// field itself. A place that the answer does not have gets no error.
    #[serde(default)]
    pub path: Vec<Value>,
    /// What stands there.
    #[serde(default)]
    pub leaves: Leaves,
    /// Whether all of the answer's data becomes null, by GraphQL's rule for a non-null field.
    #[serde(default)]
    pub strict: bool,
}

/// What stands in the answer where an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaves {
    /// Null.
    #[default]
    Null,
    /// An empty list.
    EmptyList,
    /// What stood there before.
    Value,
}

impl AppsyncError {
    /// An error of this type with this message at the root field; other root fields of the
    /// request keep their data.
    #[must_use]
    pub fn new(error_type: &str, message: &str) -> Self {
        Self {
            error_type: error_type.to_owned(),
            message: message.to_owned(),
            error_info: Value::Null,
            data: Value::Null,
            path: Vec::new(),
            leaves: Leaves::Null,
            strict: false,
        }
    }

    /// A resolver that ran out of time.
    #[must_use]
    pub fn timed_out() -> Self {
        Self::new("Lambda:Unhandled", "Task timed out after 30.00 seconds")
    }

    /// A resolver that could not resolve the name of its database. "Not found" is about a
    /// host here.
    #[must_use]
    pub fn name_not_resolved() -> Self {
        let message = "getaddrinfo ENOTFOUND dynamodb.eu-central-1.amazonaws.com";
        Self::new("Lambda:Unhandled", message)
    }

    /// A database that throttles.
    #[must_use]
    pub fn throughput_exceeded() -> Self {
        Self::new(
            "DynamoDB:ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        )
    }

    /// A service that throttles.
    #[must_use]
    pub fn too_many_requests() -> Self {
        Self::new("TooManyRequestsException", "Rate Exceeded.")
    }

    /// A right that the client lacks.
    #[must_use]
    pub fn unauthorized(operation: &str) -> Self {
        let message = format!("Not Authorized to access {operation} on type Query");
        Self::new("Unauthorized", &message)
    }

    /// A table that is missing: "not found" is about no user here.
    #[must_use]
    pub fn table_not_found() -> Self {
        let message = "Requested resource not found: Table: users not found";
        Self::new("DynamoDB:ResourceNotFoundException", message)
    }

    /// The same, at this path below the root field.
    #[must_use]
    pub fn at(self, path: impl IntoIterator<Item = Value>) -> Self {
        Self { path: path.into_iter().collect(), ..self }
    }

    /// The same, at a field directly below the root field.
    #[must_use]
    pub fn at_field(self, field: &str) -> Self {
        self.at([json!(field)])
    }

    /// The same, with this in the answer's place.
    #[must_use]
    pub fn leaving(self, leaves: Leaves) -> Self {
        Self { leaves, ..self }
    }

    /// The same, taking all data with it.
    #[must_use]
    pub fn strictly(self) -> Self {
        Self { strict: true, ..self }
    }

    /// The same, with `errorInfo` and `data`.
    #[must_use]
    pub fn telling(self, error_info: Value, data: Value) -> Self {
        Self { error_info, data, ..self }
    }

    /// The error as the answer has it.
    pub(crate) fn json(&self, path: &[Value]) -> Value {
        json!({
            "path": path,
            "errorType": self.error_type,
            "message": self.message,
            "errorInfo": self.error_info,
            "data": self.data,
            "locations": null,
        })
    }
}
