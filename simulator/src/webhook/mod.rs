//! Webhook deliveries, in the form of real ones.

mod payload;
mod sender;

use serde::{Deserialize, Serialize};

use crate::{clock, ids, service::Service};

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

/// How a delivery went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The envelope's id.
    pub id: String,
    /// The last answer's status; none when there was no answer.
    pub status: Option<u16>,
    /// Tries it took.
    pub attempts: u32,
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

    fn wants(&self, check_id: &str) -> bool {
        self.target.check_ids.is_empty() || self.target.check_ids.iter().any(|id| id == check_id)
    }
}

/// Sends what newly fails, a delivery for each check and target.
pub(crate) async fn deliver_newly_failing(service: &Service) -> Vec<Outcome> {
    let targets = service.targets();
    if targets.is_empty() {
        return Vec::new();
    }
    let bodies: Vec<_> = service.tenant(|tenant| {
        let newly = tenant.take_newly_failing();
        newly
            .into_iter()
            .filter_map(|(id, logins)| {
                let check = tenant.check(&id)?;
                Some((id, payload::failed_check(tenant, check, &logins, clock::now())))
            })
            .collect()
    });
    let mut outcomes = Vec::new();
    for (check_id, body) in &bodies {
        for registered in targets.iter().filter(|registered| registered.wants(check_id)) {
            outcomes.push(sender::send(&registered.target, body, &service.options.delivery).await);
        }
    }
    outcomes
}

/// Sends the message that the console sends when a target is made.
pub(crate) async fn deliver_test(service: &Service, target: &Target) -> Outcome {
    let body = service.tenant(|tenant| payload::test(tenant, clock::now()));
    sender::send(target, &body, &service.options.delivery).await
}
