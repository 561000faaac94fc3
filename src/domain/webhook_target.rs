//! A webhook target: where the service sends its deliveries.

use super::{CheckId, Timestamp};

/// A target that was registered with the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// The service's id of it.
    pub id: String,
    /// The name in the registration; the service adds a suffix.
    pub name: String,
    /// The URL to which deliveries are sent.
    pub url: String,
    /// The checks it is subscribed to.
    pub check_ids: Vec<CheckId>,
    /// When it was registered.
    pub registered_at: Timestamp,
}
