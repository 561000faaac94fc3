//! Reads the body of a 2xx over HTTP. A status alone does not prove that a collector accepted
//! anything: login pages, proxies and other services answer 200, too.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::super::error::Sent;

/// The type of a body without a content type (RFC 9110, 8.3).
const UNSAID: &str = "application/octet-stream";

/// Reads the answer to a batch; the error describes a body that is no OTLP answer.
///
/// An empty body is accepted with any content type: many receivers answer so. Any other body must
/// be an `ExportLogsServiceResponse` in the encoding of its content type; without one it is read as
/// protobuf, because that is what was sent.
pub(super) fn read_answer(
    status: StatusCode,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Sent, String> {
    let media_type = content_type.unwrap_or(UNSAID).split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    // A web server that returns nothing for any path calls that HTML; no receiver of OTLP does.
    if body.is_empty() && media_type != "text/html" {
        return Ok(Sent::default());
    }
    let sent = match media_type.as_str() {
        "application/x-protobuf" | "application/protobuf" | UNSAID => read_protobuf(body),
        "application/json" => read_json(body),
        _ => None,
    };
    sent.ok_or_else(|| {
        let code = status.as_u16();
        format!(
            "it answered {code} with {} bytes of {media_type} that are no answer of OTLP; the \
             endpoint is not an OTLP receiver of logs",
            body.len()
        )
    })
}

/// Reads the answer as protobuf. It is stricter than a decoder: an unknown field shows that the
/// body is another message.
fn read_protobuf(mut body: &[u8]) -> Option<Sent> {
    let mut sent = Sent::default();
    while !body.is_empty() {
        // `partial_success`, number 1, is the only field of the answer.
        let (1, Field::Bytes(mut partial)) = take_field(&mut body)? else { return None };
        while !partial.is_empty() {
            match take_field(&mut partial)? {
                (1, Field::Varint(rejected)) => {
                    sent.rejected = clamp_rejected(rejected.cast_signed());
                }
                (2, Field::Bytes(text)) => {
                    sent.message = non_blank(std::str::from_utf8(text).ok()?);
                }
                _ => return None,
            }
        }
    }
    Some(sent)
}

enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
}

/// Takes a field of one of the two wire types that occur in the answer.
fn take_field<'a>(body: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let key = take_varint(body)?;
    let value = match key & 7 {
        0 => Field::Varint(take_varint(body)?),
        2 => {
            let length = usize::try_from(take_varint(body)?).ok()?;
            let (bytes, rest) = body.split_at_checked(length)?;
            *body = rest;
            Field::Bytes(bytes)
        }
        _ => return None,
    };
    Some((key >> 3, value))
}

fn take_varint(body: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = body.split_first()?;
        *body = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Reads the answer as proto3 JSON: a field may be `null`, a 64-bit number may be text, and names
/// may be spelled as in the `.proto` file.
fn read_json(body: &[u8]) -> Option<Sent> {
    let answer: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let Some(partial) = get_either(&answer, "partialSuccess", "partial_success") else {
        // Every JSON service answers with an object. Without the field, only `{}` can be an OTLP
        // answer.
        return answer.is_empty().then(Sent::default);
    };
    let partial = match partial {
        Value::Null => return Some(Sent::default()),
        Value::Object(partial) => partial,
        _ => return None,
    };
    let rejected = match get_either(partial, "rejectedLogRecords", "rejected_log_records") {
        None | Some(Value::Null) => 0,
        Some(Value::Number(number)) => number.as_i64().or_else(|| to_integer(number.as_f64()?))?,
        Some(Value::String(text)) => text.parse().ok()?,
        Some(_) => return None,
    };
    let text = match get_either(partial, "errorMessage", "error_message") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return None,
    };
    Some(Sent { rejected: clamp_rejected(rejected), message: non_blank(text) })
}

fn get_either<'a>(object: &'a Map<String, Value>, name: &str, other: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| object.get(other))
}

