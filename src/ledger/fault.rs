//! Why a change cannot be applied.

use std::fmt::Debug;

use super::CheckNumber;

/// Tables with logins as keys.
const PERSONAL: [&str; 11] = [
    "admin",
    "failure",
    "failure_answer",
    "list_null",
    "listing_member",
    "login",
    "login_spelling",
    "past",
    "poll",
    "user_snapshot",
    "watch",
];

/// A row's name in errors: its key, unless that can be a login. Errors are logged, and logs name no
/// people; the user's page shows whose row it is.
#[must_use]
pub fn row_name(table: &str, key: &str) -> String {
    if PERSONAL.contains(&table) {
        format!("a row of {table}")
    } else {
        format!("the row of {table} with the key {key}")
    }
}

/// Why a single change fails. Other changes of its group are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A row was found and cannot be decoded.
    #[error("{} cannot be understood: {reason}", row_name(table, key))]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The row's key, by which an operator finds it.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The change reads a row that its keys do not name: a bug.
    #[error("a change reads a row of {table} that it did not ask for")]
    NotAsked {
        /// The table.
        table: &'static str,
    },
    /// The change needs all users who fail a check, which shows only when it is applied: another
    /// change of its group caused it. It is applied again alone with these rows loaded, and the
    /// changes after it in the group follow.
    #[error("a change needs everybody who fails the check with the number {check}")]
    NeedsFailures {
        /// The check.
        check: CheckNumber,
    },
    /// The decision panicked: a bug.
    #[error("a change cannot be decided, because of a mistake in the program")]
    Panicked,
}

impl Fault {
    /// A row that cannot be decoded.
    #[must_use]
    pub fn unreadable(table: &'static str, key: &impl Debug, reason: &str) -> Self {
        Self::Unreadable { table, key: format!("{key:?}"), reason: reason.to_owned() }
    }
}
