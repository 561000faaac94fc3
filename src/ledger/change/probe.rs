//! A commit that changes nothing, to see whether one is possible.

use crate::ledger::{Change, Command, Facts, Fault, Keys};

/// Writes what is there already.
#[derive(Debug, Clone, Copy)]
pub struct Probe;

impl Change for Probe {
    type Outcome = ();

    fn keys(&self, _: &mut Keys) {}

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        facts.command(Command::Touch);
        Ok(())
    }
}
