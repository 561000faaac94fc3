//! Webhook targets that this exporter registered.

use super::Reader;
use crate::{
    domain::WebhookTarget,
    store::{StoreError, shared::webhook_targets},
};

impl Reader {
    /// The targets, in the order of their registration.
    ///
    /// # Errors
    /// When the database fails.
    pub fn webhook_targets(&self) -> Result<Vec<WebhookTarget>, StoreError> {
        webhook_targets(self.sql())
    }
}
