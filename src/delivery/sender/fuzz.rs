//! Any answer to a batch.

use axum::http::StatusCode;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use prost::Message as _;

use super::answer;

/// Reads an answer's body in both encodings. Where the generated decoder is as strict, the results
/// are compared.
pub(in crate::delivery) fn read_answer(body: &[u8]) {
    let read = |content_type| answer::read_answer(StatusCode::OK, Some(content_type), body);
    for content_type in ["application/json", "text/html", ""] {
        match read(content_type) {
            Ok(sent) => assert!(sent.message.is_none_or(|text| text.len() <= body.len())),
            Err(text) => assert!(text.len() < 300, "an error of {} bytes", text.len()),
        }
    }
    let Ok(sent) = read("application/x-protobuf") else { return };
    let others = ExportLogsServiceResponse::decode(body);
    assert!(others.is_ok(), "read what is no answer: {others:?}");
    let partial = others.ok().and_then(|answer| answer.partial_success).unwrap_or_default();
    assert_eq!(sent.rejected, u64::try_from(partial.rejected_log_records).unwrap_or(0));
}
