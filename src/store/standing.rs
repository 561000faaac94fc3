//! Which of the processes that share a database is the leader.

/// Whether this process is the leader, which polls, sends and prunes, as far as it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This process is the leader. Its commits carry the fence, and are refused once another
    /// process leads; without a fence, no other process can.
    Leader {
        /// The number of its term.
        fence: Option<i64>,
    },
    /// Another process is the leader.
    Follower {
        /// The leader's name, if there is a leader.
        leader: Option<String>,
    },
    /// Unknown: the server cannot be reached.
    Unknown,
}

impl Standing {
    /// Whether this process is the leader.
    #[must_use]
    pub const fn is_leader(&self) -> bool {
        matches!(self, Self::Leader { .. })
    }
}
