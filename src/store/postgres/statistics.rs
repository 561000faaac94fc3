//! Makes the server analyse new tables.
//!
//! A server analyses new tables within about a minute, if autovacuum is on. Until then its plans
//! assume few rows about users, and it reads all of them for the keys of a large group.

use super::{Postgres, schema};
use crate::store::{
    StoreError,
    engine::Engine as _,
    sql::{Connection, params},
};

/// The number of the process's commit after which the tables are checked. Statistics of empty
/// tables would be useless.
const AT_COMMIT: usize = 16;

impl Postgres {
    /// Counts a commit; after [`AT_COMMIT`] commits, analyses tables that were never analysed.
    pub(super) fn count_commit(&mut self) {
        self.commits = self.commits.saturating_add(1);
        if self.commits != AT_COMMIT {
            return;
        }
        if let Err(error) = self.analyze_new_tables() {
            tracing::debug!(%error, "the server does not look at its tables; it will by itself");
            self.roll_back();
        }
    }

    fn analyze_new_tables(&self) -> Result<(), StoreError> {
        let session = self.session()?;
        session.begin_local()?;
        let known = "SELECT 1 FROM pg_catalog.pg_stats
            WHERE schemaname = current_schema() AND tablename = ?1";
        if !(session as &dyn Connection).exists(known, params!["watch"])? {
            let tables: Vec<_> = schema::tables().collect();
            session.batch(&format!("ANALYZE {}", tables.join(", ")))?;
        }
        session.commit()
    }
}
