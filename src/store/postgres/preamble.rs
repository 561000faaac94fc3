//! What every transaction that writes begins with.

use super::Limits;

/// The statements, each with its end. `commit` is how its commit waits for disks and standbys;
/// `search_path` sets the schema, where one is configured.
///
/// The isolation is READ COMMITTED: a statement sees what was committed when it began, so that all
/// after a lock see what its last holder left. Under a stricter one the snapshot would be older than
/// the lock. Warnings are asked for whatever the role or the database has set: one alone tells that
/// the wait for a standby was ended. Every wait has a limit, that of a client that hangs included.
///
/// Whether it may write is left to the server: who made a database read-only, such as a provider
/// whose disk gets full, means it.
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
