//! Until when the wall clock was believed.

use crate::{
    domain::Timestamp,
    ledger::{Change, Command, Facts, Fault, Keys},
};

/// Keeps the last moment at which the clock was believed: it vouches for the clock of the
/// next start, whatever was stored since by a clock that is wrong.
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
