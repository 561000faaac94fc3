//! What a job that is switched off leaves behind goes: old figures must not
//! look like fresh ones.

use crate::ledger::{Change, Facts, Fault, Keys, Subject, WholeTable};

/// Forgets what a job recorded, apart from failures and events. For the start,
/// before anything is shown.
#[derive(Debug, Clone, Copy)]
pub enum Forget {
    /// Figures of the tenant, and its listing. Its members go with the next sweep.
    Tenant,
    /// Integrations, administrators, daily counts.
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
