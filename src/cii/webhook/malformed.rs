//! Why a body was not understood.

/// What is wrong with a delivery's body, and where.
///
/// The text is made for the person who set the sender up. It holds names of
/// fields and of types, never anything that the body said.
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
    /// A syntax error's text tells line and column and quotes nothing, as long
    /// as the target is a plain JSON value.
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

    /// `pointer` is written in this code: it never repeats a name that a sender
    /// made up.
    pub(super) fn field(pointer: &'static str, problem: impl Into<String>) -> Self {
        Self(Reason::Field { pointer, problem: problem.into() })
    }

    /// A short name for this sort of fault.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self.0 {
            Reason::Syntax(_) => "The body is not JSON",
            Reason::Field { .. } => "The body is not a delivery that can be understood",
        }
    }

    /// Where it is, as a JSON pointer (RFC 6901; empty for the whole body);
    /// `None` when the body is no JSON.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        match &self.0 {
            Reason::Syntax(_) => None,
            Reason::Field { pointer, .. } => Some(pointer),
        }
    }
}
