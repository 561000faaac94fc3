//! Ended failures of a check that was merged with another one.

use crate::ledger::{Change, Command, Facts, Fault, Keys};

/// Moves ended failures to the check that theirs was merged with, a number of them per change:
/// there can be very many, and no reader waits for them. The merge stored where they go, so that a
/// kill loses nothing.
#[derive(Debug, Clone, Copy)]
pub struct MoveEnded {
    /// The maximum number of failures to move.
    pub limit: usize,
}

impl Change for MoveEnded {
    /// Whether failures may be left to move.
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
