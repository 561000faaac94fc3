//! Where to send, and how: the configuration, then the standard variables.

use std::{fs, time::Duration};

use secrecy::SecretString;

use super::OtlpStartError;

/// A form of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `http/protobuf`
    HttpProtobuf,
    /// `grpc`
    Grpc,
}

/// What the configuration says; whatever it leaves open, the variables
/// `OTEL_EXPORTER_OTLP_LOGS_*` and `OTEL_EXPORTER_OTLP_*` decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtlpSettings {
    /// The collector; for HTTP without the path `/v1/logs`.
    pub endpoint: Option<String>,
    /// How to speak to it.
    pub protocol: Option<Protocol>,
}

/// What is sent when nobody says how long to wait, by the specification.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The path that receivers of logs have over HTTP.
const LOGS_PATH: &str = "/v1/logs";

/// Settings with the variables taken into account. Headers, compression, and an
/// endpoint that the configuration leaves open are the official exporter's to
/// take from them.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) endpoint: Option<String>,
    /// Where batches go, whoever says it; for people.
    pub(super) target: String,
    pub(super) protocol: Protocol,
    pub(super) timeout: Duration,
    /// Whether the connection is to be encrypted.
    pub(super) is_encrypted: bool,
    /// The authority that the collector's certificate is held against, as PEM.
    pub(super) certificate: Option<String>,
    /// Our own certificate and its key, as PEM.
    pub(super) identity: Option<(String, String)>,
    /// The words of which headers' values are made.
    pub(super) secrets: Vec<SecretString>,
}

impl OtlpSettings {
    /// Takes the variables into account.
    pub(super) fn resolve(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Resolved, OtlpStartError> {
        let find = |name: &str| {
            [format!("OTEL_EXPORTER_OTLP_LOGS_{name}"), format!("OTEL_EXPORTER_OTLP_{name}")]
                .into_iter()
                .find_map(|name| Some((variable(&name).filter(|value| !value.is_empty())?, name)))
        };
        let read = |name: &str| {
            let Some((path, variable)) = find(name) else { return Ok(None) };
            match fs::read_to_string(&path) {
                Ok(text) => Ok(Some(text)),
                Err(source) => Err(OtlpStartError::File { variable, path, source }),
            }
        };
        let protocol = match (self.protocol, find("PROTOCOL")) {
            (Some(protocol), _) => protocol,
            (None, None) => Protocol::HttpProtobuf,
            (None, Some((value, variable))) => match value.as_str() {
                "http/protobuf" => Protocol::HttpProtobuf,
                "grpc" => Protocol::Grpc,
                _ => return Err(OtlpStartError::Protocol { variable, value }),
            },
        };
        let is_encrypted =
            self.endpoint.clone().or_else(|| Some(find("ENDPOINT")?.0)).is_some_and(|endpoint| {
                match endpoint.split_once("://") {
                    Some((scheme, _)) => scheme.eq_ignore_ascii_case("https"),
                    None => {
                        !find("INSECURE").is_some_and(|(flag, _)| flag.eq_ignore_ascii_case("true"))
                    }
                }
            });
        let identity = match (read("CLIENT_CERTIFICATE")?, read("CLIENT_KEY")?) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(OtlpStartError::HalfAnIdentity),
        };
        let endpoint = self.endpoint.as_ref().map(|endpoint| match protocol {
            Protocol::Grpc => endpoint.clone(),
            Protocol::HttpProtobuf => {
                let base = endpoint.trim_end_matches('/');
                format!("{}{LOGS_PATH}", base.strip_suffix(LOGS_PATH).unwrap_or(base))
            }
        });
        let target = endpoint.clone().or_else(|| {
            let (endpoint, variable) = find("ENDPOINT")?;
            let is_base = protocol == Protocol::HttpProtobuf && !variable.contains("_LOGS_");
            let path = if is_base { LOGS_PATH } else { "" };
            Some(format!("{}{path}", endpoint.trim_end_matches('/')))
        });
        let target = target.unwrap_or_else(|| match protocol {
            Protocol::Grpc => "http://localhost:4317".to_owned(),
            Protocol::HttpProtobuf => format!("http://localhost:4318{LOGS_PATH}"),
        });
        let secrets = find("HEADERS").map(|(headers, _)| secrets(&headers)).unwrap_or_default();
        let timeout = find("TIMEOUT")
            .and_then(|(millis, _)| millis.trim().parse().ok())
            .map_or(DEFAULT_TIMEOUT, Duration::from_millis);
        Ok(Resolved {
            endpoint,
            target,
            protocol,
            timeout,
            is_encrypted,
            certificate: read("CERTIFICATE")?,
            identity,
            secrets,
        })
    }
}

