//! Failures that ended of a check that turned out to be another one.

use crate::ledger::{Change, Command, Facts, Fault, Keys};

/// Makes failures that ended those of the check that theirs was merged with, some of them at a
/// time: they can be very many, and nobody waits for them. Where they go is stored since the
/// merge, so that a kill costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct MoveEnded {
    /// How many at most.
    pub limit: usize,
}

impl Change for MoveEnded {
    /// Whether there may be more.
    type Outcome = bool;

    fn keys(&self, keys: &mut Keys) {
        keys.moving = Some(self.limit);
    }

    fn work(&self) -> usize {
        self.limit
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<bool, Fault> {
        let Some(moving) = facts.moving.get()?.clone() else { return Ok(false) };
        facts.command(Command::MoveEnded(moving));
        Ok(true)
    }
}
