//! The last moment at which the wall clock was trusted.

use crate::{
    domain::Timestamp,
    ledger::{Change, Command, Facts, Fault, Keys},
};

/// Stores the last moment at which the clock was trusted. The next start compares its clock with
/// this moment, and not with rows that a wrong clock may have dated.
#[derive(Debug, Clone, Copy)]
pub struct TrustClock {
    /// The moment.
    pub at: Timestamp,
}

impl Change for TrustClock {
    type Outcome = ();

    fn keys(&self, _: &mut Keys) {}

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        facts.command(Command::TrustClock { at: self.at });
        Ok(())
    }
}
