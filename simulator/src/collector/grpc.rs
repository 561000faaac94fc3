//! OTLP over gRPC.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
    logs_service_server::{LogsService, LogsServiceServer},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

use super::{Refusal, Shelf};

pub(super) async fn serve(listener: TcpListener, shelf: Arc<Shelf>, stop: CancellationToken) {
    let service = LogsServiceServer::new(Logs(shelf));
    let served = Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop.cancelled_owned());
    // It ends when it is told to; a listener that fails shows in whoever uses it.
    let _ = served.await;
}

struct Logs(Arc<Shelf>);

#[tonic::async_trait]
impl LogsService for Logs {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let partial_success = match self.0.take(request.get_ref()) {
            None => None,
            Some(Refusal::Partial(rejected_log_records)) => Some(ExportLogsPartialSuccess {
                rejected_log_records,
                error_message: "dropped on demand".to_owned(),
            }),
            Some(Refusal::Unavailable) => return Err(Status::unavailable("on demand")),
            Some(Refusal::Throttled) => return Err(Status::resource_exhausted("on demand")),
            Some(Refusal::Poison(_)) => return Err(Status::invalid_argument("on demand")),
            Some(Refusal::Answer(..)) => return Err(Status::unimplemented("on demand")),
        };
        Ok(Response::new(ExportLogsServiceResponse { partial_success }))
    }
}
