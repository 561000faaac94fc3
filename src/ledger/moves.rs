//! People who move from one set of failing checks to another.

use std::collections::BTreeMap;

use super::CheckSet;
use crate::domain::Login;

/// The people whose set of failing checks changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Who.
    pub people: Vec<Login>,
    /// By how much the number of people who fail exactly these checks changes.
    pub by_set: BTreeMap<CheckSet, i64>,
}
