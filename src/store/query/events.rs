//! The log, from a cursor on.

use std::sync::Arc;

use uuid::Uuid;

use super::Reader;
use crate::{
    domain::{
        AttributeValue, Attributes, CheckId, Event, EventName, Login, Severity, event::key, failure,
    },
    store::{
        StoreError,
        row::{Unreadable, attributes, texts},
        sql::{Row, params},
    },
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

impl Reader {
    /// The number of the newest event; 0 before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_seq(&self) -> Result<i64, StoreError> {
        self.sql().one("SELECT event FROM head", &[], |row| row.get(0))
    }
}

/// The columns that a [`Decoder`] reads, in its order.
pub(super) const COLUMNS: &str = "seq, name, check_id, login, ip, application, happened_at, \
     observed_at, e.severity, body, attributes, context, check_version, uid";

/// About what the attributes that the events of a delivery share take, in bytes.
const SHARED: usize = 512;

/// The log; columns that other tables have, too, are named with the letter.
pub(super) const EVENTS: &str = "event AS e";

/// Makes events of rows. What many of them share is read and decoded once.
pub(super) struct Decoder<'a> {
    reader: &'a Reader,
    store_id: String,
    of_delivery: Option<(i64, Arc<Attributes>)>,
    of_check: Option<((String, i64), Arc<Attributes>)>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(reader: &'a Reader) -> Result<Self, StoreError> {
        let store_id = reader.store_id()?;
        Ok(Self { reader, store_id, of_delivery: None, of_check: None })
    }

    /// An event from a row of [`COLUMNS`].
    pub(super) fn decode_stored(&mut self, row: &Row<'_>) -> Result<StoredEvent, StoreError> {
        let seq = row.get(0)?;
        let uid = match row.get::<Option<[u8; 16]>>(13)? {
            Some(bytes) => Uuid::from_bytes(bytes).to_string(),
            // Events of older versions have ids that follow from their numbers.
            None => format!("{}-{seq}", self.store_id),
        };
        Ok(StoredEvent { seq, uid, event: self.decode_event(row)? })
    }

    fn decode_event(&mut self, row: &Row<'_>) -> Result<Event, StoreError> {
        let text = |column| row.get::<Option<&str>>(column);
        let seq: i64 = row.get(0)?;
        let corrupt = |error| StoreError::corrupt("event", &seq, error);
        let login = text(3)?.map(Login::new);
        let attributes = attributes::decode(text(10)?.unwrap_or_default()).map_err(corrupt)?;
        // As it was spelled at that time.
        let login = login.map(|login| {
            login.map(|login| match attributes.get(key::USER_NAME) {
                Some(AttributeValue::Text(spelling)) => login.with_spelling(spelling),
                _ => login,
            })
        });
        let login = login.transpose();
        let context: Option<i64> = row.get(11)?;
        let check_version: Option<i64> = row.get(12)?;
        let of_delivery = context.map(|number| self.of_delivery(number)).transpose()?;
        let of_check = match (text(2)?, check_version) {
            (Some(id), Some(version)) => self.of_check(id, version)?,
            _ => None,
        };
        Ok(Event {
            name: name(seq, text(1)?.unwrap_or_default())?,
            check_id: text(2)?.and_then(CheckId::new),
            login: login.map_err(|error| corrupt(error.into()))?,
            ip: row.get(4)?,
            application: row.get(5)?,
            happened_at: row.get(6)?,
            observed_at: row.get(7)?,
            severity: Severity::new(text(8)?),
            body: Some(row.get(9)?).filter(|body: &String| !body.is_empty()),
            attributes,
            of_delivery: of_delivery.flatten(),
            of_check,
        })
    }

    fn of_delivery(&mut self, number: i64) -> Result<Option<Arc<Attributes>>, StoreError> {
        if let Some((_, known)) = self.of_delivery.as_ref().filter(|(known, _)| *known == number) {
            return Ok(Some(known.clone()));
        }
        let sql = "SELECT attributes FROM event_context WHERE number = ?1";
        let found = self.reader.sql().optional(sql, params![number], |row| {
            attributes::decode(row.text(0)?)
                .map_err(|error| StoreError::corrupt("event_context", &number, error))
        })?;
        let Some(attributes) = found.map(Arc::new) else { return Ok(None) };
        self.of_delivery = Some((number, attributes.clone()));
        Ok(Some(attributes))
    }

    /// Description and advice of a check in the words of a version.
    fn of_check(&mut self, id: &str, version: i64) -> Result<Option<Arc<Attributes>>, StoreError> {
        let known = self.of_check.as_ref();
        if let Some((_, known)) = known.filter(|((of, at), _)| of == id && *at == version) {
            return Ok(Some(known.clone()));
        }
        let texts = |json: &str| {
            texts::decode(json).map_err(|error| StoreError::corrupt("check_words", id, error))
        };
        let words = self.reader.sql().optional(
            "SELECT description, recommended_actions FROM check_words WHERE version = ?2
             AND check_number = (SELECT number FROM checks WHERE id = ?1)",
            params![id, version],
            |row| Ok(failure::check_words(texts(row.text(0)?)?, texts(row.text(1)?)?)),
        )?;
        let Some(attributes) = words.map(Arc::new) else { return Ok(None) };
        self.of_check = Some(((id.to_owned(), version), attributes.clone()));
        Ok(Some(attributes))
    }
}

/// The bytes of the texts in a row of [`COLUMNS`] that grow with what is said. JSON takes
/// about as many for the attributes as protobuf does. What a delivery's events share is
/// as large again in each record.
pub(super) fn size(row: &Row<'_>) -> Result<usize, StoreError> {
    Ok(row.text(9)?.len() + row.text(10)?.len() + SHARED)
}

fn name(seq: i64, text: &str) -> Result<EventName, StoreError> {
    let unknown = || StoreError::corrupt("event", &seq, Unreadable::Unknown("name"));
    EventName::parse(text).ok_or_else(unknown)
}
