//! Webhook deliveries, in the form of real ones.

mod dress;
mod payload;
mod sender;

use serde::Serialize;

use crate::{clock, faults::Endpoint, service::Service, tenant::Tenant};

use dress::Parcel;

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
    let newly = service.tenant(Tenant::take_newly_failing);
    let mut outcomes = Vec::new();
    for (check_id, logins) in &newly {
        for parcel in &parcels(service, check_id, logins) {
            for registered in targets.iter().filter(|registered| registered.wants(check_id)) {
                let policy = &service.options.delivery;
                outcomes.push(sender::send(&registered.target, parcel, policy).await);
            }
        }
    }
    outcomes
}

/// What is sent for the users who newly fail a check; faults in force included.
fn parcels(service: &Service, check_id: &str, logins: &[String]) -> Vec<Parcel> {
    let operations = [check_id.to_owned()];
    let mut struck = service.faults.strike(Endpoint::Webhook, &operations, logins);
    let drawn = service.delivery_faults();
    struck.extend(drawn.strike(Endpoint::Webhook, &operations, logins));
    service.tenant(|tenant| {
        let Some(check) = tenant.check(check_id) else { return Vec::new() };
        let envelope = payload::failed_check(tenant, check, logins, clock::now());
        dress::parcels(envelope, &struck, tenant, check)
    })
}

/// Sends the message that the console sends when a target is made.
pub(crate) async fn deliver_test(service: &Service, target: &Target) -> Outcome {
    let body = service.tenant(|tenant| payload::test(tenant, clock::now()));
    sender::send(target, &Parcel::plain(&body), &service.options.delivery).await
}
