//! GraphQL's answers: data, errors, or both.

use serde_json::{Map, Value};

use super::{error::ApiError, graphql_error::GraphqlError, json};

/// What came of a query: data, and perhaps errors that say what is missing in
/// it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) data: Map<String, Value>,
    pub(super) errors: Vec<GraphqlError>,
}

impl Answer {
    /// Understands an answer's body. `token` is what no text of an error may
    /// repeat.
    pub(super) fn parse(body: &[u8], token: &str) -> Result<Self, ApiError> {
        let malformed = |what: &str| Err(ApiError::Malformed(what.to_owned()));
        let Ok(body) = json::parse(body) else {
            return malformed("it is not JSON; is api.url the GraphQL endpoint?");
        };
        let Value::Object(mut body) = body else {
            return malformed("it is JSON, but not an object");
        };
        let errors = match body.remove("errors") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(errors)) => {
                errors.iter().map(|error| GraphqlError::parse(error, token)).collect()
            }
            Some(_) => return malformed("its errors are not a list"),
        };
        match body.remove("data") {
            Some(Value::Object(data)) => Ok(Self { data, errors }),
            None | Some(Value::Null) if errors.is_empty() => {
                malformed("it has neither data nor errors")
            }
            None | Some(Value::Null) => Ok(Self { data: Map::new(), errors }),
            Some(_) => malformed("its data is not an object"),
        }
    }

    /// Whether no root field was answered.
    pub(super) fn is_empty(&self) -> bool {
        self.data.values().all(Value::is_null)
    }

    /// Takes a root field. Every root field of the schema is non-null.
    pub(super) fn root(&mut self, field: &str) -> Result<Value, ApiError> {
        match self.data.remove(field) {
            Some(value) if !value.is_null() => Ok(value),
            _ if self.errors.is_empty() => Err(ApiError::Malformed(format!("it lacks {field}"))),
            _ => Err(ApiError::Graphql(self.errors.clone().into())),
        }
    }
}
