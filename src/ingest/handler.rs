//! Handles one delivery, from its headers to its answer.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, Method, header, request::Parts},
};

use super::{
    Admission, Ingest, KnownUser, Sources,
    answer::Answer,
    body::{self, BodyError, Limits},
    budget::Share,
    encoding::Encoding,
    failures::{self, Failure},
    intake::Refused,
    source::Client,
    unpack::{self, Unusable},
};
use crate::{clock, domain::client_address, ledger::change::RecordRefused, store::pack_body};

/// Most bytes that are kept of an invalid body.
const KEPT_BYTES: usize = 64 * 1024;

/// A refused request, with what was read of its body.
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
    let answer = match ingest.process_request(request).await {
        Ok(answer) => answer,
        Err(refusal) => ingest.record_refusal(refusal).await,
    };
    ingest.intake.meters().observe_request(answer.outcome(), begun.elapsed().as_secs_f64());
    answer
}

impl Ingest {
    /// Whether the answer depends on the sender being a user of the listener. The listener checks a
    /// password hash, which is slow, only then: not for a request with another credential, and not
    /// for one that is refused in any case.
    #[must_use]
    pub fn needs_user(&self, request: &Request) -> bool {
        if request.method() != Method::POST || request.uri().path() != self.path {
            return false;
        }
        let Admission { credentials, sources, rules } = &*self.admission.borrow().clone();
        let client = find_client(sources, request.extensions(), request.headers());
        let is_refused = |client: Client| {
            let address = client_address(client.address);
            !sources.admits_client(client) || self.failures.is_limited(address, Instant::now())
        };
        !client.is_some_and(is_refused)
            && !credentials.accepts_request(request.headers(), &rules.header)
    }

    /// Authenticates, unpacks, parses and records; each step can refuse the request.
    async fn process_request(&self, request: Request) -> Result<Answer, Refusal> {
        let (head, mut body) = request.into_parts();
        let admission = self.admission.borrow().clone();
        if let Err((answer, failure)) = self.authenticate(&head, &admission) {
            if failure == Failure::Patient {
                body::drain_body(&head.headers, body, body::WHOLE).await;
            }
            return Err(answer.into());
        }
        let encoding = match self.check_headers(&head.headers) {
            Ok(encoding) => encoding,
            Err(answer) => {
                body::drain_body(&head.headers, body, body::WHOLE).await;
                let size = body::announced_bytes(&head.headers);
                return Err(Refusal { size, ..answer.into() });
            }
        };
        let (packed, share) = match self.read_body(&mut body, &head.headers).await {
            Ok(read) => read,
            Err(error) => {
                let (answer, at_most) = match error {
                    BodyError::TooLarge => (Answer::TooLarge(self.max_body_bytes), body::WHOLE),
                    BodyError::Incomplete => (Answer::Incomplete, body::WHOLE),
                    BodyError::NoRoom => (Answer::Unavailable, body::BRIEFLY),
                };
                body::drain_body(&head.headers, body, at_most).await;
                return Err(answer.into());
            }
        };
        let (bytes, share) = self.unpack_body(encoding, packed, share).await?;
        let size = Some(bytes.len());
        match self.intake.record_body(bytes, clock::now(), None, &admission.rules, share).await {
            Ok(recorded) => Ok(Answer::Taken(recorded)),
            Err(Refused::Malformed(malformed, bytes)) => {
                Err(Refusal { size, body: Some(bytes), ..Answer::Malformed(malformed).into() })
            }
            Err(Refused::Unavailable) => Err(Refusal { size, ..Answer::Unavailable.into() }),
        }
    }

    /// Checks network and credential. It comes first, so that an unauthorized sender learns nothing
    /// else. Only failures are counted: others behind the same address cannot lock a sender out.
    fn authenticate(&self, head: &Parts, admission: &Admission) -> Result<(), (Answer, Failure)> {
        let Admission { credentials, sources, rules } = admission;
        let client = find_client(sources, &head.extensions, &head.headers);
        let answer = if client.is_some_and(|client| !sources.admits_client(client)) {
            Answer::Elsewhere
        } else if head.extensions.get::<KnownUser>().is_none()
            && !credentials.accepts_request(&head.headers, &rules.header)
        {
            let (expected, challenges) =
                (credentials.expected_places(&rules.header), credentials.challenges());
            Answer::Unauthorized { expected, challenges }
        } else {
            return Ok(());
        };
        self.log_refusal(&answer, client);
        let failure = client.map_or(Failure::Patient, |client| self.count_failure(client.address));
        Err((answer, failure))
    }

