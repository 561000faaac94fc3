//! OTLP over HTTP: a client around the exporter's, that notes what the exporter
//! does not pass on.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, Request, Response, header::RETRY_AFTER};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{LogExporter, RetryPolicy, WithExportConfig, WithHttpConfig};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use prost::Message;
use reqwest::{Certificate, Identity, redirect};
use tracing::{Dispatch, subscriber::NoSubscriber};

use super::super::{
    OtlpStartError,
    error::{Reason, SendError, Sent},
    settings::Resolved,
};

/// The longest answer of a collector that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// The exporter, and the notes of its client.
pub(super) fn exporter(resolved: &Resolved) -> Result<(LogExporter, Notes), OtlpStartError> {
    let notes = Notes::default();
    let client = NotingClient { client: client(resolved)?, notes: notes.clone() };
    let mut builder = LogExporter::builder()
        .with_http()
        .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
        .with_http_client(client)
        .with_retry_policy(RetryPolicy::disabled());
    if let Some(endpoint) = &resolved.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    Ok((builder.build()?, notes))
}

/// Where the exporter's own log goes.
pub(super) fn silence() -> Dispatch {
    Dispatch::new(NoSubscriber::new())
}

fn client(resolved: &Resolved) -> Result<reqwest::Client, OtlpStartError> {
    let mut builder =
        reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(resolved.timeout);
    if let Some(pem) = &resolved.certificate {
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(OtlpStartError::Http)?;
        builder = builder.tls_certs_merge([certificate]);
    }
    if let Some((certificate, key)) = &resolved.identity {
        let pem = format!("{certificate}\n{key}");
        builder =
            builder.identity(Identity::from_pem(pem.as_bytes()).map_err(OtlpStartError::Http)?);
    }
    builder.build().map_err(OtlpStartError::Http)
}

/// What became of the last request; the exporter makes one at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Option<Result<Sent, SendError>>>>);

impl Notes {
    /// The outcome of the export that just ended.
    pub(super) fn judge(&self, is_ok: bool) -> Result<Sent, SendError> {
        let note = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (note, is_ok) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(sent)), true) => Ok(sent),
            // The request was never made, or its answer not understood.
            _ => Err(SendError { reason: Reason::Other, retry_after: None }),
        }
    }

    fn note(&self, outcome: Result<Sent, SendError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

#[derive(Debug)]
struct NotingClient {
    client: reqwest::Client,
    notes: Notes,
}

#[async_trait::async_trait]
impl HttpClient for NotingClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answered = self.exchange(request).await;
        self.notes.note(match &answered {
            Ok(response) => judge(response),
            Err(error) => {
                let is_timeout =
                    error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout);
                let reason = if is_timeout { Reason::Timeout } else { Reason::Unavailable };
                Err(SendError { reason, retry_after: None })
            }
        });
        answered
    }
}

impl NotingClient {
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut response = self.client.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err("the collector's answer is too long".into());
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = Response::new(Bytes::from(body));
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

fn judge(response: &Response<Bytes>) -> Result<Sent, SendError> {
    let status = response.status();
    if !status.is_success() {
        let reason = Reason::of_status(status.as_u16());
        return Err(SendError { reason, retry_after: retry_after(response.headers()) });
    }
    let partial = ExportLogsServiceResponse::decode(response.body().as_ref())
        .ok()
        .and_then(|answer| answer.partial_success);
    let rejected = partial.map_or(0, |partial| partial.rejected_log_records);
    Ok(Sent { rejected: u64::try_from(rejected).unwrap_or(0) })
}

/// `Retry-After` in seconds; collectors send no dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