/// The words of the values in `name=value,name=value`, as written and decoded,
/// without those that only name a scheme.
fn secrets(headers: &str) -> Vec<SecretString> {
    let mut words = Vec::new();
    for value in headers.split(',').filter_map(|entry| Some(entry.split_once('=')?.1)) {
        let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
        for word in value.split_whitespace().chain(decoded.split_whitespace()) {
            let is_scheme = ["basic", "bearer", "token"].contains(&word.to_lowercase().as_str());
            if word.len() > 3 && !is_scheme {
                words.push(SecretString::from(word));
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(settings: &OtlpSettings, variables: &[(&str, &str)]) -> Resolved {
        settings
            .resolve(|name| {
                let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
                Some((*value).to_owned())
            })
            .unwrap()
    }

    #[test]
    fn an_http_endpoint_is_a_base_and_gets_its_path_once() {
        for endpoint in ["http://c:4318", "http://c:4318/", "http://c:4318/v1/logs"] {
            let settings = OtlpSettings { endpoint: Some(endpoint.into()), protocol: None };
            let resolved = resolve(&settings, &[]);
            assert_eq!(resolved.endpoint.as_deref(), Some("http://c:4318/v1/logs"));
        }
        let settings =
            OtlpSettings { endpoint: Some("http://c:4317".into()), protocol: Some(Protocol::Grpc) };
        assert_eq!(resolve(&settings, &[]).endpoint.as_deref(), Some("http://c:4317"));
    }

    #[test]
    fn variables_decide_what_the_configuration_leaves_open() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
            ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "2000"),
        ];
        let resolved = resolve(&OtlpSettings::default(), &variables);
        assert_eq!(resolved.protocol, Protocol::Grpc);
        assert_eq!(resolved.timeout, Duration::from_secs(2));
        let settings =
            OtlpSettings { protocol: Some(Protocol::HttpProtobuf), ..OtlpSettings::default() };
        assert_eq!(resolve(&settings, &variables).protocol, Protocol::HttpProtobuf);
        assert_eq!(resolve(&OtlpSettings::default(), &[]).timeout, DEFAULT_TIMEOUT);
    }

    #[test]
    fn the_endpoint_says_whether_to_encrypt() {
        let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "true");
        for (variables, is_encrypted) in [
            (vec![], false),
            (vec![(endpoint, "http://c:4317")], false),
            (vec![(endpoint, "https://c:4317"), insecure], true),
            (vec![(endpoint, "c:4317")], true),
            (vec![(endpoint, "c:4317"), insecure], false),
        ] {
            let resolved = resolve(&OtlpSettings::default(), &variables);
            assert_eq!(resolved.is_encrypted, is_encrypted, "{variables:?}");
        }
        let settings =
            OtlpSettings { endpoint: Some("http://c:4317".into()), ..OtlpSettings::default() };
        assert!(!resolve(&settings, &[(endpoint, "https://c:4317")]).is_encrypted);
    }

    #[test]
    fn what_cannot_be_spoken_or_read_is_a_clear_error() {
        let resolve = |name: &'static str, value: &'static str| {
            OtlpSettings::default()
                .resolve(|known| (known == name).then(|| value.to_owned()))
                .unwrap_err()
                .to_string()
        };
        for variable in ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"] {
            let message = resolve(variable, "http/json");
            assert!(message.starts_with(variable) && message.contains("http/json"), "{message}");
        }
        let readable = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let message = resolve("OTEL_EXPORTER_OTLP_CLIENT_KEY", readable);
        assert!(message.contains("CLIENT_CERTIFICATE"), "{message}");
        let message = resolve("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem");
        assert!(message.contains("/nowhere.pem"), "{message}");
    }
}
