//! The rules that the leader's configuration set.

use crate::ledger::{Change, Command, Facts, Fault, Keys};

/// Keeps what the leader's configuration says of stored state, so that the other replicas go by it,
/// too, and can tell where theirs differs.
#[derive(Debug, Clone)]
pub struct KeepRules {
    /// In a form of the daemon's.
    pub text: String,
}

impl Change for KeepRules {
    type Outcome = ();

    fn keys(&self, _: &mut Keys) {}

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        facts.command(Command::KeepRules { text: self.text.clone() });
        Ok(())
    }
}
