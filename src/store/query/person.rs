//! The past of one user, from the log. It uses the index of events by login, newest first.

use super::Reader;
use crate::{
    domain::{
        AddressMove, AttributeValue, Attributes, EventName, Move, Place, Severity, Timestamp,
        event::key,
    },
    store::{StoreError, row::attributes, sql::params},
};

/// An ended failure of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastFailure {
    /// The check's id.
    pub check_id: String,
    /// The check's title now; its id when the check is no longer stored.
    pub title: String,
    /// The check's severity now.
    pub severity: Severity,
    /// Since when the user failed it, as far as is known.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

impl Reader {
    /// Failures of a user that ended since a moment, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn past_failures(
        &self,
        login: &str,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<PastFailure>, StoreError> {
        self.sql().all(
            "SELECT e.seq, e.check_id, coalesce(c.title, e.check_id),
                    coalesce(c.severity, e.severity), e.happened_at, e.attributes
             FROM event AS e LEFT JOIN checks AS c ON c.id = e.check_id
             WHERE e.login = ?1 AND e.name = ?2 AND e.check_id IS NOT NULL
             AND +e.observed_at >= ?3 AND coalesce(c.is_hidden, 0) = 0
             ORDER BY e.seq DESC LIMIT ?4",
            params![login, EventName::CheckResolved.as_str(), since, limit],
            |row| {
                let ended: Timestamp = row.get(4)?;
                let told = decode_attributes(row.get(0)?, row.text(5)?)?;
                let lasted = match told.get(key::CHECK_FAILED_FOR) {
                    Some(AttributeValue::Integer(seconds)) => chrono::TimeDelta::seconds(*seconds),
                    _ => chrono::TimeDelta::zero(),
                };
                Ok(PastFailure {
                    check_id: row.get(1)?,
                    title: row.get(2)?,
                    severity: Severity::new(row.get(3)?),
                    began: ended - lasted,
                    ended,
                })
            },
        )
    }

    /// Entries of the log about a user's addresses, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn address_moves(&self, login: &str, limit: usize) -> Result<Vec<AddressMove>, StoreError> {
        let [came, back, country, went] = [
            EventName::UserIpNew,
            EventName::UserIpBack,
            EventName::UserCountryNew,
            EventName::UserIpGone,
        ]
        .map(EventName::as_str);
        self.sql().all(
            "SELECT seq, name, ip, observed_at, attributes FROM event
             WHERE login = ?1 AND name IN (?2, ?3, ?4, ?5) AND ip IS NOT NULL
             ORDER BY seq DESC LIMIT ?6",
            params![login, came, back, country, went, limit],
            |row| {
                let told = decode_attributes(row.get(0)?, row.text(4)?)?;
                let text = |key: &str| match told.get(key) {
                    Some(AttributeValue::Text(text)) => Some(text.clone()),
                    _ => None,
                };
                Ok(AddressMove {
                    ip: row.get(2)?,
                    place: Place {
                        city: text(key::GEO_LOCALITY),
                        state: text(key::GEO_STATE),
                        country: text(key::GEO_COUNTRY),
                    },
                    what: match row.text(1)? {
                        name if name == came => Move::Came,
                        name if name == back => Move::CameBack,
                        name if name == country => Move::NewCountry,
                        _ => Move::Went,
                    },
                    at: row.get(3)?,
                })
            },
        )
    }

    /// The number of users of an address in the newest answer; none when it was never polled.
    ///
    /// # Errors
    /// When the database fails.
    pub fn users_at(&self, ip: &str) -> Result<Option<u64>, StoreError> {
        if let Some(record) = self.ip_record(ip)? {
            return Ok(Some(record.users.len() as u64));
        }
        Ok(None)
    }

    /// Whether an address has a page: it was polled, or is watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn is_known_ip(&self, ip: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM ip_snapshot WHERE ip = ?1";
        Ok(self.sql().exists(sql, params![ip])? || self.is_watched("ip", ip)?)
    }
}

fn decode_attributes(seq: i64, json: &str) -> Result<Attributes, StoreError> {
    attributes::decode(json).map_err(|error| StoreError::corrupt("event", &seq, error))
}
