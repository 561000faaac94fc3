//! Webhook deliveries, in the form of real ones.

mod payload;
mod sender;

use serde::Serialize;

use crate::{clock, service::Service};

pub use crate::target::Target;

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
