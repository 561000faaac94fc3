//! Sends a batch, and finds out what became of it.

mod answer;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod grpc;
mod http;

use std::{fmt, time::Duration};

use opentelemetry::{InstrumentationScope, KeyValue, logs::LoggerProvider};
use opentelemetry_sdk::{
    Resource,
    logs::{LogBatch, SdkLogRecord, SdkLogger, SdkLoggerProvider},
    resource::TelemetryResourceDetector,
};

use self::{grpc::GrpcExporter, http::HttpExporter};
use super::{
    OtlpStartError, cause,
    error::{Reason, SendError, Sent},
    record, resource,
    secrets::Secrets,
};
use crate::{
    build_info,
    config::{OtlpConfig, OtlpProtocol, UserLabel},
    store::StoredEvent,
};

/// The name of the instrumentation scope.
const SCOPE: &str = "cii-exporter";

/// What the transport's own clock may be late by before it is cut off.
const GRACE: Duration = Duration::from_secs(1);

/// Sends batches of events to one collector.
pub struct Sender {
    logger: SdkLogger,
    scope: InstrumentationScope,
    transport: Transport,
    timeout: Duration,
    endpoint: String,
    /// By what users are named.
    user_label: UserLabel,
    /// Values of headers, which a collector may repeat in its words.
    secrets: Secrets,
}

/// The transport is left out: it would show the headers, and they hold secrets.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("timeout", &self.timeout)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

enum Transport {
    Http(HttpExporter),
    Grpc(GrpcExporter),
}

impl Sender {
    /// A sender by the configuration. `instance_id` becomes `service.instance.id`.
    ///
    /// # Errors
    /// When the settings make no usable exporter.
    pub fn new(config: &OtlpConfig, instance_id: &str) -> Result<Self, OtlpStartError> {
        let attributes = resource::attributes(instance_id, &config.resource);
        let attributes = attributes.into_iter().map(|(key, value)| KeyValue::new(key, value));
        let resource = Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_attributes(attributes)
            .build();
        let transport = match config.protocol {
            OtlpProtocol::HttpProtobuf => Transport::Http(HttpExporter::new(config, &resource)?),
            OtlpProtocol::Grpc => Transport::Grpc(GrpcExporter::new(config, &resource)?),
        };
        let logger = SdkLoggerProvider::builder().build().logger(SCOPE);
        let scope = InstrumentationScope::builder(SCOPE).with_version(build_info::VERSION).build();
        let (timeout, secrets) = (config.timeout, Secrets::of(&config.headers));
        let endpoint = cause::endpoint(config.endpoint.as_str());
        let user_label = config.user_label.clone();
        Ok(Self { logger, scope, transport, timeout, endpoint, user_label, secrets })
    }

    /// Where batches go, without user, password and query.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends a batch, once.
    pub(super) async fn send(&self, events: Vec<StoredEvent>) -> Result<Sent, SendError> {
        let of = |event| record::record(&self.logger, &self.user_label, event);
        let records: Vec<SdkLogRecord> = events.into_iter().map(of).collect();
        let batch: Vec<_> = records.iter().map(|record| (record, &self.scope)).collect();
        let export = async {
            let batch = LogBatch::new(&batch);
            match &self.transport {
                Transport::Http(exporter) => exporter.export(batch).await,
                Transport::Grpc(exporter) => {
                    exporter.export(batch, |text| self.secrets.hide(text)).await
                }
            }
        };
        let Ok(sent) = tokio::time::timeout(self.timeout + GRACE, export).await else {
            return Err(SendError::new(Reason::Timeout, "there was no answer in time"));
        };
        let mut sent = sent?;
        // Both come from outside. The number is the collector's, within the size of a
        // batch: a counter can never be lowered again.
        sent.rejected = sent.rejected.min(u64::try_from(batch.len()).unwrap_or(u64::MAX));
        sent.message = sent.message.map(|text| cause::clean(&self.secrets.hide(&text)));
        Ok(sent)
    }
}

#[cfg(test)]
mod tests;
