//! OTLP over HTTP with protobuf.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use prost::Message;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Refusal, Shelf};

/// The largest batch that is taken.
const MAX_BODY: usize = 64 * 1024 * 1024;

pub(super) async fn serve(listener: TcpListener, shelf: Arc<Shelf>, stop: CancellationToken) {
    let router = Router::new()
        .route("/v1/logs", post(take))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shelf);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    // It ends when it is told to; a listener that fails shows in whoever uses it.
    let _ = served.await;
}

async fn take(State(shelf): State<Arc<Shelf>>, body: Bytes) -> Response {
    let Ok(request) = ExportLogsServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let partial_success = match shelf.take(&request) {
        None => None,
        Some(Refusal::Partial(rejected_log_records)) => Some(ExportLogsPartialSuccess {
            rejected_log_records,
            error_message: "dropped on demand".to_owned(),
        }),
        Some(Refusal::Unavailable) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Refusal::Throttled) => return StatusCode::TOO_MANY_REQUESTS.into_response(),
        Some(Refusal::Poison(_)) => return StatusCode::BAD_REQUEST.into_response(),
        Some(Refusal::Answer(status, content_type, body)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            return (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
        }
    };
    let answer = ExportLogsServiceResponse { partial_success };
    ([(header::CONTENT_TYPE, "application/x-protobuf")], answer.encode_to_vec()).into_response()
}
