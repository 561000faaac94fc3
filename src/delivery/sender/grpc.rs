//! OTLP over gRPC: the exporter writes the code of a failure, and a partial success,
//! to its own log only. A subscriber of ours reads them there.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderName, HeaderValue};
use opentelemetry_otlp::{
    Compression, LogExporter, RetryPolicy, WithExportConfig, WithTonicConfig,
    tonic_types::{
        metadata::MetadataMap,
        transport::{Certificate, ClientTlsConfig, Identity},
    },
};
use opentelemetry_sdk::error::OTelSdkResult;
use secrecy::ExposeSecret;
use tracing::{
    Dispatch, Event, Id, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

use super::{
    super::{
        OtlpStartError, cause,
        error::{Reason, SendError, Sent},
    },
    retry_info,
};
use crate::config::{ClientIdentity, OtlpConfig};

/// The target of the exporter's own log.
const TARGET: &str = "opentelemetry-otlp";

pub(super) fn exporter(config: &OtlpConfig) -> Result<LogExporter, OtlpStartError> {
    let mut builder = LogExporter::builder()
        .with_tonic()
        .with_timeout(config.timeout)
        .with_retry_policy(RetryPolicy::disabled())
        .with_endpoint(config.endpoint.as_str())
        .with_metadata(metadata(config));
    if config.is_compressed {
        builder = builder.with_compression(Compression::Gzip);
    }
    // Left to itself, the exporter would trust no authority at all.
    if config.endpoint.scheme() == "https" {
        let mut tls = ClientTlsConfig::new().with_enabled_roots();
        if let Some(pem) = &config.certificate {
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        if let Some(ClientIdentity { certificate, key }) = &config.identity {
            tls = tls.identity(Identity::from_pem(certificate, key.expose_secret()));
        }
        builder = builder.with_tls_config(tls);
    }
    Ok(builder.build()?)
}

/// The headers, which gRPC calls metadata.
fn metadata(config: &OtlpConfig) -> MetadataMap {
    let headers = config.headers.iter().filter_map(|(name, value)| {
        // Both were checked when the configuration was read.
        let name = HeaderName::try_from(name).ok()?;
        Some((name, HeaderValue::try_from(value.expose_secret()).ok()?))
    });
    MetadataMap::from_headers(headers.collect())
}

/// Reads the exporter's own log while it exports.
#[derive(Debug)]
pub(super) struct Witness {
    seen: Arc<Mutex<Seen>>,
    dispatch: Dispatch,
}

#[derive(Debug, Default)]
struct Seen {
    code: Option<String>,
    message: String,
    /// The details of a status, as the exporter writes them.
    details: String,
    rejected: u64,
    /// What the collector says of a partial success.
    partial: Option<String>,
}

impl Witness {
    pub(super) fn new() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let dispatch = Dispatch::new(Listener { seen: seen.clone() });
        Self { seen, dispatch }
    }

    /// What the export's future is to log to.
    pub(super) fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }

    /// The outcome of the export that just ended with `result`. `hide` takes
    /// secrets out of the collector's words.
    pub(super) fn judge(
        &self,
        result: &OTelSdkResult,
        hide: impl Fn(&str) -> String,
    ) -> Result<Sent, SendError> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let Err(error) = result else {
            return Ok(Sent { rejected: seen.rejected, message: seen.partial });
        };
        let Some(code) = seen.code else {
            return Err(SendError::new(Reason::Other, "the request could not be made"));
        };
        // The exporter's error has the texts of the transport's errors after the
        // code, and nothing there when the collector itself answered.
        let text = error.to_string();
        let chain = text.split_once("gRPC code: ").and_then(|(_, rest)| rest.split_once(": "));
        let reason = match (Reason::of_code(&code, &seen.message), chain) {
            // The code is the client's own guess: a connection that was cut is no
            // collector that took too long.
            (Reason::Timeout | Reason::Other, Some((_, chain))) if !cause::is_timeout(chain) => {
                Reason::Unavailable
            }
            (reason, _) => reason,
        };
        let cause = match (chain, reason) {
            (Some((_, chain)), _) => cause::of_errors(chain),
            (None, Reason::NotOtlp) => format!(
                "it answered what is no answer of OTLP ({}); the endpoint is not an OTLP receiver \
                 of logs over gRPC",
                cause::clean(&hide(&seen.message))
            ),
            (None, _) => cause::of_code(&code, &hide(&seen.message)),
        };
        Err(SendError { reason, retry_after: retry_info::wait(&seen.details), cause })
    }
}

struct Listener {
    seen: Arc<Mutex<Seen>>,
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Reading(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner)));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Reading<'a>(&'a mut Seen);

impl Visit for Reading<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "grpc_code" => self.0.code = Some(value.to_owned()),
            "grpc_message" => value.clone_into(&mut self.0.message),
            "grpc_details" => value.clone_into(&mut self.0.details),
            "error_message" => {
                self.0.partial = (!value.trim().is_empty()).then(|| value.to_owned());
            }
            _ => {}
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "rejected_log_records" {
            self.0.rejected = u64::try_from(value).unwrap_or(0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
