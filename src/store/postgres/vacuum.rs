//! Tables without what removed rows left behind in them.

use std::{sync::atomic::Ordering, time::Duration};

use super::{Postgres, schema};
use crate::store::{
    StoreError,
    engine::Erased,
    sql::{Connection, params},
};

/// How long one table may take. Nothing else is committed meanwhile by this replica.
const TABLE: Duration = Duration::from_mins(10);

impl Postgres {
    /// Has the server free the places of removed rows. What its log and its backups hold is gone
    /// when those are.
    pub(super) fn vacuum(&mut self) -> Result<Erased, StoreError> {
        let session = self.connected()?;
        // Tables of others may be in the schema. They have nothing of the person.
        let own: Vec<_> = schema::tables().collect();
        let tables = (session as &dyn Connection).texts(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename)
             FROM pg_catalog.pg_tables
             WHERE schemaname = current_schema() AND tablename IN rarray(?1)
             ORDER BY tablename",
            params![own[..]],
        )?;
        let mut skipped = Vec::new();
        for table in tables {
            // From a role that does not own the table, the server takes the statement, does
            // nothing, and warns.
            session.warned.store(false, Ordering::Release);
            session.batch_within(TABLE, &format!("VACUUM {table}"))?;
            if session.warned.load(Ordering::Acquire) {
                skipped.push(table);
            }
        }
        if !skipped.is_empty() {
            tracing::warn!(
                tables = %skipped.join(", "),
                "a purge removed a person's rows, and the server warned when it was to vacuum these \
                 tables: the space that the rows had is not overwritten before the server's own \
                 vacuum; run VACUUM as the owner of the tables, and make the exporter's role their \
                 owner"
            );
        }
        Ok(Erased::default())
    }
}
