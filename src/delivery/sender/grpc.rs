//! OTLP over gRPC, with the client that the OTLP crates generate.
//!
//! The exporter of `opentelemetry-otlp` wraps the same client but hides its answer: a status
//! becomes a text, and a partial success a line of its own log. Retries depend on both, so the
//! client is called here directly. The batch is converted by the same function as in the exporter.

use std::error::Error as _;

use axum::http::{HeaderName, HeaderValue};
use opentelemetry_proto::{
    tonic::collector::logs::v1::{
        ExportLogsServiceRequest, logs_service_client::LogsServiceClient,
    },
    transform::{
        common::tonic::ResourceAttributesWithSchema, logs::tonic::group_logs_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{Resource, logs::LogBatch};
use secrecy::ExposeSecret;
use tonic::{
    Extensions, Request, Status,
    codec::CompressionEncoding,
    metadata::MetadataMap,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_types::StatusExt as _;

use super::super::{
    OtlpStartError, cause,
    error::{Reason, SendError, Sent},
};
use crate::{
    build_info,
    config::{ClientIdentity, OtlpConfig},
};

/// A client for one collector.
#[derive(Debug)]
pub(super) struct GrpcExporter {
    client: LogsServiceClient<Channel>,
    headers: MetadataMap,
    resource: ResourceAttributesWithSchema,
}

impl GrpcExporter {
    /// A client that connects with its first request.
    pub(super) fn new(config: &OtlpConfig, resource: &Resource) -> Result<Self, OtlpStartError> {
        let mut client = LogsServiceClient::new(channel(config).map_err(OtlpStartError::Grpc)?);
        if config.is_compressed {
            client = client
                .send_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Gzip);
        }
        Ok(Self { client, headers: headers(config), resource: resource.into() })
    }

    /// Sends a batch, once. `hide` replaces secrets in the collector's message.
    pub(super) async fn export(
        &self,
        batch: LogBatch<'_>,
        hide: impl Fn(&str) -> String,
    ) -> Result<Sent, SendError> {
        let resource_logs = group_logs_by_resource_and_scope(&batch, &self.resource);
        let message = ExportLogsServiceRequest { resource_logs };
        let request = Request::from_parts(self.headers.clone(), Extensions::default(), message);
        match self.client.clone().export(request).await {
            Ok(response) => {
                let partial = response.into_inner().partial_success.unwrap_or_default();
                let message = partial.error_message;
                Ok(Sent {
                    rejected: u64::try_from(partial.rejected_log_records).unwrap_or(0),
                    message: (!message.trim().is_empty()).then_some(message),
                })
            }
            Err(status) => Err(send_error(&status, hide)),
        }
    }
}

fn channel(config: &OtlpConfig) -> Result<Channel, tonic::transport::Error> {
    let mut endpoint = Endpoint::from_shared(config.endpoint.to_string())?
        .user_agent(format!("cii-exporter/{}", build_info::VERSION))?
        .timeout(config.timeout);
    if config.endpoint.scheme() == "https" {
        // Without this, the client trusts no certificate authority.
        let mut tls = ClientTlsConfig::new().with_enabled_roots();
        if let Some(pem) = &config.certificate {
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        if let Some(ClientIdentity { certificate, key }) = &config.identity {
            tls = tls.identity(Identity::from_pem(certificate, key.expose_secret()));
        }
        endpoint = endpoint.tls_config(tls)?;
    }
    Ok(endpoint.connect_lazy())
}

/// The headers, which gRPC calls metadata.
fn headers(config: &OtlpConfig) -> MetadataMap {
    let headers = config.headers.iter().filter_map(|(name, value)| {
        // Names and values were checked when the configuration was read.
        let name = HeaderName::try_from(name).ok()?;
        let mut value = HeaderValue::try_from(value.expose_secret()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    });
    MetadataMap::from_headers(headers.collect())
}

fn send_error(status: &Status, hide: impl Fn(&str) -> String) -> SendError {
    let code = status.code();
    // Only a status that the client made itself, without an answer, has a source.
    let chain = status.source().is_some().then(|| cause::join_sources(status));
    let reason = match (Reason::from_code(code, status.message()), &chain) {
        // The code is the client's guess: a connection that was cut is not a timeout of the
        // collector.
        (Reason::Timeout | Reason::Other, Some(chain)) if !cause::is_timeout(chain) => {
            Reason::Unavailable
        }
        (reason, _) => reason,
    };
    let cause = match (&chain, reason) {
        (Some(chain), _) => cause::describe_errors(chain),
        (None, Reason::NotOtlp) => format!(
            "it answered what is no answer of OTLP ({}); the endpoint is not an OTLP receiver of \
             logs over gRPC",
            cause::sanitize(&hide(status.message()))
        ),
        (None, _) => cause::describe_code(code, &hide(status.message())),
    };
    let retry_after = status.get_details_retry_info().and_then(|info| info.retry_delay);
    SendError { reason, retry_after, cause }
}
