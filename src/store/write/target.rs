//! Webhook targets that this exporter registered.

use rusqlite::{Savepoint, params};

use super::{Reply, Transact, Write};
use crate::{
    domain::WebhookTarget,
    store::{Store, StoreError, moment::to_micros},
};

/// A target was registered.
#[derive(Debug)]
pub(in crate::store) struct KeepTarget(WebhookTarget);

/// A target is registered no longer.
#[derive(Debug)]
pub(in crate::store) struct ForgetTarget(String);

impl Store {
    /// Keeps a target that was registered.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn keep_webhook_target(&self, target: WebhookTarget) -> Result<(), StoreError> {
        self.write(KeepTarget(target)).await
    }

    /// Forgets a target that is registered no longer.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn forget_webhook_target(&self, id: String) -> Result<(), StoreError> {
        self.write(ForgetTarget(id)).await
    }
}

impl Transact for KeepTarget {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::KeepTarget(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let WebhookTarget { id, name, url, check_ids, registered_at } = self.0;
        let check_ids =
            serde_json::to_string(&check_ids).map_err(|_| StoreError::Corrupt("webhook target"))?;
        tx.execute(
            "INSERT OR REPLACE INTO webhook_target (id, name, url, check_ids, registered_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, name, url, check_ids, to_micros(registered_at)],
        )?;
        Ok(())
    }
}

impl Transact for ForgetTarget {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::ForgetTarget(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        tx.execute("DELETE FROM webhook_target WHERE id = ?1", [self.0])?;
        Ok(())
    }
}
