//! Finds users, checks and addresses by a part of their names.
//!
//! A login that begins with the text is found by the primary key at once. Other searches are
//! limited by rows: those of 700,000 open failures of 100,000 users take about 100 ms.

use std::{collections::BTreeSet, ops::ControlFlow};

use super::Reader;
use crate::{
    domain::{CheckId, Login, Severity},
    store::{StoreError, row::user_state::NAME, sql::params},
};

/// Maximum number of open failures whose logins are searched.
const FAILURES: i64 = 1_000_000;

/// Maximum number of snapshots, and of checks, whose names are searched.
const NAMES: i64 = 100_000;

/// The results, up to the limit of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Users by login.
    pub users: Vec<FoundUser>,
    /// Checks by title.
    pub checks: Vec<FoundCheck>,
    /// Addresses.
    pub ips: Vec<String>,
}

/// A user with stored state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundUser {
    /// The login, as the service spells it.
    pub login: Login,
    /// The user's name, if known.
    pub name: Option<String>,
    /// Checks that the user fails now.
    pub failing_checks: u64,
}

/// A visible check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCheck {
    /// Its id.
    pub id: CheckId,
    /// Its title for people.
    pub title: String,
    /// Its severity now.
    pub severity: Severity,
    /// Users who fail it now.
    pub failing: u64,
}

