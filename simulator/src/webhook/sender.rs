//! Sends a delivery until it is taken, for a bounded number of tries.

use super::{Outcome, dress::Parcel};
use crate::target::{DeliveryPolicy, Target};

pub(super) async fn send(target: &Target, parcel: &Parcel, policy: &DeliveryPolicy) -> Outcome {
    let http = reqwest::Client::new();
    let mut outcome = Outcome { id: parcel.id.clone(), status: None, attempts: 0 };
    let mut wait = policy.backoff;
    while outcome.attempts < policy.attempts {
        outcome.attempts += 1;
        outcome.status = post(&http, target, parcel, policy).await;
        if outcome.status.is_some_and(|status| (200..300).contains(&status)) {
            for _ in 0..policy.repeats {
                post(&http, target, parcel, policy).await;
            }
            break;
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    outcome
}

async fn post(
    http: &reqwest::Client,
    target: &Target,
    parcel: &Parcel,
    policy: &DeliveryPolicy,
) -> Option<u16> {
    let mut request = http
        .post(&target.url)
        .header(&target.header, &target.secret)
        .header("content-type", "application/json")
        .timeout(policy.timeout)
        .body(parcel.body.clone());
    if parcel.is_gzip {
        request = request.header("content-encoding", "gzip");
    }
    Some(request.send().await.ok()?.status().as_u16())
}
