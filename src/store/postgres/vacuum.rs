//! Vacuums tables, so that nothing of removed rows stays in them.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{Limits, Way, schema, session::Session};
use crate::store::{
    StoreError,
    sql::{Connection, params},
};

/// The limit of one table. After it the connection is closed, and the server ends the statement by
/// itself. It cannot be set on the server: VACUUM runs outside a transaction, and the session can
/// be a pool's, so that no setting may outlive a transaction.
const TABLE: Duration = Duration::from_mins(10);

/// The limit of all tables.
const ALL: Duration = Duration::from_mins(30);

impl Way {
    /// Makes the server free the space of removed rows, over a connection of its own, so that
    /// groups are committed meanwhile. The server's write-ahead log and its backups still contain
    /// the rows until they are removed.
    ///
    /// # Errors
    /// When the server fails, or takes too long.
    pub(in crate::store) fn vacuum(&self) -> Result<(), StoreError> {
        let end = Instant::now() + ALL;
        let session = Session::connect(self, Limits { statement: TABLE, ..self.limits })?;
        // The schema is set only within a transaction.
        session.begin_reading()?;
        let tables = tables(&session);
        session.end_reading()?;
        let mut skipped = Vec::new();
        for table in tables? {
            // For a role that does not own the table, VACUUM does nothing and sends a warning.
            session.warned.store(false, Ordering::Release);
            let limit = TABLE.min(end.saturating_duration_since(Instant::now()));
            session.batch_within(limit, &format!("VACUUM {table}"))?;
            if session.warned.load(Ordering::Acquire) {
                skipped.push(table);
            }
        }
        if !skipped.is_empty() {
            tracing::warn!(
                statement = format!("VACUUM {}", skipped.join(", ")),
                "a purge removed a person's rows, and the server warned when it was to vacuum some \
                 tables: the space that the rows had is not overwritten before the server's own \
                 vacuum; run VACUUM as the owner of the tables, as the statement says, and make \
                 the exporter's role their owner"
            );
        }
        Ok(())
    }
}

/// The exporter's tables, quoted for statements. Other tables of the schema contain nothing about
/// the person.
fn tables(session: &dyn Connection) -> Result<Vec<String>, StoreError> {
    let own: Vec<_> = schema::tables().collect();
    session.texts(
        "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename)
         FROM pg_catalog.pg_tables
         WHERE schemaname = current_schema() AND tablename IN rarray(?1)
         ORDER BY tablename",
        params![own[..]],
    )
}
