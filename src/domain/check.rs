//! A check: one of the rules that the service holds users against.

use std::{fmt, sync::Arc};

use super::{Severity, Timestamp};

/// A check's id, a short slug such as `no-mfa`. It stays when a tenant renames
/// or re-rates the check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(Arc<str>);

impl CheckId {
    /// Takes an id; `None` when the text is empty.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a tenant says of a check; the newest delivery's words hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckDefinition {
    /// For people; the id when the service gave none.
    pub title: String,
    /// How bad failing it is.
    pub severity: Severity,
    /// What it looks for, a sentence an item.
    pub description: Vec<String>,
    /// What the service advises to do.
    pub recommended_actions: Vec<String>,
    /// When the delivery that said so was published.
    pub as_of: Timestamp,
}
