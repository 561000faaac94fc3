//! What follows from the service's own state and from what the walk did: pure.

use std::collections::{BTreeMap, BTreeSet};

use cii_simulator::tenant::{Integration, User};

/// The service's state at a quiet point.
pub struct Truth {
    pub users: BTreeMap<String, User>,
    pub admins: Vec<String>,
    pub integrations: Vec<Integration>,
    pub daily: Option<usize>,
    pub tenant_id: String,
}

/// A login that the service does not know.
#[derive(Default)]
pub struct Stranger {
    /// What was open when it went, and what deliveries opened since. It stays for the 24 hours
    /// of grace, longer than a walk.
    pub fails: BTreeSet<String>,
    /// Its last snapshot: that stays for as long.
    pub snapshot: Option<User>,
}

/// The words of a check.
#[derive(Clone)]
pub struct Words {
    pub title: String,
    pub severity: String,
}

/// What the walk did.
#[derive(Default)]
pub struct Model {
    pub configured: BTreeSet<String>,
    pub commanded: BTreeSet<String>,
    pub ips: BTreeSet<String>,
    pub commanded_ips: BTreeSet<String>,
    /// Ids that count; empty: all.
    pub filter: BTreeSet<String>,
    pub words: BTreeMap<String, Words>,
    /// Users whom accepted deliveries named. None leaves within a day.
    pub named: BTreeSet<String>,
    pub strangers: BTreeMap<String, Stranger>,
    pub was_delivered: bool,
    /// Where the log stood each time that a check was filtered out: what ended after it
    /// ended in silence.
    pub hidden_at: BTreeMap<String, Vec<usize>>,
}

impl Model {
    pub fn admits(&self, check: &str) -> bool {
        self.filter.is_empty() || self.filter.contains(check)
    }

    /// The checks that are filtered out are so since this place in the log.
    pub fn hide(&mut self, position: usize) {
        let hidden: Vec<_> = self.words.keys().filter(|id| !self.admits(id)).cloned().collect();
        for id in hidden {
            self.hidden_at.entry(id).or_default().push(position);
        }
    }

    /// Whether a check was filtered out between two places in the log.
    pub fn was_hidden(&self, check: &str, from: usize, to: usize) -> bool {
        let hidden = self.hidden_at.get(check).into_iter().flatten();
        hidden.into_iter().any(|position| (from + 1..=to).contains(position))
    }

    pub fn listed(&self) -> BTreeSet<&String> {
        self.configured.union(&self.commanded).collect()
    }

    pub fn listed_ips(&self) -> BTreeSet<&String> {
        self.ips.union(&self.commanded_ips).collect()
    }

    pub fn is_asked(&self, login: &str) -> bool {
        self.configured.contains(login)
            || self.commanded.contains(login)
            || self.named.contains(login)
    }

    /// An accepted delivery: one that the filter let through.
    pub fn delivered(&mut self, check: &str, words: Words, logins: &[String], truth: &Truth) {
        self.was_delivered = true;
        if !self.admits(check) {
            return;
        }
        self.words.insert(check.to_owned(), words);
        for login in logins {
            let login = login.to_ascii_lowercase();
            if !truth.users.contains_key(&login) {
                let stranger = self.strangers.entry(login.clone()).or_default();
                stranger.fails.insert(check.to_owned());
            }
            self.named.insert(login);
        }
    }

    /// The service knows the login no longer. Nothing about the user changed since the last
    /// quiet point, so that what was known then is what is kept.
    pub fn removed(&mut self, user: User) {
        let snapshot = self.is_asked(&user.login).then(|| user.clone());
        let stranger = Stranger { fails: user.failing_checks, snapshot };
        self.strangers.insert(user.login, stranger);
    }

    /// Who fails what, whatever the filter.
    pub fn failures<'a>(&'a self, truth: &'a Truth) -> BTreeMap<&'a str, &'a BTreeSet<String>> {
        let known = truth.users.values().map(|user| (user.login.as_str(), &user.failing_checks));
        let unknown = self.strangers.iter().map(|(login, one)| (login.as_str(), &one.fails));
        known.chain(unknown).collect()
    }

    /// What a user is shown to fail.
    pub fn fails(&self, login: &str, truth: &Truth) -> BTreeSet<String> {
        let failures = self.failures(truth);
        let all = failures.get(login).map(|checks| (*checks).clone()).unwrap_or_default();
        all.into_iter().filter(|check| self.admits(check)).collect()
    }

    /// The users whom a check is shown of.
    pub fn failing(&self, check: &str, truth: &Truth) -> BTreeSet<String> {
        let failures = self.failures(truth).into_iter();
        let failing = failures.filter(|(_, checks)| checks.contains(check));
        failing.map(|(login, _)| login.to_owned()).collect()
    }

    /// The current snapshot of a user who is asked about.
    pub fn snapshot<'a>(&'a self, login: &str, truth: &'a Truth) -> Option<&'a User> {
        let of_stranger = || self.strangers.get(login)?.snapshot.as_ref();
        let user = truth.users.get(login).or_else(of_stranger)?;
        self.is_asked(login).then_some(user)
    }
}
