//! The people who fail checks, by the set of those checks.

use std::collections::BTreeMap;

use super::Facts;
use crate::{
    domain::Login,
    ledger::{CheckSet, Moves},
};

/// A person whose set of failing checks differs from the stored one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moved<'a> {
    login: &'a Login,
    /// The stored set.
    from: CheckSet,
    /// The set after the changes.
    to: CheckSet,
}

impl Facts {
    /// All people whose set of failing checks differs from the stored one.
    ///
    /// It is computed from the failures instead of recorded with each change, so that no code that
    /// opens or ends a failure can forget it. When one failure of a person changes, all of them are
    /// loaded.
    fn moved_people(&self) -> impl Iterator<Item = Moved<'_>> {
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

    pub(super) fn moves(&self) -> Moves {
        let (mut people, mut by_set) = (Vec::new(), BTreeMap::new());
        for Moved { login, from, to } in self.moved_people() {
            people.push(login.clone());
            for (set, people) in [(from, -1), (to, 1)] {
                // People without a failing check are not counted.
                if !set.is_empty() {
                    *by_set.entry(set).or_default() += people;
                }
            }
        }
        by_set.retain(|_, people| *people != 0);
        Moves { people, by_set }
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
            is_announced: true,
            by_title: false,
            is_dated: false,
        }
    }

    /// Facts of people with these stored failing checks.
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
        let Moves { people, by_set } = facts.moves();
        assert_eq!(by_set, BTreeMap::from([(vec![1, 2], 1), (vec![2], -1)]), "a left, c came to 1");
        let people: Vec<_> = people.iter().map(Login::as_str).collect();
        assert_eq!(people, ["a@x", "c@x", "d@x"]);
    }

    #[test]
    fn what_is_confirmed_or_comes_back_moves_nobody() {
        let mut facts = facts(&[("a@x", &[1, 2])]);
        facts.failures.put(key("a@x", 1), Failure { by_title: true, ..failure() });
        facts.failures.remove(&key("a@x", 2));
        facts.failures.put(key("a@x", 2), failure());
        assert_eq!(facts.moves(), Moves::default());
    }
}
