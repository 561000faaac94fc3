//! OTLP over HTTP: wraps the official exporter's client, to record what the exporter does not
//! return.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::Read as _,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{
    Request, Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use flate2::read::MultiGzDecoder;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{Compression, LogExporter, RetryPolicy, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter as _},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Certificate, Identity, redirect};
use secrecy::ExposeSecret;

use super::{
    super::{
        OtlpStartError, cause,
        error::{Reason, SendError, Sent},
    },
    answer,
};
use crate::{
    clock,
    config::{ClientIdentity, OtlpConfig},
    domain::retry_after,
};

/// Maximum bytes of an answer that are read.
const MAX_ANSWER: usize = 1024 * 1024;

/// The official exporter, and the outcomes that its client recorded.
pub(super) struct HttpExporter {
    exporter: LogExporter,
    notes: Notes,
}

impl HttpExporter {
    /// Builds the exporter. It would read standard environment variables itself, so every value is
    /// set explicitly, from what `config` took from them.
    pub(super) fn new(config: &OtlpConfig, resource: &Resource) -> Result<Self, OtlpStartError> {
        let notes = Notes::default();
        let client = NotingClient { client: build_client(config)?, notes: notes.clone() };
        let mut builder = LogExporter::builder()
            .with_http()
            .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
            .with_http_client(client)
            // The courier retries: only it knows the order of batches and the cursor.
            .with_retry_policy(RetryPolicy::disabled())
            .with_endpoint(config.endpoint.as_str())
            .with_timeout(config.timeout)
            .with_headers(encode_headers(config));
        if config.is_compressed {
            builder = builder.with_compression(Compression::Gzip);
        }
        let mut exporter = builder.build()?;
        exporter.set_resource(resource);
        Ok(Self { exporter, notes })
    }

    /// Sends a batch, once.
    pub(super) async fn export(&self, batch: LogBatch<'_>) -> Result<Sent, SendError> {
        let result = self.exporter.export(batch).await;
        self.notes.take_outcome(&result)
    }
}

/// The headers, percent-encoded: the exporter decodes the values it is given.
fn encode_headers(config: &OtlpConfig) -> HashMap<String, String> {
    let encode = |value: &str| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    let headers = config.headers.iter();
    headers.map(|(name, value)| (name.clone(), encode(value.expose_secret()))).collect()
}

fn build_client(config: &OtlpConfig) -> Result<reqwest::Client, OtlpStartError> {
    // A redirect could lead to a host that must get neither the events nor the headers.
    let mut builder =
        reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(config.timeout);
    if let Some(pem) = &config.certificate {
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(OtlpStartError::Http)?;
        builder = builder.tls_certs_merge([certificate]);
    }
    if let Some(ClientIdentity { certificate, key }) = &config.identity {
        let pem = format!("{certificate}\n{}", key.expose_secret());
        builder =
            builder.identity(Identity::from_pem(pem.as_bytes()).map_err(OtlpStartError::Http)?);
    }
    builder.build().map_err(OtlpStartError::Http)
}

/// The outcome of the last request; the exporter sends one at a time.
#[derive(Debug, Clone, Default)]
struct Notes(Arc<Mutex<Option<Result<Sent, SendError>>>>);

impl Notes {
    /// Takes the outcome of the export that just ended with `result`.
    fn take_outcome(&self, result: &OTelSdkResult) -> Result<Sent, SendError> {
        let note = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (note, result) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(sent)), Ok(())) => Ok(sent),
            // The exporter rejects a body above its own limit; a smaller batch may pass.
            (_, Err(error)) if error.to_string().contains("request body") => {
                Err(SendError::new(Reason::Refused, "the batch is too large to be sent"))
            }
            // The request was never sent, or its answer could not be read.
            _ => Err(SendError::new(Reason::Other, "the request could not be made")),
        }
    }

    fn record_outcome(&self, outcome: Result<Sent, SendError>) {
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
        self.notes.record_outcome(match &answered {
            Ok(response) => read_response(response),
            Err(error) => Err(send_error(error)),
        });
        Ok(answered?)
    }
}

impl NotingClient {
    /// Sends a request. An answer is cut at the limit: the first part is enough to see that it is
    /// no OTLP answer.
    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, reqwest::Error> {
        let mut response = self.client.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                body.truncate(MAX_ANSWER);
                break;
            }
        }
        let mut answer = Response::new(Bytes::from(body));
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

fn send_error(error: &reqwest::Error) -> SendError {
    if error.is_timeout() {
        return SendError::new(Reason::Timeout, "there was no answer in time");
    }
    SendError::new(Reason::Unavailable, cause::describe_errors(&cause::join_sources(error)))
}

fn read_response(response: &Response<Bytes>) -> Result<Sent, SendError> {
    let status = response.status();
    let header = |name| response.headers().get(name)?.to_str().ok();
    if !status.is_success() {
        return Err(SendError {
            reason: Reason::from_status(status.as_u16()),
            retry_after: header(RETRY_AFTER).and_then(|text| retry_after(text, clock::now())),
            cause: cause::describe_status(status, header(LOCATION)),
        });
    }
    let body = decompress(header(CONTENT_ENCODING), response.body());
    answer::read_answer(status, header(CONTENT_TYPE), &body)
        .map_err(|words| SendError::new(Reason::NotOtlp, cause::sanitize(&words)))
}

/// The body without gzip, which some proxies add unasked. A damaged body, or one with another
/// encoding, is returned unchanged and then fails as no OTLP answer.
fn decompress<'a>(encoding: Option<&str>, body: &'a [u8]) -> Cow<'a, [u8]> {
    let is_gzip = encoding.is_some_and(|name| {
        let name = name.trim();
        name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip")
    });
    if !is_gzip || body.is_empty() {
        return Cow::Borrowed(body);
    }
    let mut unpacked = Vec::new();
    let limit = u64::try_from(MAX_ANSWER).unwrap_or(u64::MAX);
    match MultiGzDecoder::new(body).take(limit).read_to_end(&mut unpacked) {
        Ok(_) => Cow::Owned(unpacked),
        Err(_) => Cow::Borrowed(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_be_packed() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, b"{}").unwrap();
        let packed = encoder.finish().unwrap();
        let answered = |encoding: &'static str, body: &[u8]| {
            let mut response = Response::new(Bytes::copy_from_slice(body));
            response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
            response.headers_mut().insert(CONTENT_ENCODING, encoding.parse().unwrap());
            read_response(&response).is_ok()
        };
        assert!(answered("gzip", &packed) && answered("GZIP", b"") && answered("identity", b"{}"));
        assert!(!answered("gzip", &packed[..9]) && !answered("gzip", b"<html>"));
        assert!(!answered("br", &packed) && !answered("", &packed));
    }
}
