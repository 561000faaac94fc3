//! Why a change cannot be applied.

use std::fmt::Debug;

use super::CheckNumber;

/// Tables whose rows are about people: their keys are logins.
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

/// A row as errors name it: by its key, unless that can be a login. Errors go into logs, which
/// name nobody; whose row it is shows where the user is asked for.
#[must_use]
pub fn row_name(table: &str, key: &str) -> String {
    if PERSONAL.contains(&table) {
        format!("a row of {table}")
    } else {
        format!("the row of {table} with the key {key}")
    }
}

/// Why a change, and only this one, fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A row was found and cannot be understood.
    #[error("{} cannot be understood: {reason}", row_name(table, key))]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The row's key, by which it is found to be mended.
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
    /// The change needs everybody who fails a check, which only applying it told: another
    /// change of its group made it so. It is applied again, alone, with these loaded, and what comes
    /// behind it in the group after it.
    #[error("a change needs everybody who fails the check with the number {check}")]
    NeedsFailures {
        /// The check.
        check: CheckNumber,
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
