use std::sync::Arc;

use axum::{http::StatusCode, response::IntoResponse};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
    logs_service_server::{LogsService, LogsServiceServer},
};
use tokio::{io::AsyncWriteExt, sync::mpsc};
use tonic::{
    Code, Request, Response, Status,
    codec::CompressionEncoding,
    transport::server::{Server, TcpIncoming},
};

use tonic_types::{ErrorDetails, StatusExt as _};

use super::*;

type Answer = fn() -> Result<ExportLogsServiceResponse, Status>;

/// A receiver that answers everything with what `answer` makes.
struct Receiver {
    answer: Answer,
    heard: mpsc::UnboundedSender<Request<ExportLogsServiceRequest>>,
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.heard.send(request).unwrap();
        (self.answer)().map(Response::new)
    }
}

type Heard = mpsc::UnboundedReceiver<Request<ExportLogsServiceRequest>>;

fn receiver(answer: Answer) -> (String, Heard) {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", incoming.local_addr().unwrap());
    let (heard, requests) = mpsc::unbounded_channel();
    let service = LogsServiceServer::from_arc(Arc::new(Receiver { answer, heard }))
        .accept_compressed(CompressionEncoding::Gzip);
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    (endpoint, requests)
}

async fn send_to(answer: Answer) -> Result<Sent, SendError> {
    let (endpoint, mut requests) = receiver(answer);
    let sent = sender(Protocol::Grpc, &endpoint, PATIENCE).send(events(3)).await;
    let request = requests.recv().await.unwrap().into_inner();
    assert_eq!(request.resource_logs[0].scope_logs[0].log_records.len(), 3);
    assert!(requests.try_recv().is_err(), "tried once");
    sent
}

#[tokio::test]
async fn what_is_taken_is_sent() {
    assert_eq!(send_to(|| Ok(ExportLogsServiceResponse::default())).await, Ok(Sent::default()));
}

#[tokio::test]
async fn headers_and_compression_of_the_variables_go_with_each_request() {
    let (endpoint, mut requests) = receiver(|| Ok(ExportLogsServiceResponse::default()));
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc,x-tenant=a"),
        ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "gzip"),
    ];
    let sender = sender_with(Protocol::Grpc, &endpoint, &variables);
    for _ in 0..2 {
        assert_eq!(sender.send(events(3)).await, Ok(Sent::default()));
        let request = requests.recv().await.unwrap();
        for (name, value) in [
            ("authorization", "Bearer abc"),
            ("x-tenant", "a"),
            ("grpc-encoding", "gzip"),
            ("grpc-accept-encoding", "gzip,identity"),
        ] {
            assert_eq!(request.metadata().get(name).unwrap(), value, "{name}");
        }
        let agent = request.metadata().get("user-agent").unwrap().to_str().unwrap();
        assert!(agent.starts_with("cii-exporter/"), "{agent}");
    }
}

#[tokio::test]
async fn a_partial_success_is_seen_once() {
    let (endpoint, _requests) = receiver(|| {
        let partial = ExportLogsPartialSuccess {
            rejected_log_records: 2,
            error_message: "too old".to_owned(),
        };
        Ok(ExportLogsServiceResponse { partial_success: Some(partial) })
    });
    let sender = sender(Protocol::Grpc, &endpoint, PATIENCE);
    for _ in 0..2 {
        assert_eq!(sender.send(events(3)).await, Ok(dropped(2, "too old")));
    }
}

#[tokio::test]
async fn each_code_has_its_reason() {
    let cases: [(Answer, _); 9] = [
        (|| Err(Status::new(Code::Unavailable, "")), Reason::Unavailable),
        (|| Err(Status::new(Code::ResourceExhausted, "")), Reason::Throttled),
        (|| Err(Status::new(Code::DeadlineExceeded, "")), Reason::Timeout),
        (|| Err(Status::new(Code::Unauthenticated, "")), Reason::Unauthorized),
        (|| Err(Status::new(Code::PermissionDenied, "")), Reason::Unauthorized),
        (|| Err(Status::new(Code::Unimplemented, "")), Reason::NotFound),
        (|| Err(Status::new(Code::InvalidArgument, "")), Reason::Refused),
        (|| Err(Status::new(Code::OutOfRange, "")), Reason::Refused),
        (|| Err(Status::new(Code::Internal, "")), Reason::Other),
    ];
    for (answer, reason) in cases {
        assert_eq!(without_words(send_to(answer).await), failure(reason, None));
    }
}