impl Reader {
    /// Users, checks and addresses with this text in their names, up to `limit` of each kind. Users
    /// whose login begins with it come first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(&self, text: &str, limit: usize) -> Result<Found, StoreError> {
        let needle = text.trim().to_lowercase();
        if needle.is_empty() {
            return Ok(Found::default());
        }
        Ok(Found {
            users: self.find_users(text.trim(), &needle, limit)?,
            checks: self.find_checks(&needle, limit)?,
            ips: self.find_ips(&needle, limit)?,
        })
    }

    fn find_users(
        &self,
        text: &str,
        needle: &str,
        limit: usize,
    ) -> Result<Vec<FoundUser>, StoreError> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        // Logins that are no e-mail addresses are stored as they are written.
        let mut logins = self.logins_from(text, limit)?;
        logins.extend(self.logins_from(needle, limit)?);
        self.add_users(logins, &mut seen, &mut found)?;
        if found.len() < limit {
            let logins = self.logins_with(text, needle, limit)?;
            self.add_users(logins, &mut seen, &mut found)?;
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Adds users that have stored state, in their order.
    fn add_users(
        &self,
        mut logins: Vec<String>,
        seen: &mut BTreeSet<String>,
        found: &mut Vec<FoundUser>,
    ) -> Result<(), StoreError> {
        logins.retain(|login| seen.insert(login.clone()));
        let logins: Vec<_> = logins.iter().map(String::as_str).collect();
        let failing = self.count_failing_checks_of(&logins)?;
        let names = self.names_and_statuses(&logins)?;
        let watched = self.watched_of("user", &logins)?;
        // A failure of a hidden check alone does not count.
        let is_known = |login: &&str| {
            failing.contains_key(*login) || names.contains_key(*login) || watched.contains(*login)
        };
        let known: Vec<_> = logins.into_iter().filter(is_known).collect();
        for login in self.logins_in_spelling(&known)? {
            let (name, _) = names.get(login.as_str()).cloned().unwrap_or_default();
            let name = name.filter(|name| !name.is_empty());
            let failing_checks = failing.get(login.as_str()).copied().unwrap_or_default();
            found.push(FoundUser { login, name, failing_checks });
        }
        Ok(())
    }

    /// Logins that begin with a text, from ranges of primary keys.
    fn logins_from(&self, begin: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        // A text after all texts with this prefix.
        let end = format!("{begin}\u{10ffff}");
        self.sql().texts(
            "SELECT login FROM (
                SELECT login FROM (
                    SELECT DISTINCT login FROM failure WHERE login >= ?1 AND login < ?2
                    ORDER BY login LIMIT ?3) AS failing
                UNION SELECT login FROM (
                    SELECT login FROM user_snapshot WHERE login >= ?1 AND login < ?2
                    ORDER BY login LIMIT ?3) AS asked
                UNION SELECT subject FROM (
                    SELECT DISTINCT subject FROM watch
                    WHERE kind = 'user' AND subject >= ?1 AND subject < ?2
                    ORDER BY subject LIMIT ?3) AS watched) AS known
             ORDER BY login LIMIT ?3",
            params![begin, end, limit],
        )
    }

    /// Logins that contain a text, or whose user's name does, within the limits of rows.
    fn logins_with(
        &self,
        text: &str,
        needle: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        // By name first: users with a name have the most state. Logins that were found by their
        // prefix can be among them, hence twice the limit.
        let limit = limit.saturating_mul(2);
        let mut found = self.logins_by_name(needle, limit)?;
        // In SQL, because there can be a million rows; it folds ASCII case, as logins do.
        let pattern = pattern(text);
        for (rows, most) in [
            ("SELECT subject AS login FROM watch WHERE kind = 'user' ORDER BY subject", NAMES),
            ("SELECT login FROM failure ORDER BY login", FAILURES),
        ] {
            let sql = format!(
                "SELECT DISTINCT login FROM ({rows} LIMIT ?2) AS known
                 WHERE login LIKE ?1 ESCAPE '\\' LIMIT ?3"
            );
            found.extend(self.sql().texts(&sql, params![pattern, most, limit])?);
        }
        Ok(found)
    }

    /// Logins of snapshots whose user's name contains a text, ignoring case in every script.
    fn logins_by_name(&self, needle: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        self.sql().query(
            &format!(
                "SELECT login, coalesce({NAME}, '') FROM user_snapshot ORDER BY login LIMIT ?1"
            ),
            params![NAMES],
            &mut |row| {
                let (login, name) = (row.text(0)?, row.text(1)?);
                if contains_folded(name, needle) || contains_folded(login, needle) {
                    found.push(login.to_owned());
                }
                let is_enough = found.len() >= limit;
                Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            },
        )?;
        Ok(found)
    }

    fn find_checks(&self, needle: &str, limit: usize) -> Result<Vec<FoundCheck>, StoreError> {
        let mut found = Vec::new();
        let sql = "SELECT id, title, severity, open FROM checks WHERE is_hidden = 0
                   ORDER BY number LIMIT ?1";
        self.sql().each(sql, params![NAMES], |row| {
            let (id, title) = (row.text(0)?, row.text(1)?);
            if let Some(id) = CheckId::new(id)
                .filter(|id| contains_folded(id.as_str(), needle) || contains_folded(title, needle))
            {
                let severity = Severity::new(row.get(2)?);
                let (title, failing) = (title.to_owned(), row.get(3)?);
                found.push(FoundCheck { id, title, severity, failing });
            }
            Ok(())
        })?;
        found.sort_by(|a, b| {
            let order = |check: &FoundCheck| {
                (std::cmp::Reverse(check.severity.rank()), check.title.clone())
            };
            order(a).cmp(&order(b))
        });
        found.truncate(limit);
        Ok(found)
    }

    /// Checks with their titles, those that most users fail first, as suggestions for a form field.
    ///
    /// # Errors
    /// When the database fails.
    pub fn known_checks(&self, limit: usize) -> Result<Vec<(String, String)>, StoreError> {
        self.sql().all(
            "SELECT id, title FROM checks WHERE is_hidden = 0 ORDER BY open DESC, id LIMIT ?1",
            params![limit],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Addresses that begin with a text, from ranges of primary keys.
    fn find_ips(&self, begin: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let begin = begin
            .parse::<crate::domain::IpAddress>()
            .map_or_else(|_| begin.to_owned(), |ip| ip.to_string());
        let end = format!("{begin}\u{10ffff}");
        self.sql().texts(
            "SELECT ip FROM (
                SELECT ip FROM (
                    SELECT ip FROM ip_snapshot WHERE ip >= ?1 AND ip < ?2 ORDER BY ip LIMIT ?3
                ) AS asked
                UNION SELECT subject FROM (
                    SELECT DISTINCT subject FROM watch
                    WHERE kind = 'ip' AND subject >= ?1 AND subject < ?2
                    ORDER BY subject LIMIT ?3) AS watched) AS known
             ORDER BY ip LIMIT ?3",
            params![begin, end, limit],
        )
    }
}

/// A pattern of `LIKE` for texts that contain a text, whose special characters are escaped.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Whether a text contains another one, which is in lower case.
fn contains_folded(text: &str, needle: &str) -> bool {
    if text.is_ascii() {
        // Without an allocation, because a search compares many logins.
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        return text.windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle));
    }
    text.to_lowercase().contains(needle)
}
