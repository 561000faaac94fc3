//! Removes the figures of a job that is switched off: old figures must not look current.

use crate::ledger::{Change, Facts, Fault, Keys, Subject, WholeTable};

/// Removes what a job recorded, apart from failures and events. It runs at the start, before
/// anything is shown.
#[derive(Debug, Clone, Copy)]
pub enum Forget {
    /// The tenant's figures and its listing. The next sweep removes the members.
    Tenant,
    /// Integrations, administrators and daily counts.
    Service,
}

impl Change for Forget {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        match self {
            Self::Tenant => {
                keys.whole.insert(WholeTable::Listing);
                keys.jobs.insert("tenant");
            }
            Self::Service => {
                keys.whole.insert(WholeTable::Service);
                keys.jobs.insert("service");
            }
        }
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        match self {
            Self::Tenant => {
                facts.listing.remove(&());
                facts.listing_done.remove(&());
                facts.jobs.remove(&"tenant");
                facts.touch(Subject::Tenant);
            }
            Self::Service => {
                facts.service.remove(&());
                facts.jobs.remove(&"service");
                facts.touch(Subject::Service);
            }
        }
        Ok(())
    }
}
