//! Attributes that a subject no longer has. One that returns within the retention is not new.

use std::collections::{BTreeMap, BTreeSet};

use strum::{EnumString, IntoStaticStr};

use super::Timestamp;

/// The kind of a past attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PastKind {
    /// An address of a user.
    Address,
    /// A country in which a user had an address.
    Country,
    /// A user of an address, by identity.
    User,
}

impl PastKind {
    /// The kind as the store writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The attributes that a subject no longer has, each with when that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past(BTreeMap<(PastKind, String), Timestamp>);

/// Past attributes of one kind that are stored per subject; the oldest are dropped first.
const MOST: usize = 1_000;

impl Past {
    /// Whether the subject had this attribute before.
    #[must_use]
    pub fn contains(&self, kind: PastKind, name: &str) -> bool {
        self.0.contains_key(&(kind, name.to_owned()))
    }

    /// Whether no attribute of a kind is stored.
    #[must_use]
    pub fn is_empty_of(&self, kind: PastKind) -> bool {
        !self.0.keys().any(|(of, _)| *of == kind)
    }

    /// Records an attribute that the subject no longer has.
    pub fn insert(&mut self, kind: PastKind, name: &str, gone_at: Timestamp) {
        self.0.insert((kind, name.to_owned()), gone_at);
    }

    /// Updates the past from what a subject had and what it has now.
    pub fn record_difference(
        &mut self,
        kind: PastKind,
        before: &BTreeSet<&str>,
        now: &BTreeSet<&str>,
        at: Timestamp,
    ) {
        for gone in before.difference(now) {
            self.insert(kind, gone, at);
        }
        self.0.retain(|(of, name), _| *of != kind || !now.contains(name.as_str()));
        let mut of_kind: Vec<_> = self.0.iter().filter(|((of, _), _)| *of == kind).collect();
        if of_kind.len() > MOST {
            of_kind.sort_by_key(|(_, gone_at)| **gone_at);
            let oldest = of_kind[..of_kind.len() - MOST].iter().map(|(key, _)| (*key).clone());
            for key in oldest.collect::<Vec<_>>() {
                self.0.remove(&key);
            }
        }
    }

    /// All past attributes: kind, name, and when the subject was found without it.
    pub fn iter(&self) -> impl Iterator<Item = (PastKind, &str, Timestamp)> {
        self.0.iter().map(|((kind, name), gone_at)| (*kind, name.as_str(), *gone_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_remembered_and_the_oldest_is_forgotten_first() {
        let at = |second| Timestamp::from_timestamp(second, 0).unwrap();
        let kind = PastKind::Address;
        let mut past = Past::default();
        past.record_difference(kind, &["a", "b"].into(), &["b"].into(), at(1));
        assert!(
            past.contains(kind, "a")
                && !past.contains(kind, "b")
                && !past.contains(PastKind::Country, "a")
        );
        past.record_difference(kind, &["b"].into(), &["a", "b"].into(), at(2));
        assert_eq!(past, Past::default());
        past.insert(kind, "first", at(1));
        let names: Vec<_> = (0..MOST).map(|number| number.to_string()).collect();
        past.record_difference(
            kind,
            &names.iter().map(String::as_str).collect(),
            &[].into(),
            at(3),
        );
        assert!(past.contains(kind, "7") && !past.contains(kind, "first"));
    }
}
