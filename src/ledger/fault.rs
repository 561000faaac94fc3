//! Why a change cannot be applied.

use std::fmt::Debug;

/// Why a change, and only this one, fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A row was found and cannot be understood.
    #[error("the row of {table} with the key {key} cannot be understood: {reason}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The row's key, by which it is found to be mended; it can be a login, as in the
        /// lines about polls.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The change reads a row that its keys do not name: a mistake in the program.
    #[error("a change reads a row of {table} that it did not ask for")]
    NotAsked {
        /// The table.
        table: &'static str,
    },
    /// Deciding panicked: a mistake in the program.
    #[error("a change cannot be decided, because of a mistake in the program")]
    Panicked,
}

impl Fault {
    /// A row that cannot be understood.
    #[must_use]
    pub fn unreadable(table: &'static str, key: &impl Debug, reason: &str) -> Self {
        Self::Unreadable { table, key: format!("{key:?}"), reason: reason.to_owned() }
    }
}
