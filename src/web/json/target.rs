//! JSON form of webhook targets.

use serde::{Deserialize, Serialize};

use crate::domain::{self, CheckId, Timestamp};

/// A webhook target that was registered with the service.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookTarget {
    id: String,
    name: String,
    url: String,
    check_ids: Vec<String>,
    registered_at: Timestamp,
}

impl From<domain::WebhookTarget> for WebhookTarget {
    fn from(target: domain::WebhookTarget) -> Self {
        let domain::WebhookTarget { id, name, url, check_ids, registered_at } = target;
        let check_ids = check_ids.iter().map(|id| id.as_str().to_owned()).collect();
        Self { id, name, url, check_ids, registered_at }
    }
}

/// Empty check ids are dropped: they name no check.
impl From<WebhookTarget> for domain::WebhookTarget {
    fn from(target: WebhookTarget) -> Self {
        let WebhookTarget { id, name, url, check_ids, registered_at } = target;
        let check_ids = check_ids.iter().filter_map(|id| CheckId::new(id)).collect();
        Self { id, name, url, check_ids, registered_at }
    }
}
