//! Lists that the service does not tell of a user.

use super::Reader;
use crate::{
    domain::{ListField, Timestamp, null_list::NullMeaning},
    store::{
        StoreError,
        row::{Moment, Unreadable},
    },
};

/// A list that is null for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NullList {
    /// Which.
    pub field: ListField,
    /// Since when.
    pub since: Timestamp,
    /// What that means, as it was last judged.
    pub meaning: NullMeaning,
}

impl Reader {
    /// The lists that are null for a user in the latest answers.
    ///
    /// # Errors
    /// When the database fails.
    pub fn null_lists(&self, login: &str) -> Result<Vec<NullList>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT field, since, meaning FROM list_null WHERE login = ?1 ORDER BY field",
        )?;
        let mut rows = select.query([login])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let field = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            let meaning = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
            let unknown = |what| StoreError::corrupt("list_null", login, Unreadable::Unknown(what));
            found.push(NullList {
                field: ListField::parse(field).ok_or_else(|| unknown("field"))?,
                since: row.get::<_, Moment>(1)?.0,
                meaning: NullMeaning::parse(meaning).ok_or_else(|| unknown("meaning"))?,
            });
        }
        Ok(found)
    }
}
