//! GraphQL answers: data, errors, or both.

use serde_json::{Map, Value};

use super::{
    error::{ApiError, HttpError},
    graphql_error::{GraphqlError, GraphqlErrors, Subject},
    json,
};

/// The answer to a query: data, and errors that say what is missing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) data: Map<String, Value>,
    pub(super) errors: Vec<GraphqlError>,
    /// Most elements of any list in it.
    pub(super) max_items: usize,
}

impl Answer {
    /// Parses the body of an answer. `is_html` is from its content type; `token` is removed from
    /// all error texts.
    pub(super) fn parse(
        body: &[u8],
        is_html: bool,
        token: &str,
        max_items: usize,
    ) -> Result<Self, ApiError> {
        let Value::Object(mut body) = parse_document(body, is_html)? else {
            return malformed("it is JSON, but not an object");
        };
        let errors = match body.remove("errors") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(errors)) if errors.len() > max_items => {
                return Err(too_many("errors", max_items));
            }
            Some(Value::Array(errors)) => {
                errors.iter().map(|error| GraphqlError::parse(error, token)).collect()
            }
            Some(_) => return malformed("its errors are not a list"),
        };
        match body.remove("data") {
            Some(Value::Object(data)) => Ok(Self { data, errors, max_items }),
            None | Some(Value::Null) if errors.is_empty() => {
                malformed("it has neither data nor errors")
            }
            None | Some(Value::Null) => Ok(Self { data: Map::new(), errors, max_items }),
            Some(_) => malformed("its data is not an object"),
        }
    }

    /// Whether no root field has data.
    pub(super) fn is_empty(&self) -> bool {
        self.data.values().all(Value::is_null)
    }

    /// Takes a root field. All root fields of the schema are non-null.
    pub(super) fn take_root(&mut self, field: &str) -> Result<Value, ApiError> {
        match self.data.remove(field) {
            Some(value) if !value.is_null() => match overlong_list(field, &value, self.max_items) {
                Some(list) => Err(too_many(&list, self.max_items)),
                None => Ok(value),
            },
            _ if self.errors.is_empty() => Err(ApiError::Malformed(format!("it lacks {field}"))),
            _ => Err(ApiError::Graphql(self.root_errors(field))),
        }
    }

    /// The errors of a root field without a subject, so that none of them can mean not-found.
    pub(super) fn root_errors(&self, field: &str) -> GraphqlErrors {
        GraphqlErrors::for_request(self.errors.clone(), field, Subject::List)
    }
}

const TOO_MANY: &str = "are more than the";

/// Whether a smaller part of the same list may succeed.
pub(super) fn is_too_much(error: &ApiError) -> bool {
    match error {
        ApiError::Http(HttpError::TooLarge { .. }) => true,
        ApiError::Malformed(text) => error.is_bad_value() || text.contains(TOO_MANY),
        _ => false,
    }
}

/// The error for a list of `what` that is too long.
pub(super) fn too_many(what: &str, max_items: usize) -> ApiError {
    ApiError::Malformed(format!("{what} {TOO_MANY} {max_items} that api.max_answer_items allows"))
}

/// Parses the body as JSON. When it ends too early, it was truncated. When it begins like an
/// answer, it has an invalid value, which concerns only one of several subjects.
fn parse_document(body: &[u8], is_html: bool) -> Result<Value, ApiError> {
    let error = match json::parse(body) {
        Ok(document) => return Ok(document),
        Err(error) => error,
    };
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    if is_html || !text.starts_with(b"{") {
        malformed("it is not JSON; is api.url the GraphQL endpoint?")
    } else if error.is_eof() {
        Err(ApiError::truncated_json())
    } else {
        Err(ApiError::bad_value(&error))
    }
}

fn malformed<T>(what: &str) -> Result<T, ApiError> {
    Err(ApiError::Malformed(what.to_owned()))
}

/// The name of a list with more than `max_items` elements, if any.
fn overlong_list(name: &str, value: &Value, max_items: usize) -> Option<String> {
    match value {
        Value::Array(items) if items.len() > max_items => Some(name.to_owned()),
        Value::Array(items) => items.iter().find_map(|item| overlong_list(name, item, max_items)),
        Value::Object(fields) => {
            fields.iter().find_map(|(field, value)| overlong_list(field, value, max_items))
        }
        _ => None,
    }
}
