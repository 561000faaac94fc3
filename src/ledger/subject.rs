//! What a commit touched, for whoever shows it.

use std::collections::BTreeSet;

use super::CheckSet;
use crate::domain::{CheckId, IpAddress, Login};

/// Something whose rows a commit changed, with or without an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A check: its words, totals or open failures.
    Check(CheckId),
    /// A user who is watched, or was.
    User(Login),
    /// An address that is watched, or was.
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
    /// Whose rows are to be read again.
    pub subjects: BTreeSet<Subject>,
    /// Who began, or ceased, to fail something.
    pub people: Vec<Login>,
    /// Sets of checks that more people fail, or fewer.
    pub check_sets: BTreeSet<CheckSet>,
    /// Whether everything is to be read anew: checks became others, or are hidden.
    pub is_anew: bool,
}

impl Touched {
    /// Everything is to be read anew.
    #[must_use]
    pub fn everything() -> Self {
        Self { is_anew: true, ..Self::default() }
    }

    /// How much there is to follow.
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
