//! Tables without what removed rows left behind in them.

use std::time::Duration;

use super::Postgres;
use crate::store::{StoreError, engine::Erased, sql::Connection};

/// How long one table may take. Nothing else is committed meanwhile by this replica.
const TABLE: Duration = Duration::from_mins(10);

impl Postgres {
    /// Has the server free the places of removed rows. What its log and its backups hold is gone
    /// when those are.
    pub(super) fn vacuum(&mut self) -> Result<Erased, StoreError> {
        let session = self.connected()?;
        let tables = (session as &dyn Connection).texts(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename)
             FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
            &[],
        )?;
        for table in tables {
            session.batch_within(TABLE, &format!("VACUUM {table}"))?;
        }
        Ok(Erased::default())
    }
}