/// A whole number that is written with a decimal point or an exponent.
#[expect(clippy::cast_possible_truncation, reason = "whole, and far from the limits of i64")]
fn to_integer(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

fn clamp_rejected(rejected: i64) -> u64 {
    u64::try_from(rejected).unwrap_or(0)
}

fn non_blank(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::{
        ExportLogsPartialSuccess, ExportLogsServiceResponse,
    };
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    const PROTOBUF: &str = "application/x-protobuf";
    const JSON: &str = "application/json";

    fn read_sent(content_type: &str, body: impl AsRef<[u8]>) -> Option<(u64, Option<String>)> {
        let content_type = (!content_type.is_empty()).then_some(content_type);
        let sent = read_answer(StatusCode::OK, content_type, body.as_ref()).ok()?;
        Some((sent.rejected, sent.message))
    }

    fn partial(rejected: i64, text: &str) -> Vec<u8> {
        let partial = ExportLogsPartialSuccess {
            rejected_log_records: rejected,
            error_message: text.to_owned(),
        };
        ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
    }

    #[test]
    fn nothing_counts_unless_a_web_server_says_it() {
        for content_type in ["", PROTOBUF, JSON, "text/plain; charset=utf-8"] {
            assert_eq!(read_sent(content_type, ""), Some((0, None)), "{content_type:?}");
        }
        for content_type in ["text/html", "Text/HTML; charset=utf-8"] {
            assert_eq!(read_sent(content_type, ""), None, "{content_type:?}");
        }
    }

    #[test]
    fn protobuf_counts_when_all_of_it_is_the_answer() {
        let text = Some("too old".to_owned());
        for content_type in ["", PROTOBUF, "Application/X-Protobuf; x=y", "application/protobuf"] {
            assert_eq!(read_sent(content_type, partial(3, "too old")), Some((3, text.clone())));
            assert_eq!(read_sent(content_type, partial(0, "")), Some((0, None)));
        }
        // An explicit zero, a negative number, a repeated field.
        assert_eq!(read_sent(PROTOBUF, [10, 2, 8, 0]), Some((0, None)));
        assert_eq!(read_sent(PROTOBUF, partial(-1, "")), Some((0, None)));
        assert_eq!(read_sent(PROTOBUF, [partial(1, "a"), partial(2, "")].concat()).unwrap().0, 2);
        for strange in [
            &b"<html><body>Sign in</body></html>"[..],
            b"ok",
            b"\n",
            b"{}",
            b"\x12\x00",             // field 2
            b"\x0a\x05\x08\x01",     // cut off
            b"\x0a\x02\x18\x01",     // field 3 of the partial success
            b"\x0a\x03\x12\x01\xff", // no UTF-8
            b"\x08\x01",             // field 1 as a number
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(read_sent(PROTOBUF, strange), None, "{strange:?}");
            assert_eq!(read_sent("", strange), None, "{strange:?}");
        }
    }

    #[test]
    fn json_counts_when_it_can_be_the_answer() {
        let full = r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}}"#;
        assert_eq!(read_sent(JSON, full), Some((3, Some("too old".to_owned()))));
        for (body, rejected) in [
            ("{}", 0),
            (" {\n} ", 0),
            (r#"{"partialSuccess":{}}"#, 0),
            (r#"{"partialSuccess":null}"#, 0),
            (r#"{"partialSuccess":{"rejectedLogRecords":null,"errorMessage":null}}"#, 0),
            (r#"{"partialSuccess":{"rejectedLogRecords":2}}"#, 2),
            (r#"{"partialSuccess":{"rejectedLogRecords":2.0}}"#, 2),
            (r#"{"partial_success":{"rejected_log_records":"2"}}"#, 2),
            (r#"{"partialSuccess":{"rejectedLogRecords":-2}}"#, 0),
            (r#"{"partialSuccess":{"more":1},"other":[]}"#, 0),
        ] {
            assert_eq!(
                read_sent("application/json; charset=utf-8", body),
                Some((rejected, None)),
                "{body}"
            );
        }
        for body in [
            r#"{"status":"ok"}"#,
            r#"{"error":"unauthorized"}"#,
            "[]",
            "null",
            "\"ok\"",
            "{",
            "<html>",
            r#"{"partialSuccess":1}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":"many"}}"#,
            r#"{"partialSuccess":{"rejectedLogRecords":0.5}}"#,
            r#"{"partialSuccess":{"errorMessage":{}}}"#,
        ] {
            assert_eq!(read_sent(JSON, body), None, "{body}");
        }
    }

    #[test]
    fn another_type_with_a_body_does_not_count_and_the_error_says_what_came() {
        for content_type in
            ["text/html", "text/plain", "application/xml", "application/problem+json", "x"]
        {
            let error = read_answer(StatusCode::OK, Some(content_type), b"{}").unwrap_err();
            assert!(error.contains("200") && error.contains(content_type), "{error}");
        }
        assert_eq!(read_sent("text/plain", partial(0, "x")), None);
    }

    proptest! {
        #[test]
        fn every_answer_of_a_collector_is_read(rejected in 0..=i64::MAX, text in "\\PC{0,40}") {
            let message = non_blank(&text);
            prop_assert_eq!(
                read_sent(PROTOBUF, partial(rejected, &text)),
                Some((rejected.unsigned_abs(), message.clone()))
            );
            let json = serde_json::json!({ "partialSuccess":
                { "rejectedLogRecords": rejected.to_string(), "errorMessage": text } });
            prop_assert_eq!(
                read_sent(JSON, json.to_string()),
                Some((rejected.unsigned_abs(), message))
            );
        }

        #[test]
        fn no_bytes_panic_and_what_counts_decodes(body in proptest::collection::vec(any::<u8>(), 0..40)) {
            if read_sent(PROTOBUF, &body).is_some() {
                prop_assert!(ExportLogsServiceResponse::decode(body.as_slice()).is_ok());
            }
        }
    }
}
