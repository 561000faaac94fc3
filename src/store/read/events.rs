//! The log, from a cursor on.

use rusqlite::{Row, params};

use super::Reader;
use crate::{
    domain::{CheckId, Event, EventName, Login, Severity},
    store::{StoreError, moment::from_micros},
};

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number: rising, never used twice.
    pub seq: i64,
    /// Its id for receivers: unique over all stores, the same on every repeat.
    pub uid: String,
    /// What happened.
    pub event: Event,
}

/// What an event is about, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subjects {
    /// Its number.
    pub seq: i64,
    /// What kind of happening.
    pub name: EventName,
    /// The check it concerns.
    pub check_id: Option<String>,
    /// The user it concerns.
    pub login: Option<String>,
    /// The address it concerns.
    pub ip: Option<String>,
    /// The application it concerns.
    pub application: Option<String>,
}

impl Reader {
    /// The number of the newest event; 0 before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_seq(&self) -> Result<i64, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT coalesce(max(seq), 0) FROM event")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// What the events after `seq` are about, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub fn subjects_after(&self, seq: i64, limit: usize) -> Result<Vec<Subjects>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, name, check_id, login, ip, application
             FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let mut rows = statement.query(params![seq, i64::try_from(limit).unwrap_or(i64::MAX)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Subjects {
                seq: row.get(0)?,
                name: name(text(row, 1)?)?,
                check_id: row.get(2)?,
                login: row.get(3)?,
                ip: row.get(4)?,
                application: row.get(5)?,
            });
        }
        Ok(found)
    }
}

/// The columns that [`stored`] reads, in its order.
pub(super) const COLUMNS: &str = "seq, name, check_id, login, ip, application, \
     happened_at, observed_at, severity, body, attributes";

/// An event from a row of [`COLUMNS`].
pub(super) fn stored(row: &Row<'_>, store_id: &str) -> Result<StoredEvent, StoreError> {
    let seq = row.get(0)?;
    Ok(StoredEvent { seq, uid: format!("{store_id}-{seq}"), event: event(row)? })
}

/// The bytes of the texts in a row of [`COLUMNS`] that grow with what is said. JSON takes
/// about as many for the attributes as protobuf does.
pub(super) fn size(row: &Row<'_>) -> Result<usize, StoreError> {
    Ok(text(row, 9)?.len() + text(row, 10)?.len())
}

/// A text, without a copy.
fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, StoreError> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

fn name(text: &str) -> Result<EventName, StoreError> {
    EventName::parse(text).ok_or(StoreError::Corrupt("event name"))
}

fn event(row: &Row<'_>) -> Result<Event, StoreError> {
    let login: Option<String> = row.get(3)?;
    Ok(Event {
        name: name(text(row, 1)?)?,
        check_id: row.get::<_, Option<String>>(2)?.as_deref().and_then(CheckId::new),
        login: login
            .map(|text| Login::new(&text).map_err(|_| StoreError::Corrupt("login")))
            .transpose()?,
        ip: row.get(4)?,
        application: row.get(5)?,
        happened_at: from_micros(row.get(6)?)?,
        observed_at: from_micros(row.get(7)?)?,
        severity: Severity::new(row.get::<_, Option<String>>(8)?.as_deref()),
        body: row.get(9)?,
        attributes: serde_json::from_str(text(row, 10)?)
            .map_err(|_| StoreError::Corrupt("set of attributes"))?,
    })
}
