//! Sends a batch with the official exporter, and learns what became of it.

mod grpc;
mod http;

use std::{fmt, time::Duration};

use opentelemetry::{InstrumentationScope, KeyValue, logs::LoggerProvider};
use opentelemetry_otlp::LogExporter;
use opentelemetry_sdk::{
    Resource,
    logs::{LogBatch, LogExporter as _, SdkLogRecord, SdkLogger, SdkLoggerProvider},
};
use tracing::instrument::WithSubscriber;

use super::{
    OtlpSettings, OtlpStartError, Protocol,
    error::{Reason, SendError, Sent},
    record,
    settings::Resolved,
};
use crate::{build_info, store::StoredEvent};

const SERVICE: &str = "cii-exporter";

/// What the transport's own clock may be late by before it is cut off.
const GRACE: Duration = Duration::from_secs(1);

/// Sends batches of events to one collector.
pub struct Sender {
    exporter: LogExporter,
    logger: SdkLogger,
    scope: InstrumentationScope,
    transport: Transport,
    timeout: Duration,
}

/// The exporter is left out: it would show the headers, and they hold secrets.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("transport", &self.transport)
            .field("timeout", &self.timeout)
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
        Self::from_resolved(&settings.resolve(|name| std::env::var(name).ok())?, instance_id)
    }

    fn from_resolved(resolved: &Resolved, instance_id: &str) -> Result<Self, OtlpStartError> {
        let (mut exporter, transport) = match resolved.protocol {
            Protocol::HttpProtobuf => {
                let (exporter, notes) = http::exporter(resolved)?;
                (exporter, Transport::Http(notes))
            }
            Protocol::Grpc => (grpc::exporter(resolved)?, Transport::Grpc(grpc::Witness::new())),
        };
        exporter.set_resource(
            &Resource::builder()
                .with_service_name(SERVICE)
                .with_attribute(KeyValue::new("service.version", build_info::VERSION))
                .with_attribute(KeyValue::new("service.instance.id", instance_id.to_owned()))
                .build(),
        );
        let logger = SdkLoggerProvider::builder().build().logger(SERVICE);
        let scope =
            InstrumentationScope::builder(SERVICE).with_version(build_info::VERSION).build();
        Ok(Self { exporter, logger, scope, transport, timeout: resolved.timeout })
    }

    /// Sends a batch, once.
    pub(super) async fn send(&self, events: &[StoredEvent]) -> Result<Sent, SendError> {
        let records: Vec<SdkLogRecord> =
            events.iter().map(|event| record::record(&self.logger, event)).collect();
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
            return Err(SendError { reason: Reason::Timeout, retry_after: None });
        };
        match &self.transport {
            Transport::Http(notes) => notes.judge(result.is_ok()),
            Transport::Grpc(witness) => witness.judge(result.is_ok()),
        }
    }
}

#[cfg(test)]
mod tests;
