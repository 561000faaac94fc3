//! How long a collector asks the sender to wait, over gRPC: `google.rpc.RetryInfo`
//! among the details of a status.

use std::time::Duration;

use prost::Message as _;

/// `google.rpc.Status`
#[derive(prost::Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`
#[derive(prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`
#[derive(prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`
#[derive(prost::Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// The wait that a status asks for. `logged` is its details as the exporter logs
/// them, a list of numbers: it does not pass them on in another way.
pub(super) fn wait(logged: &str) -> Option<Duration> {
    let numbers = logged.strip_prefix('[')?.strip_suffix(']')?;
    let details: Vec<u8> =
        numbers.split(", ").map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let status = Status::decode(details.as_slice()).ok()?;
    let info = status.details.iter().find(|any| any.type_url.ends_with("google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
    Some(Duration::new(delay.seconds.try_into().ok()?, delay.nanos.try_into().ok()?))
}

/// The details of a status that asks for a wait, as they go over the wire.
#[cfg(test)]
pub(super) fn details(wait: Duration) -> Vec<u8> {
    let delay =
        Delay { seconds: wait.as_secs().cast_signed(), nanos: wait.subsec_nanos().cast_signed() };
    let value = RetryInfo { retry_delay: Some(delay) }.encode_to_vec();
    let type_url = "type.googleapis.com/google.rpc.RetryInfo".to_owned();
    Status { details: vec![Any { type_url, value }] }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_found_among_the_details_and_nothing_else_is() {
        let asked = Duration::from_millis(7500);
        assert_eq!(wait(&format!("{:?}", details(asked))), Some(asked));
        for other in ["", "[]", "[1, 2", "[999]", "[8, 14]", "b\"x\""] {
            assert_eq!(wait(other), None, "{other}");
        }
    }
}
