//! How long the server may take.

use std::time::Duration;

/// How long the server may take.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Limits {
    /// For connecting.
    pub(in crate::store) connect: Duration,
    /// For one statement. The server ends it a little earlier by itself.
    pub(in crate::store) statement: Duration,
    /// For a commit, with its standby. The server does not end that wait by a time limit of its
    /// own, and must not be asked to: a wait that is cancelled reads as a success.
    pub(in crate::store) commit: Duration,
    /// For which other replicas may hold the lock.
    pub(in crate::store) lock: Duration,
    /// For finding out what became of a commit; a try that began before goes on.
    pub(in crate::store) look_up: Duration,
    /// Between two looks at what other replicas committed, when nobody asks and nothing wakes. No
    /// limit of the server's, but of how late this replica is.
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
    /// The same for everything.
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

    /// How long the server itself lets a statement run, in milliseconds.
    pub(super) const fn server_millis(self) -> u128 {
        self.statement.as_millis() * 15 / 16
    }
}
