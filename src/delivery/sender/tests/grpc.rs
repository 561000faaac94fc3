use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
    logs_service_server::{LogsService, LogsServiceServer},
};
use tokio::sync::mpsc;
use tonic::{
    Code, Request, Response, Status,
    transport::server::{Server, TcpIncoming},
};

use super::*;

type Answer = fn() -> Result<ExportLogsServiceResponse, Status>;

/// A receiver that answers everything with what `answer` makes.
struct Receiver {
    answer: Answer,
    heard: mpsc::UnboundedSender<ExportLogsServiceRequest>,
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.heard.send(request.into_inner()).unwrap();
        (self.answer)().map(Response::new)
    }
}

fn receiver(answer: Answer) -> (String, mpsc::UnboundedReceiver<ExportLogsServiceRequest>) {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", incoming.local_addr().unwrap());
    let (heard, requests) = mpsc::unbounded_channel();
    let service = LogsServiceServer::from_arc(Arc::new(Receiver { answer, heard }));
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    (endpoint, requests)
}

async fn send_to(answer: Answer) -> Result<Sent, SendError> {
    let (endpoint, mut requests) = receiver(answer);
    let sent = sender(Protocol::Grpc, endpoint, 5000).send(&events(3)).await;
    let request = requests.recv().await.unwrap();
    assert_eq!(request.resource_logs[0].scope_logs[0].log_records.len(), 3);
    assert!(requests.try_recv().is_err(), "tried once");
    sent
}

#[tokio::test]
async fn what_is_taken_is_sent() {
    assert_eq!(
        send_to(|| Ok(ExportLogsServiceResponse::default())).await,
        Ok(Sent { rejected: 0 })
    );
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
    let sender = sender(Protocol::Grpc, endpoint, 5000);
    for _ in 0..2 {
        assert_eq!(sender.send(&events(3)).await, Ok(Sent { rejected: 2 }));
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
        assert_eq!(send_to(answer).await, failure(reason, None));
    }
}

/// What grpc-go answers to a message above its limit; sending the same again
/// fails again, and a smaller batch may pass.
#[tokio::test]
async fn a_batch_that_is_too_large_is_refused_and_not_throttled() {
    let answer: Answer = || {
        let text = "grpc: received message larger than max (5000000 vs. 4194304)";
        Err(Status::new(Code::ResourceExhausted, text))
    };
    assert_eq!(send_to(answer).await, failure(Reason::Refused, None));
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let sender = sender(Protocol::Grpc, nobody().await, 5000);
    assert_eq!(sender.send(&events(1)).await, failure(Reason::Unavailable, None));
}

#[tokio::test]
async fn a_collector_that_hangs_runs_into_the_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let sender = sender(Protocol::Grpc, endpoint, 200);
    assert_eq!(sender.send(&events(1)).await, failure(Reason::Timeout, None));
}