    /// Logs what was expected, throttled; nothing of what was sent, which may be a secret.
    fn log_refusal(&self, answer: &Answer, client: Option<Client>) {
        let told = if matches!(answer, Answer::Elsewhere) {
            &self.told.network
        } else {
            &self.told.credential
        };
        let Some(untold) = told.next(Instant::now()) else { return };
        let client = client.map(|client| client.address.to_string());
        let reason = answer.detail();
        tracing::warn!(client, reason, untold, "a request to the webhook is not authorized");
    }

    fn count_failure(&self, client: IpAddr) -> Failure {
        let failure = self.failures.count_failure(client_address(client), Instant::now());
        match failure {
            Failure::Patient => return failure,
            Failure::FirstLimited => tracing::warn!(
                %client,
                "a client sends one wrong secret after another, or from a network that \
                 webhook.allow_from leaves out; until it pauses, its wrong requests are refused unread"
            ),
            Failure::Uncounted => {
                if let Some(untold) = self.told.crowd.next(Instant::now()) {
                    tracing::warn!(
                        clients = failures::CLIENTS,
                        untold,
                        "more clients than are counted send wrong secrets, or from networks that \
                         webhook.allow_from leaves out; wrong requests of further ones are \
                         refused unread"
                    );
                }
            }
            Failure::Limited => {}
        }
        self.intake.meters().count_limited();
        failure
    }

    /// Checks what can be refused without reading the body.
    fn check_headers(&self, headers: &HeaderMap) -> Result<Encoding, Answer> {
        if !is_json(headers) {
            return Err(Answer::NotJson);
        }
        let encoding = Encoding::from_headers(headers).map_err(Answer::Encoded)?;
        if body::announced_bytes(headers).is_some_and(|bytes| bytes > self.max_body_bytes) {
            return Err(Answer::TooLarge(self.max_body_bytes));
        }
        Ok(encoding)
    }

    /// Reads the body within the budget.
    async fn read_body(
        &self,
        body: &mut Body,
        headers: &HeaderMap,
    ) -> Result<(Vec<u8>, Share), BodyError> {
        let mut share = self.intake.budget().take_share()?;
        let limits =
            Limits { announced: body::announced_bytes(headers), most: self.max_body_bytes };
        let bytes = body::read_body(body, limits, &mut share).await?;
        share.shrink(bytes.len());
        Ok((bytes, share))
    }

    async fn unpack_body(
        &self,
        encoding: Encoding,
        packed: Vec<u8>,
        share: Share,
    ) -> Result<(Vec<u8>, Share), Refusal> {
        let (limit, size) = (self.max_body_bytes, packed.len());
        unpack::unpack_body(encoding, packed, limit, share).await.map_err(|unusable| match unusable
        {
            Unusable::TooLarge => Answer::TooLarge(limit).into(),
            Unusable::Damaged(packed) => Refusal {
                size: Some(size),
                body: Some(packed),
                is_packed: true,
                ..Answer::Damaged.into()
            },
            Unusable::NoRoom => Answer::Unavailable.into(),
        })
    }

    /// Records a refused request, unless its sender is not authorized.
    async fn record_refusal(&self, refusal: Refusal) -> Answer {
        let Refusal { answer, size, mut body, is_packed } = refusal;
        if let Some(body) = &mut body {
            body.truncate(KEPT_BYTES);
            body.shrink_to_fit();
        }
        if let Some((status, reason)) = answer.refusal() {
            // The intake has already logged these two.
            if !matches!(answer, Answer::Malformed(_) | Answer::Unavailable) {
                tracing::warn!(status = status.as_u16(), reason, "a webhook delivery is refused");
            }
            let refused = RecordRefused {
                received_at: clock::now(),
                status: status.as_u16(),
                result: answer.outcome().into_str(),
                reason,
                size,
                body: body.map(pack_body),
                is_packed,
            };
            self.refusals.keep_refusal(refused).await;
        }
        answer
    }
}

/// The client of a request; `None` on a Unix socket, which has no addresses.
fn find_client(sources: &Sources, extensions: &Extensions, headers: &HeaderMap) -> Option<Client> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(sources.find_client(peer.0.ip(), headers))
}

/// Whether the content type is JSON, or is absent.
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
