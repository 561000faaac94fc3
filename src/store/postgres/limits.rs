//! Time limits for the server.

use std::time::Duration;

/// Time limits for the server.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Limits {
    /// The limit of connecting.
    pub(in crate::store) connect: Duration,
    /// The limit of one statement. The server ends it a little earlier by itself.
    pub(in crate::store) statement: Duration,
    /// The limit of a commit, with its standby. The server does not end that wait by a limit of its
    /// own, and must not be asked to cancel it: a cancelled wait reads as a success.
    pub(in crate::store) commit: Duration,
    /// How long other replicas may hold the lock.
    pub(in crate::store) lock: Duration,
    /// How long the outcome of a commit is looked up; an attempt that began within it may finish.
    pub(in crate::store) look_up: Duration,
    /// The pause between two reads of other replicas' commits, when no caller requests one and no
    /// notification arrives. It does not limit the server, but how late this replica is.
    pub(in crate::store) look: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            statement: Duration::from_secs(30),
            commit: Duration::from_secs(10),
            lock: Duration::from_secs(5),
            look_up: Duration::from_secs(10),
            look: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// The same limit for everything.
    pub(super) const fn all(limit: Duration) -> Self {
        Self {
            connect: limit,
            statement: limit,
            commit: limit,
            lock: limit,
            look_up: limit,
            look: limit,
        }
    }

    /// The limit that the server itself applies to a statement, in milliseconds.
    pub(super) const fn server_millis(self) -> u128 {
        self.statement.as_millis() * 15 / 16
    }
}
