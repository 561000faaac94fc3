//! The webhook targets that this exporter registered.

use crate::{
    domain::WebhookTarget,
    ledger::{Change, Facts, Fault, Keys},
};

/// Stores a target that was registered.
#[derive(Debug, Clone)]
pub struct KeepTarget(pub WebhookTarget);

/// Removes the target with this id, which is no longer registered.
#[derive(Debug, Clone)]
pub struct ForgetTarget(pub String);

impl Change for KeepTarget {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        keys.targets.insert(self.0.id.clone());
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        facts.targets.put(self.0.id.clone(), self.0.clone());
        Ok(())
    }
}

impl Change for ForgetTarget {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        keys.targets.insert(self.0.clone());
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        facts.targets.remove(&self.0);
        Ok(())
    }
}
