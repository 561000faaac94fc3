use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use prost::Message as _;

use super::*;

type Heard = Arc<Mutex<Vec<(String, HeaderMap, Vec<u8>)>>>;

/// A receiver that answers everything with what `answer` makes.
pub(super) async fn receiver(answer: fn() -> Response) -> (String, Heard) {
    let heard = Heard::default();
    let kept = heard.clone();
    let router = Router::new().fallback(async move |request: Request<Body>| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        kept.lock().unwrap().push((parts.uri.to_string(), parts.headers, body));
        answer()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (endpoint, heard)
}

async fn send_to(answer: fn() -> Response) -> (Result<Sent, SendError>, Heard) {
    let (endpoint, heard) = receiver(answer).await;
    (sender(Protocol::HttpProtobuf, &endpoint, PATIENCE).send(events(3)).await, heard)
}

#[tokio::test]
async fn what_is_sent_arrives_whole_and_in_order() {
    let (sent, heard) = send_to(|| StatusCode::OK.into_response()).await;
    assert_eq!(sent, Ok(Sent::default()));
    let heard = heard.lock().unwrap();
    let (path, headers, body) = &heard[0];
    assert_eq!((heard.len(), path.as_str()), (1, "/v1/logs"));
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
    let [resource_logs] = request.resource_logs.as_slice() else { panic!("one resource") };
    let instance = resource_logs.resource.as_ref().unwrap().attributes.iter();
    let instance = instance.filter(|attribute| attribute.key == "service.instance.id").count();
    assert_eq!(instance, 1);
    let [scope_logs] = resource_logs.scope_logs.as_slice() else { panic!("one scope") };
    assert_eq!(scope_logs.scope.as_ref().unwrap().name, SCOPE);
    let schemas = [&resource_logs.schema_url, &scope_logs.schema_url];
    assert_eq!(schemas, ["https://opentelemetry.io/schemas/1.44.0"; 2]);
    let uids: Vec<_> = scope_logs
        .log_records
        .iter()
        .flat_map(|record| &record.attributes)
        .filter(|attribute| attribute.key == "log.record.uid")
        .map(|attribute| format!("{:?}", attribute.value))
        .collect();
    assert_eq!(uids.len(), 3);
    assert!(uids.iter().zip(1..).all(|(uid, seq)| uid.contains(&format!("uid-{seq}"))), "{uids:?}");
}

#[tokio::test]
async fn each_status_has_its_reason_and_is_tried_once() {
    let cases: [(fn() -> Response, _); 9] = [
        (|| StatusCode::BAD_REQUEST.into_response(), Reason::Refused),
        (|| StatusCode::PAYLOAD_TOO_LARGE.into_response(), Reason::Refused),
        (|| StatusCode::UNAUTHORIZED.into_response(), Reason::Unauthorized),
        (|| StatusCode::FORBIDDEN.into_response(), Reason::Unauthorized),
        (|| StatusCode::NOT_FOUND.into_response(), Reason::NotFound),
        (|| StatusCode::INTERNAL_SERVER_ERROR.into_response(), Reason::Other),
        (|| StatusCode::BAD_GATEWAY.into_response(), Reason::Unavailable),
        (|| StatusCode::TOO_MANY_REQUESTS.into_response(), Reason::Throttled),
        (|| (StatusCode::FOUND, [("location", "/elsewhere")]).into_response(), Reason::Redirect),
    ];
    for (answer, reason) in cases {
        let (sent, heard) = send_to(answer).await;
        assert_eq!(without_words(sent), failure(reason, None));
        assert_eq!(heard.lock().unwrap().len(), 1, "{reason:?}");
    }
}

#[tokio::test]
async fn the_wish_of_a_collector_is_passed_on() {
    let busy = || (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")]).into_response();
    assert_eq!(without_words(send_to(busy).await.0), failure(Reason::Unavailable, Some(7)));
}

#[tokio::test]
async fn a_success_that_is_no_answer_of_otlp_is_a_failure_that_says_what_came() {
    let html = || ([("content-type", "text/html")], "<html>Sign in</html>").into_response();
    let json = || ([("content-type", "application/json")], r#"{"status":"ok"}"#).into_response();
    let plain = || ([("content-type", "text/plain")], "ok").into_response();
    let long = || ([("content-type", "text/html")], vec![b'x'; 3_000_000]).into_response();
    for (answer, words) in [
        (html as fn() -> Response, "20 bytes of text/html"),
        (json, "application/json"),
        (plain, "text/plain"),
        (long, "text/html"),
    ] {
        let error = send_to(answer).await.0.unwrap_err();
        assert_eq!(error.reason, Reason::NotOtlp);
        assert!(error.cause.contains(words), "{error:?}");
    }
    let json = || ([("content-type", "application/json")], "{}").into_response();
    for answer in [json as fn() -> Response, || StatusCode::NO_CONTENT.into_response()] {
        assert_eq!(send_to(answer).await.0, Ok(Sent::default()));
    }
}

#[tokio::test]
async fn connections_fail_in_words() {
    let sender = |endpoint: &str| super::sender(Protocol::HttpProtobuf, endpoint, PATIENCE);
    let plain = receiver(|| StatusCode::OK.into_response()).await.0;
    for (endpoint, words) in [
        (NOBODY.to_owned(), "the connection is refused"),
        ("http://user:pass@nowhere.invalid:4318".to_owned(), "host name is not resolved"),
        (plain.replace("http:", "https:"), "does not speak TLS"),
    ] {
        let sender = sender(&endpoint);
        let error = sender.send(events(1)).await.unwrap_err();
        assert_eq!(error.reason, Reason::Unavailable);
        assert!(error.cause.contains(words), "{error:?}");
        assert!(!format!("{error:?} {sender:?}").contains("pass"), "{sender:?}");
    }
}

#[tokio::test]
async fn a_partial_success_is_seen() {
    let partial = || {
        let partial = ExportLogsPartialSuccess {
            rejected_log_records: 2,
            error_message: "too old".to_owned(),
        };
        let answer = ExportLogsServiceResponse { partial_success: Some(partial) };
        answer.encode_to_vec().into_response()
    };
    assert_eq!(send_to(partial).await.0, Ok(dropped(2, "too old")));
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let sender = sender(Protocol::HttpProtobuf, NOBODY, PATIENCE);
    assert_eq!(without_words(sender.send(events(1)).await), failure(Reason::Unavailable, None));
}

#[tokio::test]
async fn a_collector_that_hangs_runs_into_the_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let sender = sender(Protocol::HttpProtobuf, &endpoint, 200);
    assert_eq!(without_words(sender.send(events(1)).await), failure(Reason::Timeout, None));
}
