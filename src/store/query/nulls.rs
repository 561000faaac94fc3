//! Lists that are null for a user.

use super::Reader;
use crate::{
    domain::{ListField, Timestamp, null_list::NullMeaning},
    store::{StoreError, row::Unreadable, sql::params},
};

/// A list that is null for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NullList {
    /// The list.
    pub field: ListField,
    /// Since when.
    pub since: Timestamp,
    /// The meaning, as it was last judged.
    pub meaning: NullMeaning,
}

impl Reader {
    /// The lists that are null for a user in the newest answers.
    ///
    /// # Errors
    /// When the database fails.
    pub fn null_lists(&self, login: &str) -> Result<Vec<NullList>, StoreError> {
        let unknown = |what| StoreError::corrupt("list_null", login, Unreadable::Unknown(what));
        self.sql().all(
            "SELECT field, since, meaning FROM list_null WHERE login = ?1 ORDER BY field",
            params![login],
            |row| {
                Ok(NullList {
                    field: ListField::parse(row.text(0)?).ok_or_else(|| unknown("field"))?,
                    since: row.get(1)?,
                    meaning: NullMeaning::parse(row.text(2)?).ok_or_else(|| unknown("meaning"))?,
                })
            },
        )
    }
}
