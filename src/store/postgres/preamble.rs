//! The first statements of every transaction that writes.

use super::Limits;

/// The statements, each with its end. `commit` sets how the commit waits for disks and standbys;
/// `search_path` sets the schema, if one is configured.
///
/// The isolation is READ COMMITTED: a statement sees what was committed before it began, so that
/// every statement after the lock sees the rows of the lock's last holder. With a stricter level,
/// the snapshot would be older than the lock. Warnings are enabled whatever the role or the
/// database has set: only a warning reports that the wait for a standby was cancelled. Every wait
/// has a limit, including that for a hanging client.
///
/// Whether writes are allowed is not set: an administrator, or a provider whose disk fills up, may
/// have made the database read-only on purpose.
pub(super) fn preamble(commit: &str, limits: Limits, search_path: &str) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SET LOCAL synchronous_commit = {commit}; \
         SET LOCAL client_min_messages = warning; \
         SET LOCAL lock_timeout = {}; \
         SET LOCAL statement_timeout = {}; \
         SET LOCAL idle_in_transaction_session_timeout = {}; \
         {search_path}",
        limits.lock.as_millis(),
        limits.server_millis(),
        limits.statement.as_millis(),
    )
}
