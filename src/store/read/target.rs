//! Webhook targets that this exporter registered.

use super::Reader;
use crate::{
    domain::WebhookTarget,
    store::{StoreError, moment::from_micros},
};

impl Reader {
    /// The targets, in the order of their registration.
    ///
    /// # Errors
    /// When the database fails.
    pub fn webhook_targets(&self) -> Result<Vec<WebhookTarget>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT id, name, url, check_ids, registered_at FROM webhook_target
             ORDER BY registered_at, id",
        )?;
        let mut rows = select.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(WebhookTarget {
                id: row.get(0)?,
                name: row.get(1)?,
                url: row.get(2)?,
                check_ids: serde_json::from_str(&row.get::<_, String>(3)?)
                    .map_err(|_| StoreError::Corrupt("webhook target"))?,
                registered_at: from_micros(row.get(4)?)?,
            });
        }
        Ok(found)
    }
}
