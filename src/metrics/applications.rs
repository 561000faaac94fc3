//! Counts, for each application, the watched users who use it and who do not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{Login, UserState};

/// The number of watched users who have an application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// Users who did not use it in the past 30 days.
    pub(super) unused: u64,
    /// Users who did.
    pub(super) used: u64,
}

/// The applications of all watched users with a snapshot. A changed user updates only the counts of
/// that user's applications, so that a round costs what changed. Names are interned, because most
/// users share them.
#[derive(Debug, Default)]
pub(super) struct Applications {
    names: Vec<String>,
    index_of: HashMap<String, u32>,
    counts: Vec<Use>,
    of_user: HashMap<Login, Vec<(u32, bool)>>,
}

impl Applications {
    /// Replaces a user's applications by those of the snapshot; `None` removes them. Returns the
    /// applications whose counts may have changed.
    pub(super) fn replace_user(
        &mut self,
        login: &Login,
        state: Option<&UserState>,
    ) -> BTreeSet<String> {
        let before = self.of_user.remove(login).unwrap_or_default();
        let now = state.map(|state| self.index_applications(state)).unwrap_or_default();
        if before == now {
            self.store_user(login, now);
            return BTreeSet::new();
        }
        for (index, used) in &before {
            let count = self.count_mut(*index, *used);
            *count = count.saturating_sub(1);
        }
        for (index, used) in &now {
            *self.count_mut(*index, *used) += 1;
        }
        let touched = before.iter().chain(&now);
        let touched = touched.filter_map(|(index, _)| self.names.get(*index as usize).cloned());
        let touched = touched.collect();
        self.store_user(login, now);
        touched
    }

    /// The counts of an application.
    pub(super) fn usage(&self, name: &str) -> Use {
        let index = self.index_of.get(name);
        index.and_then(|index| self.counts.get(*index as usize)).copied().unwrap_or_default()
    }

    fn store_user(&mut self, login: &Login, applications: Vec<(u32, bool)>) {
        if !applications.is_empty() {
            self.of_user.insert(login.clone(), applications);
        }
    }

    fn count_mut(&mut self, index: u32, used: bool) -> &mut u64 {
        let count = &mut self.counts[index as usize];
        if used { &mut count.used } else { &mut count.unused }
    }

    fn index_applications(&mut self, state: &UserState) -> Vec<(u32, bool)> {
        let sets = [(false, &state.unused_applications), (true, &state.used_applications)];
        let mut found = BTreeMap::new();
        for (used, names) in sets {
            for name in names.iter().flatten() {
                found.insert(self.intern_name(name), used);
            }
        }
        found.into_iter().collect()
    }

    fn intern_name(&mut self, name: &str) -> u32 {
        if let Some(index) = self.index_of.get(name) {
            return *index;
        }
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.index_of.insert(name.to_owned(), index);
        self.counts.push(Use::default());
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(unused: &[&str], used: &[&str]) -> UserState {
        let set = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        UserState {
            unused_applications: set(unused),
            used_applications: set(used),
            ..UserState::default()
        }
    }

    #[test]
    fn counts_follow_who_is_read_anew() {
        let mut all = Applications::default();
        let [a, b] = ["a", "b"].map(|name| Login::new(name).unwrap());
        let touched = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(
            all.replace_user(&a, Some(&state(&["Jira"], &["Slack"]))),
            touched(&["Jira", "Slack"])
        );
        assert_eq!(all.replace_user(&b, Some(&state(&[], &["Jira"]))), touched(&["Jira"]));
        assert_eq!(all.usage("Jira"), Use { unused: 1, used: 1 });
        assert_eq!(all.replace_user(&b, Some(&state(&[], &["Jira"]))), touched(&[]));
        all.replace_user(&a, Some(&state(&[], &["Jira"])));
        assert_eq!(all.usage("Jira"), Use { unused: 0, used: 2 });
        assert_eq!(all.replace_user(&a, None), touched(&["Jira"]));
        assert_eq!(
            (all.usage("Jira"), all.usage("Slack")),
            (Use { unused: 0, used: 1 }, Use::default())
        );
    }
}
