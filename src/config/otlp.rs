//! The OTLP delivery: `[otlp]`, then the standard variables of OpenTelemetry.

use std::{collections::BTreeMap, fs, time::Duration};

use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};
use secrecy::SecretString;
use strum::{EnumString, VariantNames};

use super::{
    Environment, UserLabel,
    problem::{Origin, Problems},
    resource,
};

/// `[otlp]`. What it does not set comes from the variables `OTEL_EXPORTER_OTLP_LOGS_*`, else
/// `OTEL_EXPORTER_OTLP_*`.
#[derive(Debug, Clone)]
pub struct OtlpConfig {
    /// The URL for batches; for HTTP with the path of logs.
    pub endpoint: Url,
    /// The protocol.
    pub protocol: OtlpProtocol,
    /// Time limit of a request.
    pub timeout: Duration,
    /// Whether requests are compressed with gzip.
    pub is_compressed: bool,
    /// Headers of each request, by their names in lower case.
    pub headers: BTreeMap<String, SecretString>,
    /// The authority that must have signed the collector's certificate, as PEM; `None`: those of
    /// the system.
    pub certificate: Option<String>,
    /// The client certificate.
    pub identity: Option<ClientIdentity>,
    /// Attributes of the resource, which take precedence over the exporter's own.
    pub resource: BTreeMap<String, String>,
    /// What identifies users in events.
    pub user_label: UserLabel,
    /// Whether each record also has the fields of OCSF.
    pub ocsf: bool,
    /// The file of the client's key, and the variable that names it.
    pub(super) key_file: Option<(String, String)>,
    /// Warnings about variables that are invalid and ignored.
    pub(super) warnings: Vec<String>,
}

/// A protocol of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, VariantNames)]
pub enum OtlpProtocol {
    /// `http/protobuf`
    #[strum(serialize = "http/protobuf")]
    HttpProtobuf,
    /// `grpc`
    #[strum(serialize = "grpc")]
    Grpc,
}

/// A certificate and its key.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// As PEM.
    pub certificate: String,
    /// As PEM.
    pub key: SecretString,
}

/// The default time limit of the specification.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The path of logs for OTLP over HTTP.
const LOGS_PATH: &str = "/v1/logs";

/// Completes `[otlp]` with the variables. An invalid variable is a problem when the delivery is
/// impossible without it; otherwise it is ignored with a warning, as the specification requires.
///
/// For commands that do not send events, unreadable files are no problem.
///
/// `endpoint` is that of `[otlp]`; it has no URL when it is invalid, which is already reported.
#[expect(clippy::option_option, reason = "nothing where the setting is wrong, as elsewhere")]
pub(super) fn complete(
    endpoint: Option<Option<Url>>,
    protocol: Option<OtlpProtocol>,
    environment: &Environment,
    is_used: bool,
    problems: &mut Problems,
) -> Option<OtlpConfig> {
    let mut standard = Standard { environment, is_used, problems, warnings: Vec::new() };
    let protocol = protocol.map_or_else(|| standard.protocol(), Some);
    let identity = standard.identity();
    let certificate = standard.read_file("CERTIFICATE");
    let key_file = standard.find_variable("CLIENT_KEY").map(|given| (given.value, given.variable));
    let (timeout, is_compressed) = (standard.timeout(), standard.is_compressed());
    let (headers, resource) = (standard.headers(), standard.resource());
    let protocol = protocol?;
    let endpoint = match endpoint {
        Some(url) => url.map(|url| with_path(url, protocol)),
        None => standard.endpoint(protocol),
    };
    Some(OtlpConfig {
        endpoint: endpoint?,
        protocol,
        timeout,
        is_compressed,
        headers,
        certificate: certificate.ok()?,
        identity: identity.ok()?,
        resource,
        user_label: UserLabel::Login,
        ocsf: false,
        key_file,
        warnings: standard.warnings,
    })
}

/// The name and the value of a variable.
struct Given {
    value: String,
    variable: String,
}

/// A problem was found and added to the problems.
struct Reported;

struct Standard<'a> {
    environment: &'a Environment,
    is_used: bool,
    problems: &'a mut Problems,
    warnings: Vec<String>,
}

