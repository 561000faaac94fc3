//! The log for people: a delivery with those who newly fail is one entry.

use super::{EventFilter, Reader, StoredEvent};
use crate::{
    domain::{EventName, Login},
    store::{StoreError, sql::params},
};

/// Users of a delivery that an entry names.
const NAMED: usize = 20;

/// Deliveries that one look folds or passes, so that it is short.
const LOOKS: usize = 40;

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// What happened.
    pub event: StoredEvent,
    /// Some of those who newly fail by the delivery that the event tells of; they have events
    /// of their own, directly behind it.
    pub newly_failing: Vec<Login>,
}

/// What one look into the log found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The entries, the newest first.
    pub entries: Vec<LogEntry>,
    /// The number before which the next look goes on.
    pub cursor: i64,
    /// Whether the log goes on before `cursor`.
    pub has_more: bool,
}

impl Reader {
    /// Entries before `cursor`, the newest first. A filter by a kind, a user or an address is
    /// about single events, so nothing is folded.
    ///
    /// # Errors
    /// When the database fails.
    pub fn log_before(
        &self,
        filter: &EventFilter,
        cursor: i64,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        let is_folded = filter.name.is_none() && filter.login.is_none() && filter.ip.is_none();
        let mut page = LogPage { entries: Vec::new(), cursor, has_more: true };
        for _ in 0..LOOKS {
            if page.entries.len() >= limit || !page.has_more {
                break;
            }
            let found = self.events_before(filter, page.cursor, limit - page.entries.len())?;
            (page.cursor, page.has_more) = (found.cursor, found.has_more);
            for event in found.events {
                let is_of_delivery = is_folded && event.event.name == EventName::CheckFailed;
                let delivery = if is_of_delivery { self.delivery_of(event.seq)? } else { None };
                let Some(delivery) = delivery else {
                    page.entries.push(LogEntry { event, newly_failing: Vec::new() });
                    continue;
                };
                // Those who fail newly stand behind the delivery: the look goes on before it.
                (page.cursor, page.has_more) = (delivery, delivery > 1);
                page.entries.push(self.fold(event, delivery)?);
                break;
            }
        }
        Ok(page)
    }

    /// The number of the event that tells of the delivery of which an event is a part.
    fn delivery_of(&self, seq: i64) -> Result<Option<i64>, StoreError> {
        // The first event that shares what the delivery says is that of the delivery itself.
        self.sql().optional(
            "SELECT d.seq FROM event AS e JOIN event AS d ON d.seq = e.context
             WHERE e.seq = ?1 AND d.seq < e.seq AND d.name = ?2",
            params![seq, EventName::CheckDelivery.as_str()],
            |row| row.get(0),
        )
    }

    /// The delivery with those who newly fail, of whom an event tells of the last one; where
    /// there is no other, that event alone.
    fn fold(&self, last: StoredEvent, delivery: i64) -> Result<LogEntry, StoreError> {
        if last.seq == delivery + 1 {
            return Ok(LogEntry { event: last, newly_failing: Vec::new() });
        }
        let mut events =
            self.events_after(&EventFilter::default(), delivery - 1, NAMED + 1)?.events;
        let is_of_it = |event: &StoredEvent| event.seq <= last.seq;
        let Some(event) = events.pop_front().filter(is_of_it) else {
            return Ok(LogEntry { event: last, newly_failing: Vec::new() });
        };
        let newly = events.into_iter().take_while(is_of_it);
        let newly_failing = newly.filter_map(|event| event.event.login).collect();
        Ok(LogEntry { event, newly_failing })
    }
}
