//! Tables without what removed rows left behind in them.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{Limits, Way, schema, session::Session};
use crate::store::{
    StoreError,
    sql::{Connection, params},
};

/// How long one table may take. Past that the connection is closed, and the server ends by itself
/// what it began. It has no limit of its own: VACUUM is in no transaction, and nothing is set for
/// longer than one, since the session can be a pool's.
const TABLE: Duration = Duration::from_mins(10);

/// How long all of them may take.
const ALL: Duration = Duration::from_mins(30);

impl Way {
    /// Has the server free the places of removed rows, over a connection of its own: groups are
    /// committed meanwhile. What the server's log and its backups hold is gone when those are.
    ///
    /// # Errors
    /// When the server fails, or takes too long.
    pub(in crate::store) fn vacuum(&self) -> Result<(), StoreError> {
        let end = Instant::now() + ALL;
        let session = Session::connect(self, Limits { statement: TABLE, ..self.limits })?;
        // The schema is set in a transaction alone.
        session.begin_reading()?;
        let tables = tables(&session);
        session.end_reading()?;
        let mut skipped = Vec::new();
        for table in tables? {
            // From a role that does not own the table, the server takes the statement, does
            // nothing, and warns.
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

/// The exporter's tables, as statements take them. Others in the schema have nothing of the person.
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
