//! Who acts on the outside, of the processes that share a database.

/// Whether this process polls, sends and prunes, as far as it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does. What it commits carries the fence, and is refused once another does; nothing
    /// where no other can.
    Leader {
        /// The number of its term.
        fence: Option<i64>,
    },
    /// Another one does.
    Follower {
        /// By what name, when somebody does.
        leader: Option<String>,
    },
    /// It cannot be found out: the server cannot be reached.
    Unknown,
}

impl Standing {
    /// Whether this process acts.
    #[must_use]
    pub const fn is_leader(&self) -> bool {
        matches!(self, Self::Leader { .. })
    }
}
