//! The service itself, as it was last seen.

use rusqlite::{Connection, OptionalExtension};

use super::Reader;
use crate::{
    domain::{Admin, Integration, Login, Timestamp},
    store::{StoreError, moment::from_micros},
};

/// All that is shown of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Its integrations.
    pub integrations: Vec<Integration>,
    /// Its administrators, with the moment they were looked at; nothing before
    /// that.
    pub admins: Option<(Timestamp, Vec<Admin>)>,
    /// The newest day's count of failing checks.
    pub daily_failures: Option<u64>,
}

impl Reader {
    /// All that is shown of the service.
    ///
    /// # Errors
    /// When the database fails.
    pub fn service(&self) -> Result<ServiceView, StoreError> {
        let admins = match (seen(&self.connection, "admins")?, admins(&self.connection)?) {
            (Some((at, _)), Some(admins)) => Some((at, admins)),
            _ => None,
        };
        Ok(ServiceView {
            integrations: integrations(&self.connection)?,
            admins,
            daily_failures: seen(&self.connection, "daily_failures")?.and_then(|(_, n)| n),
        })
    }
}

/// When a part of the service was last seen, with its number.
fn seen(
    connection: &Connection,
    part: &str,
) -> Result<Option<(Timestamp, Option<u64>)>, StoreError> {
    let row = connection
        .prepare_cached("SELECT seen_at, number FROM service_seen WHERE part = ?1")?
        .query_row([part], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(at, number)| Ok((from_micros(at)?, number))).transpose()
}

/// The integrations.
pub(in crate::store) fn integrations(
    connection: &Connection,
) -> Result<Vec<Integration>, StoreError> {
    let mut select = connection
        .prepare_cached("SELECT id, name, status, date, error FROM integration ORDER BY id")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Integration {
            id: row.get(0)?,
            name: row.get(1)?,
            status: row.get(2)?,
            date: Some(row.get(3)?).filter(|date| *date != 0).map(from_micros).transpose()?,
            error: row.get(4)?,
        });
    }
    Ok(found)
}

/// The administrators; nothing when nobody ever looked.
pub(in crate::store) fn admins(connection: &Connection) -> Result<Option<Vec<Admin>>, StoreError> {
    if seen(connection, "admins")?.is_none() {
        return Ok(None);
    }
    let mut select = connection
        .prepare_cached("SELECT login, display_name, last_sign_in_at FROM admin ORDER BY login")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let login: String = row.get(0)?;
        found.push(Admin {
            login: Login::new(&login).map_err(|_| StoreError::Corrupt("login"))?,
            display_name: row.get(1)?,
            last_sign_in: row.get::<_, Option<i64>>(2)?.map(from_micros).transpose()?,
        });
    }
    Ok(Some(found))
}
