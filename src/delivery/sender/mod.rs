//! Sends a batch with the official exporter, and finds out what became of it.

mod answer;
mod grpc;
mod http;
mod retry_info;

use std::{collections::BTreeMap, fmt, time::Duration};

use opentelemetry::{InstrumentationScope, KeyValue, logs::LoggerProvider};
use opentelemetry_otlp::LogExporter;
use opentelemetry_sdk::{
    Resource,
    logs::{LogBatch, LogExporter as _, SdkLogRecord, SdkLogger, SdkLoggerProvider},
    resource::TelemetryResourceDetector,
};
use secrecy::{ExposeSecret, SecretString};
use tracing::instrument::WithSubscriber;

use super::{
    OtlpSettings, OtlpStartError, Protocol, cause,
    error::{Reason, SendError, Sent},
    record,
    resource::{self, ResourceAttributes},
    settings::Resolved,
};
use crate::{build_info, store::StoredEvent};

/// The name of the instrumentation scope.
const SCOPE: &str = "cii-exporter";

/// What the transport's own clock may be late by before it is cut off.
const GRACE: Duration = Duration::from_secs(1);

/// Sends batches of events to one collector.
pub struct Sender {
    exporter: LogExporter,
    logger: SdkLogger,
    scope: InstrumentationScope,
    transport: Transport,
    timeout: Duration,
    endpoint: String,
    /// Values of headers, which a collector may repeat in its words.
    secrets: Vec<SecretString>,
}

/// The exporter is left out: it would show the headers, and they hold secrets.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("transport", &self.transport)
            .field("timeout", &self.timeout)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Transport {
    Http(http::Notes),
    Grpc(grpc::Witness),
}

impl Sender {
    /// A sender by the configuration and the process's environment.
    /// `instance_id` becomes `service.instance.id`.
    ///
    /// # Errors
    /// When the settings make no usable exporter.
    pub fn new(settings: &OtlpSettings, instance_id: &str) -> Result<Self, OtlpStartError> {
        let variable = |name: &str| std::env::var(name).ok();
        let ResourceAttributes { attributes, malformed } =
            resource::attributes(instance_id, variable);
        if !malformed.is_empty() {
            tracing::warn!(
                entries = ?malformed,
                "entries of OTEL_RESOURCE_ATTRIBUTES are not key=value and are ignored"
            );
        }
        Self::from_resolved(&settings.resolve(variable)?, attributes)
    }

    fn from_resolved(
        resolved: &Resolved,
        attributes: BTreeMap<String, String>,
    ) -> Result<Self, OtlpStartError> {
        let (mut exporter, transport) = match resolved.protocol {
            Protocol::HttpProtobuf => {
                let (exporter, notes) = http::exporter(resolved)?;
                (exporter, Transport::Http(notes))
            }
            Protocol::Grpc => (grpc::exporter(resolved)?, Transport::Grpc(grpc::Witness::new())),
        };
        let attributes = attributes.into_iter().map(|(key, value)| KeyValue::new(key, value));
        exporter.set_resource(
            &Resource::builder_empty()
                .with_detector(Box::new(TelemetryResourceDetector))
                .with_attributes(attributes)
                .build(),
        );
        let logger = SdkLoggerProvider::builder().build().logger(SCOPE);
        let scope = InstrumentationScope::builder(SCOPE).with_version(build_info::VERSION).build();
        let (timeout, secrets) = (resolved.timeout, resolved.secrets.clone());
        let endpoint = cause::endpoint(&resolved.target);
        Ok(Self { exporter, logger, scope, transport, timeout, endpoint, secrets })
    }

    /// Where batches go, without user, password and query.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends a batch, once.
    pub(super) async fn send(&self, events: Vec<StoredEvent>) -> Result<Sent, SendError> {
        let records: Vec<SdkLogRecord> =
            events.into_iter().map(|event| record::record(&self.logger, event)).collect();
        let batch: Vec<_> = records.iter().map(|record| (record, &self.scope)).collect();
        // The exporter's own words, that data "will be lost", are not true here:
        // they go to nobody, or to the witness.
        let export =
            self.exporter.export(LogBatch::new(&batch)).with_subscriber(match &self.transport {
                Transport::Http(_) => http::silence(),
                Transport::Grpc(witness) => witness.dispatch(),
            });
        let ended = tokio::time::timeout(self.timeout + GRACE, export).await;
        let Ok(result) = ended else {
            return Err(SendError::new(Reason::Timeout, "there was no answer in time"));
        };
        let mut sent = match &self.transport {
            Transport::Http(notes) => notes.judge(&result),
            Transport::Grpc(witness) => witness.judge(&result, |text| self.hide(text)),
        }?;
        // Both come from outside. The number is the collector's, within the size of a
        // batch: a counter can never be lowered again.
        sent.rejected = sent.rejected.min(u64::try_from(batch.len()).unwrap_or(u64::MAX));
        sent.message = sent.message.map(|text| cause::clean(&self.hide(&text)));
        Ok(sent)
    }

    fn hide(&self, text: &str) -> String {
        let hide =
            |text: String, secret: &SecretString| text.replace(secret.expose_secret(), "[hidden]");
        self.secrets.iter().fold(text.to_owned(), hide)
    }
}

#[cfg(test)]
mod tests;
