//! Where webhook deliveries go, and how.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids;

/// Where deliveries go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The receiver's URL.
    pub url: String,
    /// The header that carries the secret.
    pub header: String,
    /// The secret.
    pub secret: String,
    /// The checks it is subscribed to; empty: all.
    #[serde(default)]
    pub check_ids: Vec<String>,
}

/// A target with the id that the service gave it.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) id: String,
    pub(crate) target: Target,
}

impl Registered {
    pub(crate) fn new(target: Target) -> Self {
        Self { id: ids::uuid(), target }
    }

    pub(crate) fn wants(&self, check_id: &str) -> bool {
        self.target.check_ids.is_empty() || self.target.check_ids.iter().any(|id| id == check_id)
    }
}

/// How webhook deliveries are sent.
#[derive(Debug, Clone)]
pub struct DeliveryPolicy {
    /// How often a delivery is tried until a 2xx comes back, the first try included.
    pub attempts: u32,
    /// What to wait before the second try; each further wait is twice as long.
    pub backoff: Duration,
    /// How long one try may take.
    pub timeout: Duration,
    /// How often an accepted delivery is sent again, to try whether the receiver notices.
    pub repeats: u32,
}

impl Default for DeliveryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            backoff: Duration::from_millis(100),
            timeout: Duration::from_secs(10),
            repeats: 0,
        }
    }
}
