//! The rules that the leader's configuration set.

use crate::ledger::{Change, Command, Facts, Fault, Keys};

/// Stores the leader's configuration of what is stored. Other replicas apply it, too, and report
/// where their own differs.
#[derive(Debug, Clone)]
pub struct KeepRules {
    /// The rules, in the daemon's format.
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
