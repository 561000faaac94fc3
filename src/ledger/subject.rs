//! What a commit touched, for the readers that show it.

use std::collections::BTreeSet;

use super::CheckSet;
use crate::domain::{CheckId, IpAddress, Login};

/// A subject whose rows a commit changed, with or without an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A check: its definition, totals or open failures.
    Check(CheckId),
    /// A user who is or was watched.
    User(Login),
    /// An address that is or was watched.
    Ip(IpAddress),
    /// How many subjects are watched.
    Watched,
    /// Webhook deliveries.
    Webhook,
    /// The figures of the tenant.
    Tenant,
    /// Integrations, administrators, daily counts.
    Service,
}

/// All that a commit touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Subjects whose rows must be read again.
    pub subjects: BTreeSet<Subject>,
    /// People who began or stopped failing a check.
    pub people: Vec<Login>,
    /// Sets of checks whose number of people changed.
    pub check_sets: BTreeSet<CheckSet>,
    /// Whether everything must be read again: checks were merged, renamed or hidden.
    pub is_anew: bool,
}

impl Touched {
    /// Everything must be read again.
    #[must_use]
    pub fn everything() -> Self {
        Self { is_anew: true, ..Self::default() }
    }

    /// The number of items to read again.
    #[must_use]
    pub fn len(&self) -> usize {
        let people = self.people.len() + self.check_sets.len();
        self.subjects.len() + people + usize::from(self.is_anew)
    }

    /// Whether nothing was touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds what a later commit touched.
    pub fn extend(&mut self, later: &Self) {
        self.subjects.extend(later.subjects.iter().cloned());
        self.people.extend(later.people.iter().cloned());
        self.check_sets.extend(later.check_sets.iter().cloned());
        self.is_anew |= later.is_anew;
    }
}
