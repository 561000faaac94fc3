//! Why a row cannot be decoded.

use crate::domain::LoginError;

/// Why a stored row cannot be decoded. It never contains values of the row: these may be about a
/// person, and errors are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The JSON of a column does not have the expected form.
    #[error("its JSON has another form than expected, at line {line}, column {column}")]
    Json {
        /// The line in the JSON, from 1.
        line: usize,
        /// The column in the line, from 1.
        column: usize,
    },
    /// A body cannot be decompressed.
    #[error("its body cannot be unpacked")]
    Packed,
    /// A newer exporter wrote the row in an unknown form.
    #[error("it was written by a newer exporter, in the form {0}, which is not known here")]
    Form(i64),
    /// A moment is out of range.
    #[error("a moment is out of range")]
    Moment,
    /// A text is not one of a closed list of values, such as outcomes.
    #[error("its {0} is not known here")]
    Unknown(&'static str),
    /// A value that every such row has is missing.
    #[error("its {0} is missing")]
    Missing(&'static str),
    /// A login is not valid.
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
