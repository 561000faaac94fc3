//! Public events, in batches.

use std::ops::ControlFlow;

use super::{
    Reader, StoredEvent,
    events::{COLUMNS, Decoder, EVENTS, size},
};
use crate::store::{
    StoreError, skip_unreadable,
    sql::{Row, params},
};

/// The limits of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimit {
    /// The maximum number of events.
    pub events: usize,
    /// The number of bytes after which no further event is read. A batch has at least one event,
    /// and the last one may exceed the limit, so that no event is too large to be sent.
    pub bytes: usize,
}

/// Events that are sent together, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The events.
    pub events: Vec<StoredEvent>,
    /// The numbers of those events that cannot be decoded; they do not block the others.
    pub unreadable: Vec<i64>,
    /// Whether the limit ended it, so that more events may follow.
    pub is_cut: bool,
}

impl BatchLimit {
    /// A limit of this many events, without a limit of bytes.
    #[must_use]
    pub const fn events(events: usize) -> Self {
        Self { events, bytes: usize::MAX }
    }
}

impl Batch {
    /// The number of the last event that was read; none when there was none.
    #[must_use]
    pub fn last_seq(&self) -> Option<i64> {
        let last = self.events.last().map(|event| event.seq);
        last.max(self.unreadable.last().copied())
    }
}

impl Reader {
    /// The first public events after `seq`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn public_events_after(&self, seq: i64, limit: BatchLimit) -> Result<Batch, StoreError> {
        let mut filling = Filling::new(Decoder::new(self)?, limit);
        let sql = format!(
            "SELECT {COLUMNS} FROM {EVENTS} WHERE public = 1 AND seq > ?1 ORDER BY seq LIMIT ?2"
        );
        self.sql().query(&sql, params![seq, limit.events], &mut |row| filling.add(row))?;
        Ok(filling.batch)
    }

    /// The first public events with these numbers that still exist, in the order of the log.
    ///
    /// # Errors
    /// When the database fails.
    pub fn public_events(&self, seqs: &[i64], limit: BatchLimit) -> Result<Batch, StoreError> {
        let mut filling = Filling::new(Decoder::new(self)?, limit);
        let sql = format!(
            "SELECT {COLUMNS} FROM {EVENTS} WHERE public = 1 AND seq IN rarray(?1) ORDER BY seq"
        );
        self.sql().query(&sql, params![seqs], &mut |row| filling.add(row))?;
        Ok(filling.batch)
    }
}

/// A batch that is being read.
struct Filling<'a> {
    decoder: Decoder<'a>,
    limit: BatchLimit,
    bytes: usize,
    batch: Batch,
}

impl<'a> Filling<'a> {
    fn new(decoder: Decoder<'a>, limit: BatchLimit) -> Self {
        Self { decoder, limit, bytes: 0, batch: Batch::default() }
    }

    /// Adds an event; returns whether there is room for another one.
    fn add(&mut self, row: &Row<'_>) -> Result<ControlFlow<()>, StoreError> {
        self.bytes = self.bytes.saturating_add(size(row)?);
        match skip_unreadable(self.decoder.decode_stored(row))? {
            Some(event) => self.batch.events.push(event),
            None => self.batch.unreadable.push(row.get(0)?),
        }
        let events = self.batch.events.len() + self.batch.unreadable.len();
        let is_cut = events >= self.limit.events || self.bytes >= self.limit.bytes;
        self.batch.is_cut = is_cut;
        Ok(if is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
