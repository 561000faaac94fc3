//! People, by the checks that they fail.

use std::collections::BTreeMap;

use super::Facts;
use crate::{domain::Login, ledger::CheckSet};

/// Somebody who fails other checks now than what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved<'a> {
    pub(super) login: &'a Login,
    /// What they failed.
    pub(super) from: CheckSet,
    /// What they fail now.
    pub(super) to: CheckSet,
}

impl Facts {
    /// Everybody who fails other checks now than what is stored.
    ///
    /// It is read off the failures, and not noted as they change, so that no way to open or to
    /// end one can forget it: of whoever has one that changes, all are loaded.
    pub(super) fn moved(&self) -> impl Iterator<Item = Moved<'_>> {
        let mut failures = self.failures.presence().peekable();
        std::iter::from_fn(move || {
            loop {
                let login = &failures.peek()?.0.0;
                let (mut from, mut to) = (CheckSet::new(), CheckSet::new());
                while let Some(((_, check), was, is)) =
                    failures.next_if(|((of, _), ..)| of == login)
                {
                    from.extend(was.then_some(*check));
                    to.extend(is.then_some(*check));
                }
                if from != to {
                    debug_assert!(self.complete.contains(login), "all of {login:?} are loaded");
                    return Some(Moved { login, from, to });
                }
            }
        })
    }

    /// How many people more, or fewer, fail just these checks.
    pub(super) fn moved_people(&self) -> BTreeMap<CheckSet, i64> {
        let mut by_set = BTreeMap::new();
        for Moved { from, to, .. } in self.moved() {
            for (set, people) in [(from, -1), (to, 1)] {
                // Who fails nothing is nobody who is counted.
                if !set.is_empty() {
                    *by_set.entry(set).or_default() += people;
                }
            }
        }
        by_set.retain(|_, people| *people != 0);
        by_set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::Timestamp,
        ledger::{Counts, Failure, Head},
    };

    fn failure() -> Failure {
        Failure {
            opened_at: Timestamp::UNIX_EPOCH,
            reported_at: Timestamp::UNIX_EPOCH,
            named_at: None,
            delivery: None,
            is_announced: true,
            by_title: false,
            is_dated: false,
        }
    }

    /// Facts of people, with the checks that are stored as failing.
    fn facts(people: &[(&str, &[i64])]) -> Facts {
        let mut facts = Facts::new(Head::default(), Counts::default());
        for (name, checks) in people {
            let login = Login::new(name).unwrap();
            for check in *checks {
                facts.load_failure(login.clone(), *check, Some(failure()));
            }
            facts.load_complete(login);
        }
        facts
    }

    fn key(name: &str, check: i64) -> (Login, i64) {
        (Login::new(name).unwrap(), check)
    }

    #[test]
    fn whoever_fails_more_or_less_goes_from_one_set_to_another() {
        let mut facts = facts(&[("a@x", &[1]), ("b@x", &[1]), ("c@x", &[]), ("d@x", &[2])]);
        facts.failures.put(key("a@x", 2), failure());
        facts.failures.put(key("c@x", 1), failure());
        facts.failures.remove(&key("d@x", 2));
        let moved = facts.moved_people();
        assert_eq!(moved, BTreeMap::from([(vec![1, 2], 1), (vec![2], -1)]), "a left, c came to 1");
        let people: Vec<_> = facts.moved().map(|moved| moved.login.as_str()).collect();
        assert_eq!(people, ["a@x", "c@x", "d@x"]);
    }

    #[test]
    fn what_is_confirmed_or_comes_back_moves_nobody() {
        let mut facts = facts(&[("a@x", &[1, 2])]);
        facts.failures.put(key("a@x", 1), Failure { by_title: true, ..failure() });
        facts.failures.remove(&key("a@x", 2));
        facts.failures.put(key("a@x", 2), failure());
        assert_eq!((facts.moved().count(), facts.moved_people()), (0, BTreeMap::new()));
    }
}
