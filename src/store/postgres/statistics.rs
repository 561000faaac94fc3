//! What the server knows of its tables before it looked by itself.
//!
//! A server looks at new tables within about a minute, if nobody turned that off. Until then it
//! plans as if few rows were about users, and reads all of them beside the keys of a large group.

use super::{Postgres, schema};
use crate::store::{
    StoreError,
    engine::Engine as _,
    sql::{Connection, params},
};

/// The commit of a process after which it is seen to that the server looked. Tables that are still
/// empty tell nothing.
const AT_COMMIT: usize = 16;

impl Postgres {
    /// Counts a commit, and has the server look at tables that it never looked at.
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
