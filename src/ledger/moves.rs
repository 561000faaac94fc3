//! Who goes from one set of failed checks to another.

use std::collections::BTreeMap;

use super::CheckSet;
use crate::domain::Login;

/// Who fails other checks now than what is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Who.
    pub people: Vec<Login>,
    /// How many people more, or fewer, fail just these checks.
    pub by_set: BTreeMap<CheckSet, i64>,
}
