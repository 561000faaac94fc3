//! Errors of the service's GraphQL layer.

mod kind;
mod list;
mod sentence;

use std::fmt;

use serde_json::Value;

use super::hide::hide_secret;
use crate::domain::one_line;

pub(super) use kind::{Subject, combined_kind};
pub use {kind::ErrorKind, list::GraphqlErrors};

/// An error of the service's GraphQL layer (AWS `AppSync`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphqlError {
    /// The path of the part that it concerns; empty for the whole answer.
    pub path: Vec<PathSegment>,
    /// `errorType`, the service's name for the type of error.
    pub error_type: Option<String>,
    /// The service's message: one line of limited length, without the token of the request.
    pub message: String,
    /// `errorInfo`, as compact JSON of limited length.
    pub error_info: Option<String>,
    /// `data`, as compact JSON of limited length.
    pub data: Option<String>,
}

/// A segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathSegment {
    /// A field, or its alias.
    Field(String),
    /// An element of a list.
    Index(u64),
}

const MAX_MESSAGE_BYTES: usize = 200;
const MAX_NAME_BYTES: usize = 64;

/// Most segments of a path: more than twice as many as any path of the published schema.
const MAX_STEPS: usize = 16;

impl GraphqlError {
    pub(super) fn parse(error: &Value, token: &str) -> Self {
        let text = |name: &str, limit| {
            error.get(name).and_then(Value::as_str).map(|text| clean_text(text, token, limit))
        };
        let json = |name: &str| {
            let value = error.get(name).filter(|value| !value.is_null())?;
            Some(clean_text(&value.to_string(), token, MAX_MESSAGE_BYTES))
        };
        let path = error.get("path").and_then(Value::as_array);
        Self {
            path: path
                .into_iter()
                .flatten()
                .take(MAX_STEPS)
                .map_while(|step| PathSegment::parse(step, token))
                .collect(),
            error_type: text("errorType", MAX_NAME_BYTES).filter(|name| !name.is_empty()),
            message: text("message", MAX_MESSAGE_BYTES).unwrap_or_default(),
            error_info: json("errorInfo"),
            data: json("data"),
        }
    }

    /// Whether the access token was refused, by `AppSync`'s type. A missing right has the type
    /// `Unauthorized`.
    pub(super) fn is_refused_token(&self) -> bool {
        self.error_type.as_deref() == Some("UnauthorizedException")
    }

    /// The field at this depth of the path; the root field is at 0.
    pub(super) fn field(&self, depth: usize) -> Option<&str> {
        match self.path.get(depth) {
            Some(PathSegment::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// The list element at this depth of the path.
    pub(super) fn index(&self, depth: usize) -> Option<usize> {
        match self.path.get(depth) {
            Some(PathSegment::Index(index)) => usize::try_from(*index).ok(),
            _ => None,
        }
    }
}

impl PathSegment {
    fn parse(segment: &Value, token: &str) -> Option<Self> {
        match segment {
            Value::String(field) => Some(Self::Field(clean_text(field, token, MAX_NAME_BYTES))),
            Value::Number(index) => index.as_u64().map(Self::Index),
            _ => None,
        }
    }
}

impl fmt::Display for GraphqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.path.iter().enumerate() {
            match segment {
                PathSegment::Field(name) if position == 0 => write!(f, "{name}")?,
                PathSegment::Field(name) => write!(f, ".{name}")?,
                PathSegment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        if !self.path.is_empty() {
            f.write_str(": ")?;
        }
        match (&self.error_type, self.message.as_str()) {
            (Some(name), "") => f.write_str(name),
            (Some(name), message) => write!(f, "{name}: {message}"),
            (None, "") => f.write_str("an error without a message"),
            (None, message) => f.write_str(message),
        }
    }
}

/// One line of limited length, without the token.
fn clean_text(text: &str, token: &str, limit: usize) -> String {
    one_line(&hide_secret(text, token, "[token]"), limit)
}
