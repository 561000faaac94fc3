//! Who fails anything, and how bad it is: people, where `failing` has failures.

use std::collections::BTreeMap;

use super::Reader;
use crate::{
    domain::{CheckId, Severity},
    store::{StoreError, row::Unreadable},
};

impl Reader {
    /// Hands each open failure to `take`: whose, and of which check.
    ///
    /// # Errors
    /// When the database fails.
    pub fn each_open_failure(
        &self,
        mut take: impl FnMut(&str, &CheckId),
    ) -> Result<(), StoreError> {
        let mut ids = BTreeMap::new();
        let mut select =
            self.connection.prepare_cached("SELECT number, id FROM checks WHERE NOT is_hidden")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let id = CheckId::new(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
            let number: i64 = row.get(0)?;
            let empty = || StoreError::corrupt("checks", &number, Unreadable::Missing("id"));
            ids.insert(number, id.ok_or_else(empty)?);
        }
        let mut select =
            self.connection.prepare_cached("SELECT check_number, login FROM failure")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(id) = ids.get(&row.get(0)?) {
                take(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?, id);
            }
        }
        Ok(())
    }

    /// The severities of all checks, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_severities(&self) -> Result<Vec<(CheckId, Severity)>, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT id, severity, number FROM checks WHERE NOT is_hidden")?;
        let mut rows = select.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let id = CheckId::new(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
            let severity = Severity::new(row.get::<_, Option<String>>(1)?.as_deref());
            let number: i64 = row.get(2)?;
            found.push((
                id.ok_or_else(|| {
                    StoreError::corrupt("checks", &number, Unreadable::Missing("id"))
                })?,
                severity,
            ));
        }
        Ok(found)
    }

    /// How many users fail at least one check.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_people(&self) -> Result<u64, StoreError> {
        self.count("SELECT failing_people FROM head", [])
    }
}
