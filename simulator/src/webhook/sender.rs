//! Sends a delivery until it is taken, for a bounded number of tries.

use serde_json::Value;

use super::Outcome;
use crate::target::{DeliveryPolicy, Target};

pub(super) async fn send(target: &Target, body: &Value, policy: &DeliveryPolicy) -> Outcome {
    let http = reqwest::Client::new();
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    let mut outcome = Outcome { id, status: None, attempts: 0 };
    let mut wait = policy.backoff;
    while outcome.attempts < policy.attempts {
        outcome.attempts += 1;
        outcome.status = post(&http, target, body, policy).await;
        if outcome.status.is_some_and(|status| (200..300).contains(&status)) {
            for _ in 0..policy.repeats {
                post(&http, target, body, policy).await;
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
    body: &Value,
    policy: &DeliveryPolicy,
) -> Option<u16> {
    let request = http
        .post(&target.url)
        .header(&target.header, &target.secret)
        .timeout(policy.timeout)
        .json(body);
    Some(request.send().await.ok()?.status().as_u16())
}
