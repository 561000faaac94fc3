//! Why a row cannot be understood.

use crate::domain::LoginError;

/// Why a stored row cannot be understood. It never says what stands in the row: that may
/// be about a person, and errors go into logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The JSON of a column has another form than the reader expects.
    #[error("its JSON has another form than expected, at line {line}, column {column}")]
    Json {
        /// The line in the JSON, from 1.
        line: usize,
        /// The column in the line, from 1.
        column: usize,
    },
    /// A body cannot be unpacked.
    #[error("its body cannot be unpacked")]
    Packed,
    /// A newer exporter wrote what stands in the row in a form of its own.
    #[error("it was written by a newer exporter, in the form {0}, which is not known here")]
    Form(i64),
    /// A moment is outside of every calendar.
    #[error("a moment is out of range")]
    Moment,
    /// A text that stands for one of a closed list, such as an outcome, is none of it.
    #[error("its {0} is not known here")]
    Unknown(&'static str),
    /// Something that every such row has is missing.
    #[error("its {0} is missing")]
    Missing(&'static str),
    /// A login in it is none.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_row_is_not_in_the_error() {
        let error = serde_json::from_str::<Vec<bool>>(r#"["somebody@example.com"]"#).unwrap_err();
        assert!(error.to_string().contains("somebody"), "{error}");
        let error = Unreadable::from(error).to_string();
        assert!(!error.contains("somebody") && error.contains("line 1"), "{error}");
    }
}
