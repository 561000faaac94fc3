//! Sends a batch and determines its outcome.

mod answer;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod grpc;
mod http;

use std::{
    fmt,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

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
    ocsf, record,
    resource::{self, Origin},
    secrets::Secrets,
};
use crate::{
    build_info,
    config::{OtlpConfig, OtlpProtocol, UserLabel},
    domain::TenantId,
    store::StoredEvent,
};

/// The name of the instrumentation scope.
const SCOPE: &str = "cii-exporter";

/// The version of the semantic conventions that define the names of attributes.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.44.0";

/// The extra time that the transport's own timeout gets before the request is aborted.
const GRACE: Duration = Duration::from_secs(1);

/// Sends batches of events to one collector.
pub struct Sender {
    logger: SdkLogger,
    scope: InstrumentationScope,
    /// Replaced when the tenant's id becomes known: it holds the resource.
    transport: RwLock<Arc<Transport>>,
    config: OtlpConfig,
    origin: Origin,
    is_identified: AtomicBool,
    /// The tenant's id, if it became known after the start.
    tenant_id: OnceLock<TenantId>,
    timeout: Duration,
    endpoint: String,
    /// How users are named.
    user_label: UserLabel,
    /// Values of headers, which a collector may repeat in its messages.
    secrets: Secrets,
}

/// Leaves out the transport: it would show the headers, which hold secrets.
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

impl Transport {
    fn new(config: &OtlpConfig, origin: &Origin) -> Result<Self, OtlpStartError> {
        let attributes = resource::attributes(origin, &config.resource);
        let attributes = attributes.into_iter().map(|(key, value)| KeyValue::new(key, value));
        let resource = Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_schema_url(attributes, SCHEMA)
            .build();
        Ok(match config.protocol {
            OtlpProtocol::HttpProtobuf => Self::Http(HttpExporter::new(config, &resource)?),
            OtlpProtocol::Grpc => Self::Grpc(GrpcExporter::new(config, &resource)?),
        })
    }
}

impl Sender {
    /// A sender with this configuration, for events of this origin.
    ///
    /// # Errors
    /// When no exporter can be built from the settings.
    pub fn new(config: &OtlpConfig, origin: Origin) -> Result<Self, OtlpStartError> {
        let transport = RwLock::new(Arc::new(Transport::new(config, &origin)?));
        let is_identified = AtomicBool::new(origin.tenant_id.is_some());
        let logger = SdkLoggerProvider::builder().build().logger(SCOPE);
        let scope = InstrumentationScope::builder(SCOPE)
            .with_version(build_info::VERSION)
            .with_schema_url(SCHEMA)
            .build();
        let (timeout, secrets) = (config.timeout, Secrets::from_headers(&config.headers));
        let endpoint = cause::redact_endpoint(config.endpoint.as_str());
        let user_label = config.user_label.clone();
        Ok(Self {
            logger,
            scope,
            transport,
            config: config.clone(),
            origin,
            is_identified,
            tenant_id: OnceLock::new(),
            timeout,
            endpoint,
            user_label,
            secrets,
        })
    }

    /// Whether batches name the tenant.
    pub(super) fn is_identified(&self) -> bool {
        self.is_identified.load(Ordering::Relaxed)
    }

    /// Sets the tenant that further batches name.
    pub(super) fn identify(&self, tenant: TenantId) {
        // The first tenant's id stays.
        let _ = self.tenant_id.set(tenant);
        let origin = Origin { tenant_id: Some(tenant), ..self.origin.clone() };
        match Transport::new(&self.config, &origin) {
            Ok(transport) => {
                let transport = Arc::new(transport);
                *self.transport.write().unwrap_or_else(PoisonError::into_inner) = transport;
                self.is_identified.store(true, Ordering::Relaxed);
            }
            // It was built the same way at the start; the next batch tries again.
            Err(error) => {
                tracing::warn!(%error, "events do not say yet which tenant they are from");
            }
        }
    }

    fn ocsf_source(&self) -> ocsf::Source {
        let tenant_id = self.tenant_id.get().copied().or(self.origin.tenant_id);
        ocsf::Source { instance_id: self.origin.instance_id.clone(), tenant_id }
    }

    /// The URL of the collector, without user, password and query.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends a batch without records, which every OTLP receiver accepts.
    ///
    /// # Errors
    /// Why the collector did not accept it.
    pub async fn try_out(&self) -> Result<(), String> {
        self.send(Vec::new()).await.map(|_| ()).map_err(|error| error.cause)
    }

    /// Sends a batch, once.
    pub(super) async fn send(&self, events: Vec<StoredEvent>) -> Result<Sent, SendError> {
        let ocsf = self.config.ocsf.then(|| self.ocsf_source());
        let of = |event| record::build_record(&self.logger, &self.user_label, ocsf.as_ref(), event);
        let records: Vec<SdkLogRecord> = events.into_iter().map(of).collect();
        let batch: Vec<_> = records.iter().map(|record| (record, &self.scope)).collect();
        let transport = self.transport.read().unwrap_or_else(PoisonError::into_inner).clone();
        let export = async {
            let batch = LogBatch::new(&batch);
            match &*transport {
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
        // Both come from outside. The number is limited to the size of the batch, because a counter
        // can never be lowered again.
        sent.rejected = sent.rejected.min(u64::try_from(batch.len()).unwrap_or(u64::MAX));
        sent.message = sent.message.map(|text| cause::sanitize(&self.secrets.hide(&text)));
        Ok(sent)
    }
}

#[cfg(test)]
mod tests;
