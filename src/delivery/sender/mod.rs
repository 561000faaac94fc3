//! Sends a batch with the official exporter, and finds out what became of it.

mod answer;
mod grpc;
mod http;
mod retry_info;

use std::{fmt, time::Duration};

use opentelemetry::{InstrumentationScope, KeyValue, logs::LoggerProvider};
use opentelemetry_otlp::LogExporter;
use opentelemetry_sdk::{
    Resource,
    logs::{LogBatch, LogExporter as _, SdkLogRecord, SdkLogger, SdkLoggerProvider},
    resource::TelemetryResourceDetector,
};
use tracing::instrument::WithSubscriber;

use super::{
    OtlpStartError, cause,
    error::{Reason, SendError, Sent},
    record, resource,
    secrets::Secrets,
};
use crate::{
    build_info,
    config::{OtlpConfig, OtlpProtocol},
    store::StoredEvent,
};

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
    secrets: Secrets,
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
    /// A sender by the configuration. `instance_id` becomes `service.instance.id`.
    ///
    /// The official exporter reads standard variables itself: it is told every value, so
    /// that what `config` took from them decides.
    ///
    /// # Errors
    /// When the settings make no usable exporter.
    pub fn new(config: &OtlpConfig, instance_id: &str) -> Result<Self, OtlpStartError> {
        let (mut exporter, transport) = match config.protocol {
            OtlpProtocol::HttpProtobuf => {
                let (exporter, notes) = http::exporter(config)?;
                (exporter, Transport::Http(notes))
            }
            OtlpProtocol::Grpc => (grpc::exporter(config)?, Transport::Grpc(grpc::Witness::new())),
        };
        let attributes = resource::attributes(instance_id, &config.resource);
        let attributes = attributes.into_iter().map(|(key, value)| KeyValue::new(key, value));
        exporter.set_resource(
            &Resource::builder_empty()
                .with_detector(Box::new(TelemetryResourceDetector))
                .with_attributes(attributes)
                .build(),
        );
        let logger = SdkLoggerProvider::builder().build().logger(SCOPE);
        let scope = InstrumentationScope::builder(SCOPE).with_version(build_info::VERSION).build();
        let (timeout, secrets) = (config.timeout, Secrets::of(&config.headers));
        let endpoint = cause::endpoint(config.endpoint.as_str());
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
            Transport::Grpc(witness) => witness.judge(&result, |text| self.secrets.hide(text)),
        }?;
        // Both come from outside. The number is the collector's, within the size of a
        // batch: a counter can never be lowered again.
        sent.rejected = sent.rejected.min(u64::try_from(batch.len()).unwrap_or(u64::MAX));
        sent.message = sent.message.map(|text| cause::clean(&self.secrets.hide(&text)));
        Ok(sent)
    }
}

#[cfg(test)]
mod tests;