/// The answer of grpc-go to a message above its limit. The same batch fails again, but a smaller
/// one may pass.
#[tokio::test]
async fn a_batch_that_is_too_large_is_refused_and_not_throttled() {
    let answer: Answer = || {
        let text = "grpc: received message larger than max (5000000 vs. 4194304)";
        Err(Status::new(Code::ResourceExhausted, text))
    };
    assert_eq!(without_words(send_to(answer).await), failure(Reason::Refused, None));
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let sender = sender(Protocol::Grpc, NOBODY, PATIENCE);
    assert_eq!(without_words(sender.send(events(1)).await), failure(Reason::Unavailable, None));
}

#[tokio::test]
async fn a_collector_that_hangs_runs_into_the_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let sender = sender(Protocol::Grpc, &endpoint, 200);
    assert_eq!(without_words(sender.send(events(1)).await), failure(Reason::Timeout, None));
}

#[tokio::test]
async fn a_wait_that_the_collector_asks_for_is_passed_on() {
    let answer: Answer = || {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(7)));
        Err(Status::with_error_details(Code::ResourceExhausted, "busy", details))
    };
    assert_eq!(without_words(send_to(answer).await), failure(Reason::Throttled, Some(7)));
}

/// A collector that repeats its request must not put a secret into the log.
#[tokio::test]
async fn the_collectors_words_are_passed_on_without_headers() {
    let (endpoint, _requests) = receiver(|| {
        Err(Status::new(Code::Unauthenticated, "no such key: Bearer abc123+/= (decoded)\nsorry"))
    });
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc123%2B/=");
    let sender = sender_with(Protocol::Grpc, &endpoint, &[headers]);
    let cause = sender.send(events(1)).await.unwrap_err().cause;
    assert!(cause.contains("no such key: Bearer [hidden] (decoded) sorry"), "{cause}");
    assert!(cause.contains("Unauthenticated") && !cause.contains("abc123"), "{cause}");
}

#[tokio::test]
async fn what_is_no_grpc_says_so() {
    let (endpoint, _) = super::http::receiver(|| "hello".into_response()).await;
    let error = sender(Protocol::Grpc, &endpoint, PATIENCE).send(events(1)).await.unwrap_err();
    assert_eq!(error.reason, Reason::NotOtlp, "{error:?}");
    let redirect = || (StatusCode::FOUND, [("location", "/login")]).into_response();
    let (endpoint, _) = super::http::receiver(redirect).await;
    let error = sender(Protocol::Grpc, &endpoint, PATIENCE).send(events(1)).await.unwrap_err();
    assert_eq!(error.reason, Reason::Redirect, "{error:?}");
}

/// As at the port for OTLP over HTTP.
#[tokio::test]
async fn what_speaks_http_1_only_says_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut streams = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            let _ = stream.write_all(answer).await;
            streams.push(stream);
        }
    });
    let error = sender(Protocol::Grpc, &endpoint, PATIENCE).send(events(1)).await.unwrap_err();
    assert!(error.cause.contains("does not speak gRPC"), "{error:?}");
}

#[tokio::test]
async fn connections_fail_in_words() {
    let http = super::http::receiver(|| StatusCode::OK.into_response()).await.0;
    for (endpoint, words) in [
        (NOBODY.to_owned(), "the connection is refused"),
        ("http://nowhere.invalid:4317".to_owned(), "host name is not resolved"),
        (http.replace("http:", "https:"), "does not speak TLS"),
    ] {
        let error = sender(Protocol::Grpc, &endpoint, PATIENCE).send(events(1)).await.unwrap_err();
        assert_eq!(error.reason, Reason::Unavailable);
        assert!(error.cause.contains(words), "{error:?}");
    }
}
