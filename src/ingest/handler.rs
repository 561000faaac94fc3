//! One delivery, from its headers to its answer.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
};

use super::{
    Admission, Ingest,
    answer::Answer,
    auth,
    body::{self, BodyError},
    encoding::{Encoding, UnpackError},
    intake::Refused,
};
use crate::{clock, ledger::change::RecordRefused};

/// Bytes that are kept of a body that cannot be understood.
const KEPT_BYTES: usize = 64 * 1024;

/// A request that is refused, with what is known of its body.
struct Refusal {
    answer: Answer,
    size: Option<usize>,
    body: Option<Vec<u8>>,
    is_packed: bool,
}

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self { answer, size: None, body: None, is_packed: false }
    }
}

pub(super) async fn receive(State(ingest): State<Arc<Ingest>>, request: Request) -> Answer {
    let begun = Instant::now();
    let answer = match ingest.answer(request).await {
        Ok(answer) => answer,
        Err(refusal) => ingest.refuse(refusal).await,
    };
    ingest.intake.meters().observe(answer.outcome(), begun.elapsed().as_secs_f64());
    answer
}

impl Ingest {
    /// Authenticates, unpacks, parses, records; each step can be the last.
    async fn answer(&self, request: Request) -> Result<Answer, Refusal> {
        let (head, body) = request.into_parts();
        let admission = self.admission.borrow().clone();
        let encoding = match self.admit(&head.headers, &admission) {
            Ok(encoding) => encoding,
            Err(answer) => {
                body::drain(body).await;
                let size = body::announced_bytes(&head.headers);
                return Err(Refusal { size, ..answer.into() });
            }
        };
        let Ok(_permit) = self.in_flight.try_acquire() else {
            return Err(Answer::Unavailable.into());
        };
        let packed = match body::read(body, self.max_body_bytes).await {
            Ok(packed) => packed,
            Err(BodyError::TooLarge) => return Err(Answer::TooLarge(self.max_body_bytes).into()),
            Err(BodyError::Incomplete) => return Err(Answer::Incomplete.into()),
        };
        let bytes = self.unpack(encoding, packed).await?;
        let size = Some(bytes.len());
        match self.intake.record(bytes, clock::now(), None, &admission.rules).await {
            Ok(recorded) => Ok(Answer::Taken(recorded)),
            Err(Refused::Malformed(malformed, bytes)) => {
                Err(Refusal { size, body: Some(bytes), ..Answer::Malformed(malformed).into() })
            }
            Err(Refused::Unavailable) => Err(Refusal { size, ..Answer::Unavailable.into() }),
        }
    }

    /// What can be refused without a look at the body. Who is not authorized
    /// learns nothing else.
    fn admit(&self, headers: &HeaderMap, admission: &Admission) -> Result<Encoding, Answer> {
        if !auth::is_authorized(headers, &admission.rules.header, &admission.secrets) {
            return Err(Answer::Unauthorized);
        }
        if !is_json(headers) {
            return Err(Answer::NotJson);
        }
        let encoding = Encoding::of(headers).map_err(Answer::Encoded)?;
        if body::announced_bytes(headers).is_some_and(|bytes| bytes > self.max_body_bytes) {
            return Err(Answer::TooLarge(self.max_body_bytes));
        }
        Ok(encoding)
    }

    async fn unpack(&self, encoding: Encoding, packed: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        if encoding == Encoding::Identity {
            return Ok(packed);
        }
        let (limit, size) = (self.max_body_bytes, packed.len());
        let begin = packed[..size.min(KEPT_BYTES)].to_vec();
        // Unpacking computes, so it must not hold up the other requests.
        match tokio::task::spawn_blocking(move || encoding.unpack(packed, limit)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(UnpackError::TooLarge)) => Err(Answer::TooLarge(limit).into()),
            Ok(Err(UnpackError::Damaged)) => Err(Refusal {
                answer: Answer::Damaged,
                size: Some(size),
                body: Some(begin),
                is_packed: true,
            }),
            Err(_) => Err(Answer::Unavailable.into()),
        }
    }

    /// Keeps what was refused, unless its sender is not authorized.
    async fn refuse(&self, refusal: Refusal) -> Answer {
        let Refusal { answer, size, mut body, is_packed } = refusal;
        if let Some(body) = &mut body {
            body.truncate(KEPT_BYTES);
        }
        if let Some((status, reason)) = answer.refusal() {
            // The intake itself reports what it cannot understand or record.
            if !matches!(answer, Answer::Malformed(_) | Answer::Unavailable) {
                tracing::warn!(status = status.as_u16(), reason, "a webhook delivery is refused");
            }
            let refused = RecordRefused {
                received_at: clock::now(),
                status: status.as_u16(),
                result: answer.outcome().into_str(),
                reason,
                size,
                body: body.map(Into::into),
                is_packed,
            };
            self.refusals.keep(refused).await;
        }
        answer
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
