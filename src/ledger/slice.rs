//! Work on many rows, some of them at a time: what is asked for, and what comes next.
//!
//! Whether more rows come says the store, which saw them as they are stored. The number of those
//! that can be understood does not tell: one that cannot be is left out.

use crate::domain::Login;

use super::CheckNumber;

/// Users in the order of their logins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The stored text after which the slice begins; none begins it with the first.
    pub after: Option<String>,
    /// How many rows it has at most.
    pub limit: usize,
}

/// The users of a [`Slice`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextUsers {
    /// Those whose stored login can be read, in order.
    pub users: Vec<Login>,
    /// The stored text of the last one, whether or not it can be read. None where nobody is left.
    pub upto: Option<String>,
    /// Whether nobody comes after them.
    pub is_last: bool,
}

impl NextUsers {
    /// What a slice has whose stored texts, in order and no more than its limit, are these.
    #[must_use]
    pub fn from_texts(texts: Vec<String>, limit: usize) -> Self {
        Self {
            users: texts.iter().filter_map(|text| stored_login(text)).collect(),
            is_last: texts.len() < limit.max(1),
            upto: texts.into_iter().next_back(),
        }
    }
}

/// Users who fail the check that was asked for, those first who fail it for the longest time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextFailing {
    /// Those whose stored login can be read.
    pub users: Vec<Login>,
    /// Whether no such user is left besides them.
    pub is_last: bool,
}

/// Events of a log by their numbers, some at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSlice {
    /// The number after which the slice begins.
    pub after: i64,
    /// How many numbers, or rows, it has at most.
    pub limit: usize,
}

/// Parked events of an [`EventSlice`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextParked {
    /// Their numbers, in order.
    pub events: Vec<i64>,
    /// Whether none comes after them.
    pub is_last: bool,
}

/// Failures that ended under the number of a check that was merged with another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextMoving {
    /// The number of the check that is no more.
    pub from: CheckNumber,
    /// The check that it turned out to be.
    pub into: CheckNumber,
    /// The numbers of the rows.
    pub rows: Vec<i64>,
    /// Whether no such row is left besides them.
    pub is_last: bool,
}

/// The login that a column has, which is the identity; nothing when it can be nobody's.
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
