//! People who fail checks, by severity; `failing` has single failures.

use std::collections::BTreeMap;

use super::Reader;
use crate::{
    domain::{CheckId, Severity},
    ledger::{CheckNumber, CheckSet},
    store::{
        StoreError,
        row::{Unreadable, check_set},
        sql::params,
    },
};

impl Reader {
    /// Passes each open failure to `take`: the user, and the check.
    ///
    /// # Errors
    /// When the database fails.
    pub fn each_open_failure(
        &self,
        mut take: impl FnMut(&str, &CheckId),
    ) -> Result<(), StoreError> {
        let mut ids = BTreeMap::new();
        self.sql().each("SELECT number, id FROM checks WHERE is_hidden = 0", &[], |row| {
            let number: i64 = row.get(0)?;
            ids.insert(number, parse_check_id(number, row.text(1)?)?);
            Ok(())
        })?;
        self.sql().each("SELECT check_number, login FROM failure", &[], |row| {
            if let Some(id) = ids.get(&row.get(0)?) {
                take(row.text(1)?, id);
            }
            Ok(())
        })
    }

    /// Passes each set of failing checks to `take`, with the number of people who fail exactly
    /// these.
    ///
    /// # Errors
    /// When the database fails, or a set cannot be decoded.
    pub fn each_check_set(&self, mut take: impl FnMut(CheckSet, u64)) -> Result<(), StoreError> {
        self.sql().each("SELECT checks, people FROM check_set", &[], |row| {
            let stored = row.text(0)?;
            let checks = check_set::decode(stored)
                .map_err(|error| StoreError::corrupt("check_set", stored, error))?;
            take(checks, row.get(1)?);
            Ok(())
        })
    }

    /// The number of people who fail exactly these checks.
    ///
    /// # Errors
    /// When the database fails.
    pub fn people_of_check_set(&self, checks: &CheckSet) -> Result<u64, StoreError> {
        let sql = "SELECT people FROM check_set WHERE checks = ?1";
        let people =
            self.sql().optional(sql, params![check_set::encode(checks)], |row| row.get(0))?;
        Ok(people.unwrap_or_default())
    }

    /// The severities of visible checks, by number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn severities_by_number(&self) -> Result<BTreeMap<CheckNumber, Severity>, StoreError> {
        let mut found = BTreeMap::new();
        let sql = "SELECT number, severity FROM checks WHERE is_hidden = 0";
        self.sql().each(sql, &[], |row| {
            found.insert(row.get(0)?, Severity::new(row.get(1)?));
            Ok(())
        })?;
        Ok(found)
    }

    /// The severities of all checks, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_severities(&self) -> Result<Vec<(CheckId, Severity)>, StoreError> {
        let sql = "SELECT number, id, severity FROM checks WHERE is_hidden = 0 ORDER BY number";
        self.sql().all(sql, &[], |row| {
            let id = parse_check_id(row.get(0)?, row.text(1)?)?;
            Ok((id, Severity::new(row.get(2)?)))
        })
    }

    /// The number of users who fail at least one check.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_people(&self) -> Result<u64, StoreError> {
        self.sql().count("SELECT failing_people FROM head", &[])
    }
}

/// The id of the check with this number.
fn parse_check_id(number: i64, id: &str) -> Result<CheckId, StoreError> {
    let empty = || StoreError::corrupt("checks", &number, Unreadable::Missing("id"));
    CheckId::new(id).ok_or_else(empty)
}
