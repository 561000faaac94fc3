//! Work on many rows in slices: the requested range, and the rows that come next.
//!
//! The store says whether more rows follow, because it saw them as they are stored. The number of
//! decoded rows does not show it: rows that cannot be decoded are left out.

use crate::domain::Login;

use super::CheckNumber;

/// Users in the order of their logins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The stored text after which the slice begins; none to begin with the first row.
    pub after: Option<String>,
    /// The maximum number of rows.
    pub limit: usize,
}

/// The users of a [`Slice`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextUsers {
    /// The users whose stored login can be decoded, in order.
    pub users: Vec<Login>,
    /// The stored text of the last row, whether or not it can be decoded; none when no row is left.
    pub upto: Option<String>,
    /// Whether no row follows.
    pub is_last: bool,
}

impl NextUsers {
    /// Makes the result of a slice from its stored texts, which are in order and within its limit.
    #[must_use]
    pub fn from_texts(texts: Vec<String>, limit: usize) -> Self {
        Self {
            users: texts.iter().filter_map(|text| stored_login(text)).collect(),
            is_last: texts.len() < limit.max(1),
            upto: texts.into_iter().next_back(),
        }
    }
}

/// Users who fail the requested check, those with the oldest failure first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextFailing {
    /// The users whose stored login can be decoded.
    pub users: Vec<Login>,
    /// Whether no other user fails the check.
    pub is_last: bool,
}

/// A range of events of the log, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSlice {
    /// The number after which the slice begins.
    pub after: i64,
    /// The maximum number of events or rows.
    pub limit: usize,
}

/// Parked events of an [`EventSlice`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextParked {
    /// Their numbers, in order.
    pub events: Vec<i64>,
    /// Whether no parked event follows.
    pub is_last: bool,
}

/// Ended failures under the number of a check that was merged with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextMoving {
    /// The check that was removed.
    pub from: CheckNumber,
    /// The check that they are moved to.
    pub into: CheckNumber,
    /// The numbers of the rows.
    pub rows: Vec<i64>,
    /// Whether no such row is left besides these.
    pub is_last: bool,
}

/// The login in a column, which holds the identity; none when the text cannot be a login.
#[must_use]
pub fn stored_login(text: &str) -> Option<Login> {
    Login::new(text).ok().filter(|login| login.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_left_out_and_counts() {
        let texts = || ["a@x", "B@x", "\u{1}"].map(str::to_owned).to_vec();
        let next = NextUsers::from_texts(texts(), 3);
        assert_eq!(next.users, [Login::new("a@x").unwrap()]);
        assert_eq!((next.upto.as_deref(), next.is_last), (Some("\u{1}"), false));
        assert!(
            NextUsers::from_texts(texts(), 4).is_last
                && NextUsers::from_texts(Vec::new(), 0).is_last
        );
    }
}
