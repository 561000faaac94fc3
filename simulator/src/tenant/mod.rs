//! The tenant: its users and checks, without any I/O.

mod change;
mod check;
mod integration;
mod place;
mod seed;
mod user;
mod words;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rand::rngs::SmallRng;

pub use change::Change;
pub use check::Check;
pub use integration::Integration;
pub use place::{IpAddress, Location, WorkingLocation};
pub use user::{Device, SignIn, User};

/// Everything that the service knows. Users are kept in the order of their logins.
#[derive(Debug)]
pub struct Tenant {
    /// The account number that webhook deliveries carry.
    pub account: String,
    /// The id of the tenant, the first part of a delivery's source.
    pub id: String,
    /// The region that webhook deliveries carry.
    pub region: String,
    /// Whether `failingChecks` names checks by title instead of by id.
    pub failing_checks_by_title: bool,
    /// Failing users in total, day by day, the newest last.
    pub daily_failing: Vec<(String, usize)>,
    /// The logins of the tenant's administrators.
    pub admins: Vec<String>,
    /// The service's integrations with the tenant's systems.
    pub integrations: Vec<Integration>,
    users: BTreeMap<String, User>,
    checks: BTreeMap<String, Check>,
    newly_failing: BTreeMap<String, Vec<String>>,
    /// When failures that began while the tenant was watched did so, by login and check.
    failing_since: BTreeMap<(String, String), DateTime<Utc>>,
    addresses: Vec<IpAddress>,
    rng: SmallRng,
}

impl Tenant {
    /// A tenant made from a seed: the same seed, number of users and moment give the same tenant.
    ///
    /// The first user is always `alice@example.com`, and one of the addresses that many users
    /// share is always `203.0.113.7`.
    #[must_use]
    pub fn seeded(seed: u64, users: usize, now: DateTime<Utc>) -> Self {
        seed::tenant(seed, users, now)
    }

    /// All users, by login.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// The number of users.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.users.len()
    }

    /// All logins, sorted.
    #[must_use]
    pub fn logins(&self) -> Vec<String> {
        self.users.keys().cloned().collect()
    }

    /// The user with this login, e-mail addresses in any case.
    #[must_use]
    pub fn user(&self, login: &str) -> Option<&User> {
        self.users.get(&normal(login))
    }

    /// The user with this login, to be changed. The login itself must stay as it is.
    pub fn user_mut(&mut self, login: &str) -> Option<&mut User> {
        self.users.get_mut(&normal(login))
    }

    /// Adds a user, in place of the one of the same login if there is one, which is returned.
    pub fn add_user(&mut self, mut user: User) -> Option<User> {
        user.login = normal(&user.login);
        self.users.insert(user.login.clone(), user)
    }

    /// Removes a user: the service knows nothing of the login from now on.
    pub fn remove_user(&mut self, login: &str) -> Option<User> {
        let login = normal(login);
        for waiting in self.newly_failing.values_mut() {
            waiting.retain(|other| *other != login);
        }
        self.users.remove(&login)
    }

    /// The users seen at an address, by login.
    pub fn users_at<'a>(&'a self, ip_address: &'a str) -> impl Iterator<Item = &'a User> {
        self.users.values().filter(move |user| user.has_ip(ip_address))
    }

    /// Every address that someone was seen at with the number of users there, the busiest first.
    #[must_use]
    pub fn busiest_addresses(&self) -> Vec<(String, usize)> {
        let mut counts = BTreeMap::<&str, usize>::new();
        for address in self.users.values().flat_map(|user| &user.ip_addresses) {
            *counts.entry(&address.ip_address).or_default() += 1;
        }
        let mut busiest: Vec<_> = counts.into_iter().map(|(ip, n)| (ip.to_owned(), n)).collect();
        busiest.sort_by_key(|(_, users)| std::cmp::Reverse(*users));
        busiest
    }

    /// All checks, by id.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.values()
    }

    /// The check with this id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.get(id)
    }

    /// The check with this id, to be renamed or rated anew.
    pub fn check_mut(&mut self, id: &str) -> Option<&mut Check> {
        self.checks.get_mut(id)
    }

    /// Adds a check, in place of the one of the same id if there is one, which is returned.
    pub fn add_check(&mut self, check: Check) -> Option<Check> {
        self.checks.insert(check.id.clone(), check)
    }

    /// The users who fail a check now, by login.
    pub fn failing<'a>(&'a self, check_id: &'a str) -> impl Iterator<Item = &'a User> {
        self.users.values().filter(move |user| user.failing_checks.contains(check_id))
    }

    /// Makes a user fail a check or stop failing it. A user who starts failing waits for the next
    /// webhook delivery; one who stops before it went out is not named in it.
    ///
    /// Returns whether that changed anything: not for an unknown user, and not twice.
    pub fn set_failing(&mut self, login: &str, check_id: &str, failing: bool) -> bool {
        let login = normal(login);
        let Some(user) = self.users.get_mut(&login) else { return false };
        if failing {
            let new = user.failing_checks.insert(check_id.to_owned());
            if new {
                let since = (login.clone(), check_id.to_owned());
                self.failing_since.insert(since, crate::clock::now());
                self.newly_failing.entry(check_id.to_owned()).or_default().push(login);
            }
            new
        } else {
            if let Some(waiting) = self.newly_failing.get_mut(check_id) {
                waiting.retain(|other| *other != login);
            }
            self.failing_since.remove(&(login, check_id.to_owned()));
            user.failing_checks.remove(check_id)
        }
    }

    /// The ids of the checks that a user failed at a moment, as far as they are failed still.
    pub(crate) fn failing_checks<'a>(
        &'a self,
        user: &'a User,
        at: DateTime<Utc>,
    ) -> impl Iterator<Item = &'a str> {
        user.failing_checks.iter().map(String::as_str).filter(move |id| {
            let key = (user.login.clone(), (*id).to_owned());
            self.failing_since.get(&key).is_none_or(|since| *since <= at)
        })
    }

    /// Who fails what: the users with at least one failure, with the ids of their checks.
    #[must_use]
    pub fn failures(&self) -> BTreeMap<String, Vec<String>> {
        self.users
            .values()
            .filter(|user| !user.failing_checks.is_empty())
            .map(|user| (user.login.clone(), user.failing_checks.iter().cloned().collect()))
            .collect()
    }

    /// Takes what waits for the next webhook delivery: newly failing logins by check.
    pub fn take_newly_failing(&mut self) -> BTreeMap<String, Vec<String>> {
        let mut taken = std::mem::take(&mut self.newly_failing);
        taken.retain(|_, logins| !logins.is_empty());
        taken
    }

    /// Makes some random changes, as time would, and says what they were.
    pub fn change(&mut self, count: usize, now: DateTime<Utc>) -> Vec<Change> {
        change::some(self, count, now)
    }
}

/// The service writes e-mail logins in lower case and leaves bare names alone.
fn normal(login: &str) -> String {
    if login.contains('@') { login.to_lowercase() } else { login.to_owned() }
}

#[cfg(test)]
mod tests;
