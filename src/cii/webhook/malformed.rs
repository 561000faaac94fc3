//! The error for a body that is no delivery.

/// The fault of a delivery's body, and its place.
///
/// The text is for the person who configured the sender. It contains names of fields and types,
/// never a part of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Malformed(Reason);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("not JSON: {0}")]
    Syntax(String),
    #[error("{}: {problem}", if pointer.is_empty() { "the body" } else { pointer })]
    Field { pointer: &'static str, problem: String },
}

impl Malformed {
    /// The error for invalid JSON. The parser's text has line and column and quotes nothing, as
    /// long as the target type is a plain JSON value.
    pub(super) fn syntax(error: &serde_json::Error, body: &[u8]) -> Self {
        let hint = match body {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..] => {
                " (it looks like UTF-16 or UTF-32; JSON is sent as UTF-8)"
            }
            [0x1f, 0x8b, ..] => " (it looks like gzip; that needs Content-Encoding: gzip)",
            _ => "",
        };
        Self(Reason::Syntax(format!("{error}{hint}")))
    }

    /// The error for a field. `pointer` is a constant, so that it never repeats a name from the
    /// sender.
    pub(super) fn field(pointer: &'static str, problem: impl Into<String>) -> Self {
        Self(Reason::Field { pointer, problem: problem.into() })
    }

    /// A short name of the type of fault.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self.0 {
            Reason::Syntax(_) => "The body is not JSON",
            Reason::Field { .. } => "The body is not a delivery that can be understood",
        }
    }

    /// The place, as a JSON pointer (RFC 6901; empty for the whole body); `None` when the body is
    /// not JSON.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        match &self.0 {
            Reason::Syntax(_) => None,
            Reason::Field { pointer, .. } => Some(pointer),
        }
    }
}
