use secrecy::ExposeSecret;

use super::*;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

struct Resolved {
    config: Option<OtlpConfig>,
    problems: String,
}

fn resolve(
    endpoint: Option<&str>,
    protocol: Option<OtlpProtocol>,
    variables: &[(&str, &str)],
) -> Resolved {
    let endpoint = endpoint.map(|url| Some(Url::parse(url).unwrap()));
    let environment = variables.iter().copied().collect();
    let mut problems = Problems::default();
    let config = complete(endpoint, protocol, &environment, true, &mut problems);
    let problems =
        problems.finish(config.clone()).map_or_else(|error| error.to_string(), |_| String::new());
    Resolved { config, problems }
}

fn by_variables(variables: &[(&str, &str)]) -> OtlpConfig {
    resolve(None, None, variables).config.unwrap()
}

#[test]
fn an_http_endpoint_is_a_base_and_gets_its_path_once() {
    let grpc = Some(OtlpProtocol::Grpc);
    for (endpoint, protocol, expected) in [
        ("http://c:4318", None, "http://c:4318/v1/logs"),
        ("http://c:4318/", None, "http://c:4318/v1/logs"),
        ("http://c:4318/v1/logs", None, "http://c:4318/v1/logs"),
        ("http://c:4318/otlp/?key=k", None, "http://c:4318/otlp/v1/logs?key=k"),
        ("http://c:4317", grpc, "http://c:4317/"),
    ] {
        let of_file = resolve(Some(endpoint), protocol, &[(ENDPOINT, "http://other")]);
        assert_eq!(of_file.config.unwrap().endpoint.as_str(), expected);
        let of_variable = resolve(None, protocol, &[(ENDPOINT, endpoint)]);
        assert_eq!(of_variable.config.unwrap().endpoint.as_str(), expected);
    }
    let whole = ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c:4318/mine");
    assert_eq!(by_variables(&[whole]).endpoint.as_str(), "http://c:4318/mine");
    assert_eq!(by_variables(&[]).endpoint.as_str(), "http://localhost:4318/v1/logs");
}

#[test]
fn variables_decide_what_the_configuration_leaves_open() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP"),
        ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", ""),
    ];
    let config = by_variables(&variables);
    assert_eq!(config.protocol, OtlpProtocol::Grpc);
    assert_eq!(config.timeout, Duration::from_secs(2));
    assert!(config.is_compressed, "an empty variable counts as not set");
    let of_file = resolve(None, Some(OtlpProtocol::HttpProtobuf), &variables).config.unwrap();
    assert_eq!(of_file.protocol, OtlpProtocol::HttpProtobuf);
    let config = by_variables(&[]);
    assert_eq!((config.timeout, config.is_compressed), (DEFAULT_TIMEOUT, false));
}

#[test]
fn an_endpoint_without_a_scheme_is_encrypted_unless_a_variable_says_otherwise() {
    let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "true");
    for (variables, expected) in [
        (vec![(ENDPOINT, "https://c:4317"), insecure], "https://c:4317/"),
        (vec![(ENDPOINT, "c:4317")], "https://c:4317/"),
        (vec![(ENDPOINT, "c:4317"), insecure], "http://c:4317/"),
        (vec![], "http://localhost:4317/"),
    ] {
        let config = resolve(None, Some(OtlpProtocol::Grpc), &variables).config.unwrap();
        assert_eq!(config.endpoint.as_str(), expected);
    }
}

#[test]
fn headers_are_decoded_and_malformed_ones_cost_only_themselves() {
    let given = "authorization=Bearer%20abc%2B/=, X-Team = iam ,s3cret,=x,b\u{e4}d=x,key=100%,";
    let config = by_variables(&[("OTEL_EXPORTER_OTLP_HEADERS", given)]);
    let headers: Vec<_> = config
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.expose_secret()))
        .collect();
    assert_eq!(headers, ["authorization: Bearer abc+/=", "key: 100%", "x-team: iam"]);
    assert!(config.warnings[0].ends_with("are ignored: 3, 4, 5"), "{:?}", config.warnings);
    assert!(!format!("{config:?}").contains("abc"), "{config:?}");
}

#[test]
fn what_cannot_be_spoken_or_read_is_a_problem_with_its_variable() {
    let readable = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (variable, value, words) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "found \"http/json\""),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "bogus", "one of http/protobuf, grpc"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", readable, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem", "cannot read /nowhere.pem"),
        (ENDPOINT, "u:s3cret@c", "expected a URL"),
        (ENDPOINT, "ftp://u:s3cret@c", "expected a URL"),
    ] {
        let Resolved { config, problems } = resolve(None, None, &[(variable, value)]);
        assert!(config.is_none());
        assert!(problems.contains(&format!("{variable}: ")), "{problems}");
        assert!(problems.contains(words) && !problems.contains("s3cret"), "{problems}");
    }
}

#[test]
fn what_makes_no_delivery_impossible_is_a_warning() {
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_RESOURCE_ATTRIBUTES", "oops"),
    ] {
        let config = by_variables(&[(variable, value)]);
        assert_eq!(config.warnings.len(), 1);
        assert!(config.warnings[0].starts_with(variable), "{:?}", config.warnings);
    }
}
