//! The log for people: a delivery and the users who newly fail are one entry.

use super::{EventFilter, Reader, StoredEvent};
use crate::{
    domain::{EventName, Login},
    store::{StoreError, sql::params},
};

/// Maximum number of a delivery's users that an entry names.
const NAMED: usize = 20;

/// Maximum number of deliveries that one query folds or skips, so that it is short.
const LOOKS: usize = 40;

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The event.
    pub event: StoredEvent,
    /// Some of the users who newly fail by the delivery of the event. They have events of their
    /// own, directly after it.
    pub newly_failing: Vec<Login>,
}

/// A page of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The entries, the newest first.
    pub entries: Vec<LogEntry>,
    /// The number before which the next page begins.
    pub cursor: i64,
    /// Whether there are entries before `cursor`.
    pub has_more: bool,
}

impl Reader {
    /// Entries before `cursor`, the newest first. With a filter for a kind, a user or an address,
    /// single events are wanted, so nothing is folded.
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
                // The users who newly fail come after the delivery's event: the next page begins
                // before it.
                (page.cursor, page.has_more) = (delivery, delivery > 1);
                page.entries.push(self.fold(event, delivery)?);
                break;
            }
        }
        Ok(page)
    }

    /// The number of the event of the delivery that an event belongs to.
    fn delivery_of(&self, seq: i64) -> Result<Option<i64>, StoreError> {
        // The first event that shares the delivery's attributes is the delivery's own.
        self.sql().optional(
            "SELECT d.seq FROM event AS e JOIN event AS d ON d.seq = e.context
             WHERE e.seq = ?1 AND d.seq < e.seq AND d.name = ?2",
            params![seq, EventName::CheckDelivery.as_str()],
            |row| row.get(0),
        )
    }

    /// The delivery's event with the users who newly fail, of whom `last` is the last one's event;
    /// without a delivery's event, `last` alone.
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
