//! The log for people and programs: filtered, in either direction.

use std::collections::VecDeque;

use super::{Reader, StoredEvent, events};
use crate::{
    domain::{EventName, Timestamp},
    store::{
        StoreError, skip_unreadable,
        sql::{Bind, Param},
    },
};

/// A filter for events; every part that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The kind of event.
    pub name: Option<EventName>,
    /// The id of the check.
    pub check_id: Option<String>,
    /// The user's login.
    pub login: Option<String>,
    /// The address, in canonical form.
    pub ip: Option<String>,
    /// The label of the check's severity, so `medium` also finds `moderate`; `unknown` for events
    /// without one.
    pub severity: Option<String>,
    /// Observed at this moment or later.
    pub since: Option<Timestamp>,
    /// Observed before this moment.
    pub until: Option<Timestamp>,
}

/// A page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, in the direction of the query.
    pub events: VecDeque<StoredEvent>,
    /// The number up to which the log was read; the next page begins there.
    pub cursor: i64,
    /// Whether the log continues beyond `cursor`.
    pub has_more: bool,
}

/// Maximum number of entries that one query reads, so that its transaction is short even when the
/// filter matches none.
const REACH: i64 = 20_000;

impl Reader {
    /// Public events after `cursor`, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn events_after(
        &self,
        filter: &EventFilter,
        cursor: i64,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let newest = self.last_seq()?;
        let end = newest.min(cursor.saturating_add(REACH));
        let (events, cut) = self.read_page(filter, (cursor, end), "ASC", limit)?;
        let cursor = cut.unwrap_or_else(|| end.max(cursor));
        Ok(EventPage { events, cursor, has_more: cursor < newest })
    }

    /// Public events before `cursor`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn events_before(
        &self,
        filter: &EventFilter,
        cursor: i64,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let cursor = cursor.min(self.last_seq()?.saturating_add(1));
        let begin = cursor.saturating_sub(REACH).max(0);
        let (events, cut) =
            self.read_page(filter, (begin, cursor.saturating_sub(1)), "DESC", limit)?;
        let cursor = cut.unwrap_or_else(|| begin.saturating_add(1));
        Ok(EventPage { events, cursor, has_more: cursor > 1 })
    }

    /// Events with numbers above the first bound, up to and including the second; also the number
    /// at which the limit ended the page, if it did. An event that cannot be decoded is left out
    /// but counts, so that the next page begins after it.
    fn read_page(
        &self,
        filter: &EventFilter,
        (above, up_to): (i64, i64),
        direction: &str,
        limit: usize,
    ) -> Result<(VecDeque<StoredEvent>, Option<i64>), StoreError> {
        let mut decoder = events::Decoder::new(self)?;
        let mut values = vec![above.bind(), up_to.bind(), limit.bind()];
        let conditions = conditions(filter, &mut values);
        // Only conditions that are set are in the text, so that SQLite can use the index on logins.
        let sql = format!(
            "SELECT {} FROM {} WHERE public = 1 AND seq > ?1 AND seq <= ?2{conditions}
             ORDER BY seq {direction} LIMIT ?3",
            events::COLUMNS,
            events::EVENTS
        );
        let (mut found, mut read, mut last) = (VecDeque::new(), 0, None);
        self.sql().each(&sql, &values, |row| {
            (read, last) = (read + 1, Some(row.get(0)?));
            found.extend(skip_unreadable(decoder.decode_stored(row))?);
            Ok(())
        })?;
        Ok((found, last.filter(|_| read == limit)))
    }
}

/// Whether every delivery, or every first look, writes events of this kind: the index by name does
/// not contain them.
const fn is_frequent(name: EventName) -> bool {
    matches!(name, EventName::CheckDelivery | EventName::CheckFailed | EventName::CheckBaseline)
}

/// The condition of all other kinds. SQLite uses a partial index only where the index's own
/// condition is in the query.
const RARE: &str = "name = ? AND name NOT IN (
    'cii.check.delivery', 'cii.check.failed', 'internal.check.baseline')";

/// The filter as SQL, with its values appended to `values`.
fn conditions<'a>(filter: &'a EventFilter, values: &mut Vec<Param<'a>>) -> String {
    let mut sql = String::new();
    let mut hold = |condition: &str, value: Param<'a>| {
        values.push(value);
        sql.push_str(" AND ");
        sql.push_str(&condition.replace('?', &format!("?{}", values.len())));
    };
    if let Some(name) = filter.name {
        hold(if is_frequent(name) { "name = ?" } else { RARE }, Param::Text(name.as_str()));
    }
    if let Some(check_id) = &filter.check_id {
        hold("check_id = ?", check_id.bind());
    }
    if let Some(login) = &filter.login {
        hold("login = ?", login.bind());
    }
    if let Some(ip) = &filter.ip {
        hold("ip = ?", ip.bind());
    }
    if let Some(severity) = &filter.severity {
        // The column has the service's word. Two words share a label, and some have none.
        let condition = match severity.as_str() {
            "unknown" => "(severity IS NULL OR lower(severity) = ?)",
            "medium" => "lower(severity) IN (?, 'moderate')",
            _ => "lower(severity) = ?",
        };
        hold(condition, severity.bind());
    }
    if let Some(since) = &filter.since {
        hold("observed_at >= ?", since.bind());
    }
    if let Some(until) = &filter.until {
        hold("observed_at < ?", until.bind());
    }
    sql
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn every_kind_is_named_as_frequent_in_both_places_or_in_none() {
        for name in EventName::VARIANTS {
            assert_eq!(RARE.contains(&format!("'{}'", name.as_str())), is_frequent(*name));
        }
    }
}