impl Standard<'_> {
    /// Finds the variable for logs, else the one for all signals.
    fn find_variable(&mut self, name: &str) -> Option<Given> {
        let names =
            [format!("OTEL_EXPORTER_OTLP_LOGS_{name}"), format!("OTEL_EXPORTER_OTLP_{name}")];
        let variable = names.into_iter().find(|name| self.environment.get(name).is_some())?;
        Some(Given { value: self.text(&variable)?, variable })
    }

    /// The value of a variable as text; a value that is not UTF-8 is ignored with a warning.
    fn text(&mut self, variable: &str) -> Option<String> {
        let value = self.environment.get(variable)?;
        if value.to_str().is_none() {
            self.warnings.push(format!("{variable} is not UTF-8 and is ignored"));
        }
        value.to_str().map(str::to_owned)
    }

    fn report_problem(&mut self, variable: String, message: impl Into<String>) -> Reported {
        self.problems.add(Some(&Origin::Variable(variable)), "otlp", message);
        Reported
    }

    fn protocol(&mut self) -> Option<OtlpProtocol> {
        let Some(Given { value, variable }) = self.find_variable("PROTOCOL") else {
            return Some(OtlpProtocol::HttpProtobuf);
        };
        let protocol = value.parse().ok();
        if protocol.is_none() {
            let known = OtlpProtocol::VARIANTS.join(", ");
            self.report_problem(variable, format!("expected one of {known}, found {value:?}"));
        }
        protocol
    }

    fn endpoint(&mut self, protocol: OtlpProtocol) -> Option<Url> {
        let Some(Given { value, variable }) = self.find_variable("ENDPOINT") else {
            return default_endpoint(protocol);
        };
        // An endpoint of gRPC may lack the scheme. It then uses TLS, unless
        // `OTEL_EXPORTER_OTLP_INSECURE` is set.
        let text = match (protocol, value.contains("://")) {
            (OtlpProtocol::Grpc, false) => {
                let insecure = self.find_variable("INSECURE").map(|given| given.value);
                let is_plain = insecure.is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
                format!("{}://{value}", if is_plain { "http" } else { "https" })
            }
            _ => value,
        };
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                // By the specification, the endpoint for logs is used as it is, without a path
                // added.
                let is_whole = variable.contains("_LOGS_");
                Some(if is_whole { url } else { with_path(url, protocol) })
            }
            // The message does not repeat the value, which may contain a password.
            _ => {
                self.report_problem(
                    variable,
                    "expected a URL that begins with https:// (or http://)",
                );
                None
            }
        }
    }

    fn timeout(&mut self) -> Duration {
        let Some(Given { value, variable }) = self.find_variable("TIMEOUT") else {
            return DEFAULT_TIMEOUT;
        };
        let Ok(millis) = value.trim().parse() else {
            self.warnings.push(format!("{variable} is no number of milliseconds and is ignored"));
            return DEFAULT_TIMEOUT;
        };
        Duration::from_millis(millis)
    }

    fn is_compressed(&mut self) -> bool {
        let Some(Given { value, variable }) = self.find_variable("COMPRESSION") else {
            return false;
        };
        match value.trim().to_ascii_lowercase().as_str() {
            "gzip" => true,
            "none" => false,
            _ => {
                self.warnings.push(format!("{variable} is neither gzip nor none and is ignored"));
                false
            }
        }
    }

    fn headers(&mut self) -> BTreeMap<String, SecretString> {
        let mut headers = BTreeMap::new();
        let Some(Given { value, variable }) = self.find_variable("HEADERS") else { return headers };
        let mut malformed = Vec::new();
        for (position, entry) in (1..).zip(value.split(',')) {
            match parse_header(entry) {
                Some((name, value)) => {
                    headers.insert(name, value);
                }
                None if entry.trim().is_empty() => {}
                None => malformed.push(position.to_string()),
            }
        }
        if !malformed.is_empty() {
            let positions = malformed.join(", ");
            self.warnings
                .push(format!("{variable}: entries that are no header are ignored: {positions}"));
        }
        headers
    }

    fn resource(&mut self) -> BTreeMap<String, String> {
        let mut warnings = Vec::new();
        let variable = |name: &str| self.environment.get(name)?.to_str().map(str::to_owned);
        let attributes = resource::read_attributes(variable, &mut warnings);
        self.warnings.append(&mut warnings);
        attributes
    }

    fn identity(&mut self) -> Result<Option<ClientIdentity>, Reported> {
        let names = ["CLIENT_CERTIFICATE", "CLIENT_KEY"];
        let given = names.map(|name| self.find_variable(name).map(|given| given.variable));
        let [certificate, key] = names.map(|name| self.read_file(name));
        match (certificate?, key?) {
            (Some(certificate), Some(key)) => {
                Ok(Some(ClientIdentity { certificate, key: key.into() }))
            }
            (None, None) => Ok(None),
            _ if !self.is_used => Ok(None),
            _ => {
                let variable = given.into_iter().flatten().next().unwrap_or_default();
                let message = "a client's certificate and its key are of use together only: set \
                               OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and \
                               OTEL_EXPORTER_OTLP_CLIENT_KEY";
                Err(self.report_problem(variable, message))
            }
        }
    }

    /// Reads the file that a variable names.
    fn read_file(&mut self, name: &str) -> Result<Option<String>, Reported> {
        let Some(Given { value: path, variable }) = self.find_variable(name) else {
            return Ok(None);
        };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(_) if !self.is_used => Ok(None),
            Err(error) => {
                Err(self.report_problem(variable, format!("cannot read {path}: {error}")))
            }
        }
    }
}

/// Parses `name=value`, percent-encoded; `None` when it is no valid header.
pub(super) fn parse_header(entry: &str) -> Option<(String, SecretString)> {
    let (name, value) = entry.split_once('=')?;
    let (name, value) = (HeaderName::try_from(name.trim()).ok()?, value.trim());
    // A value that is not valid percent-encoding is taken literally.
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8();
    let value = decoded.map_or_else(|_| value.to_owned(), |text| text.trim().to_owned());
    HeaderValue::try_from(&value).ok()?;
    Some((name.as_str().to_owned(), value.into()))
}

/// Adds the path of logs to an endpoint for all signals, if the protocol has paths.
fn with_path(mut url: Url, protocol: OtlpProtocol) -> Url {
    if protocol == OtlpProtocol::HttpProtobuf {
        let base = url.path().trim_end_matches('/');
        let path = format!("{}{LOGS_PATH}", base.strip_suffix(LOGS_PATH).unwrap_or(base));
        url.set_path(&path);
    }
    url
}

/// The default endpoint of the specification: a collector on this machine.
fn default_endpoint(protocol: OtlpProtocol) -> Option<Url> {
    Url::parse(match protocol {
        OtlpProtocol::Grpc => "http://localhost:4317",
        OtlpProtocol::HttpProtobuf => "http://localhost:4318/v1/logs",
    })
    .ok()
}

#[cfg(test)]
mod tests;
