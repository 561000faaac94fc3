//! One delivery, from its headers to its answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
};

use super::{
    Ingest, Rules,
    answer::Answer,
    auth,
    body::{self, BodyError},
    encoding::{Encoding, UnpackError},
};
use crate::{
    cii::webhook,
    clock,
    store::{DeliveryOutcome, RecordDelivery},
};

/// How long a sender waits for a commit before it is told to come back. The
/// commit may still happen then; the repeat is known by its id.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn receive(State(ingest): State<Arc<Ingest>>, request: Request) -> Answer {
    let begun = Instant::now();
    let answer = ingest.answer(request).await;
    ingest.meters.observe(answer.result(), begun.elapsed().as_secs_f64());
    answer
}

impl Ingest {
    /// Authenticates, unpacks, parses, records; each step can be the last.
    async fn answer(&self, request: Request) -> Answer {
        let (head, body) = request.into_parts();
        let rules = self.rules.borrow().clone();
        let encoding = match self.admit(&head.headers, &rules) {
            Ok(encoding) => encoding,
            Err(refusal) => {
                body::drain(body).await;
                return refusal;
            }
        };
        let Ok(_permit) = self.in_flight.try_acquire() else { return Answer::Unavailable };
        let packed = match body::read(body, self.max_body_bytes).await {
            Ok(packed) => packed,
            Err(BodyError::TooLarge) => return Answer::TooLarge(self.max_body_bytes),
            Err(BodyError::Incomplete) => return Answer::Incomplete,
        };
        match self.unpack(encoding, packed).await {
            Ok(bytes) => self.record(bytes, &rules).await,
            Err(refusal) => refusal,
        }
    }

    /// What can be refused without a look at the body. Who is not authorized
    /// learns nothing else.
    fn admit(&self, headers: &HeaderMap, rules: &Rules) -> Result<Encoding, Answer> {
        if !auth::is_authorized(headers, &rules.header, &rules.secrets) {
            return Err(Answer::Unauthorized);
        }
        if !is_json(headers) {
            return Err(Answer::NotJson);
        }
        let encoding = Encoding::of(headers).map_err(Answer::Encoded)?;
        if body::announces_more_than(self.max_body_bytes, headers) {
            return Err(Answer::TooLarge(self.max_body_bytes));
        }
        Ok(encoding)
    }

    async fn unpack(&self, encoding: Encoding, packed: Vec<u8>) -> Result<Vec<u8>, Answer> {
        let limit = self.max_body_bytes;
        if encoding == Encoding::Identity {
            return Ok(packed);
        }
        // Unpacking computes, so it must not hold up the other requests.
        match tokio::task::spawn_blocking(move || encoding.unpack(packed, limit)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(UnpackError::TooLarge)) => Err(Answer::TooLarge(limit)),
            Ok(Err(UnpackError::Damaged)) => Err(Answer::Damaged),
            Err(_) => Err(Answer::Unavailable),
        }
    }

    async fn record(&self, bytes: Vec<u8>, rules: &Rules) -> Answer {
        let received_at = clock::now();
        let delivery = match webhook::parse(&bytes, received_at) {
            Ok(delivery) => delivery,
            Err(malformed) => {
                tracing::warn!(reason = %malformed, "a webhook delivery cannot be understood");
                return Answer::Malformed(malformed);
            }
        };
        let check = delivery.check.as_ref().map(|check| check.id.clone());
        let skipped = delivery.skipped.clone();
        let record = RecordDelivery {
            admitted: rules.filter.admits(&delivery),
            delivery,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            policy: rules.policy,
            received_at,
        };
        let committed =
            tokio::time::timeout(COMMIT_PATIENCE, self.store.record_delivery(record)).await;
        match committed {
            Ok(Ok(outcome)) => {
                if skipped.count() > 0 && outcome != DeliveryOutcome::Duplicate {
                    self.meters.count_skipped(skipped.count());
                    tracing::warn!(
                        logins = skipped.count(),
                        why = %skipped,
                        "a webhook delivery names logins that cannot be used; the others count"
                    );
                }
                acknowledge(outcome, check.as_ref())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "a webhook delivery cannot be recorded");
                Answer::Unavailable
            }
            Err(_) => {
                tracing::error!("a webhook delivery waits too long for the disk");
                Answer::Unavailable
            }
        }
    }
}

fn acknowledge(outcome: DeliveryOutcome, check: Option<&crate::domain::CheckId>) -> Answer {
    let check = check.map(tracing::field::display);
    match outcome {
        DeliveryOutcome::Accepted { opened, unwatched } => {
            tracing::info!(check, newly_failing = opened, "webhook delivery recorded");
            if unwatched > 0 {
                tracing::warn!(
                    users = unwatched,
                    "failing users are not watched: the watch list is full (watch.max_users)"
                );
            }
            Answer::Accepted
        }
        DeliveryOutcome::Duplicate => Answer::Duplicate,
        DeliveryOutcome::Filtered => Answer::Filtered,
        DeliveryOutcome::Test => {
            tracing::info!("the webhook's test message came in");
            Answer::Test
        }
    }
}

/// Whether the content type is JSON. A sender that names none is believed.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_by_its_content_type() {
        let is = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        assert!(is("application/json") && is("Application/JSON; charset=utf-8"));
        assert!(is("application/cloudevents+json"));
        assert!(!is("text/plain") && !is("application/x-www-form-urlencoded") && !is(""));
        assert!(is_json(&HeaderMap::new()));
    }
}
