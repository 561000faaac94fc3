//! What a job that is switched off leaves behind goes: old figures must not
//! look like fresh ones.

use rusqlite::Savepoint;

use super::{Reply, Transact, Write};
use crate::store::{Store, StoreError};

/// Forgets what a job recorded, apart from failures and events.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Forget {
    /// Figures of the tenant, and its listing.
    Tenant,
    /// Integrations, administrators, daily counts.
    Service,
}

impl Store {
    /// Forgets the tenant's figures and listing. For the start, before anything
    /// is shown.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn forget_tenant(&self) -> Result<(), StoreError> {
        self.write(Forget::Tenant).await
    }

    /// Forgets integrations, administrators and daily counts. For the start,
    /// before anything is shown.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn forget_service(&self) -> Result<(), StoreError> {
        self.write(Forget::Service).await
    }
}

impl Transact for Forget {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Forget(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        tx.execute_batch(match self {
            Self::Tenant => {
                "DELETE FROM tenant_figure; DELETE FROM tenant_complete;
                 DELETE FROM tenant_member; DELETE FROM tenant_listing;
                 DELETE FROM tenant_staged; DELETE FROM job_state WHERE job = 'tenant';"
            }
            Self::Service => {
                "DELETE FROM integration; DELETE FROM admin; DELETE FROM service_seen;
                 DELETE FROM job_state WHERE job = 'service';"
            }
        })?;
        Ok(())
    }
}
