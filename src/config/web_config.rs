//! Reads `web-config.yml` in the format of Prometheus's exporter-toolkit: TLS, users, headers.
//!
//! <https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// The supported response headers, each with its valid values; empty: any.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff", ""]),
    ("X-Frame-Options", &["deny", "sameorigin", ""]),
    ("X-XSS-Protection", &[]),
    ("Content-Security-Policy", &[]),
];

/// The content of a valid file.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// TLS; plain HTTP without it.
    pub tls: Option<TlsConfig>,
    /// Whether HTTP/2 is offered, over TLS.
    pub http2: bool,
    /// Headers of all answers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Users, each with the bcrypt hash of the password; empty: no authentication.
    pub users: BTreeMap<String, SecretString>,
    /// The interval between requests, and the burst.
    pub rate_limit: Option<(Duration, u32)>,
}

/// `tls_server_config`
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// The certificate's chain.
    pub certificate: Pem,
    /// Its key.
    pub key: Pem,
    /// Whether clients must present a certificate.
    pub client_auth: ClientAuth,
    /// The authority of client certificates.
    pub client_ca: Option<Pem>,
    /// Names of which a client's certificate must have one; empty: any.
    pub client_allowed_sans: Vec<String>,
    /// Whether TLS 1.2 is enabled.
    pub has_tls12: bool,
    /// Whether TLS 1.3 is enabled.
    pub has_tls13: bool,
    /// Suites of TLS 1.2, by Go's names; empty: all safe ones.
    pub cipher_suites: Vec<String>,
    /// Whether the server's order of suites decides, not the client's.
    pub prefers_own_suites: bool,
    /// Curves, by Go's names; empty: all.
    pub curves: Vec<String>,
}

/// The source of a PEM text.
#[derive(Debug, Clone)]
pub enum Pem {
    /// A file.
    File(PathBuf),
    /// The text itself.
    Inline(SecretString),
}

/// The client authentication, as in Go's `crypto/tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum ClientAuth {
    /// No certificate is requested.
    #[default]
    #[serde(rename = "NoClientCert", alias = "")]
    None,
    /// A certificate is requested but not required or verified.
    #[serde(rename = "RequestClientCert")]
    Request,
    /// A certificate is required but not verified.
    #[serde(rename = "RequireAnyClientCert", alias = "RequireClientCert")]
    RequireAny,
    /// A certificate is optional, and must be signed by the authority.
    #[serde(rename = "VerifyClientCertIfGiven")]
    VerifyIfGiven,
    /// A certificate signed by the authority is required.
    #[serde(rename = "RequireAndVerifyClientCert")]
    RequireAndVerify,
}

/// Why a file cannot be used. It never repeats the content of the file, which contains secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct WebConfigError {
    path: String,
    reason: String,
}

impl WebConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or is invalid.
    pub fn read(path: &Path) -> Result<Self, WebConfigError> {
        let wrong = |reason: String| WebConfigError { path: path.display().to_string(), reason };
        let text =
            fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        parse(&text, folder).map_err(wrong)
    }

    /// Whether all clients must authenticate.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        let certificates =
            self.tls.as_ref().is_some_and(|tls| tls.client_auth == ClientAuth::RequireAndVerify);
        certificates || !self.users.is_empty()
    }

    /// The files that it names.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let tls = self.tls.iter().flat_map(|tls| {
            [Some(&tls.certificate), Some(&tls.key), tls.client_ca.as_ref()].into_iter().flatten()
        });
        tls.filter_map(|pem| match pem {
            Pem::File(path) => Some(path.as_path()),
            Pem::Inline(_) => None,
        })
    }
}

impl Pem {
    /// Reads the text.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn read(&self) -> Result<SecretString, WebConfigError> {
        match self {
            Self::Inline(text) => Ok(text.clone()),
            Self::File(path) => fs::read_to_string(path).map(SecretString::from).map_err(|error| {
                WebConfigError { path: path.display().to_string(), reason: error.to_string() }
            }),
        }
    }
}

/// The YAML structure of the file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    tls_server_config: Option<Tls>,
    http_server_config: Option<Http>,
    basic_auth_users: Option<BTreeMap<String, String>>,
    rate_limit: Option<RateLimit>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Tls {
    cert: Option<String>,
    key: Option<String>,
    client_ca: Option<String>,
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    client_auth_type: Option<ClientAuth>,
    client_ca_file: Option<PathBuf>,
    client_allowed_sans: Option<Vec<String>>,
    min_version: Option<Version>,
    max_version: Option<Version>,
    cipher_suites: Option<Vec<String>>,
    prefer_server_cipher_suites: Option<bool>,
    curve_preferences: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Http {
    http2: Option<bool>,
    headers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RateLimit {
    interval: Option<String>,
    burst: Option<u32>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    #[serde(rename = "TLS10")]
    Tls10,
    #[serde(rename = "TLS11")]
    Tls11,
    #[serde(rename = "TLS12")]
    Tls12,
    #[serde(rename = "TLS13")]
    Tls13,
}

fn parse(text: &str, folder: &Path) -> Result<WebConfig, String> {
    let file = if text.trim().is_empty() {
        File::default()
    } else {
        // The parser's messages would quote the text, which contains secrets.
        let options = serde_saphyr::options! { with_snippet: false };
        let parsed = serde_saphyr::from_str_with_options::<Option<File>>(text, options);
        parsed.map_err(|error| error_place(&error))?.unwrap_or_default()
    };
    let users: BTreeMap<_, _> = file
        .basic_auth_users
        .unwrap_or_default()
        .into_iter()
        .map(|(user, hash)| (user, SecretString::from(hash)))
        .collect();
    for (user, hash) in &users {
        if hash.expose_secret().parse::<bcrypt::HashParts>().is_err() {
            return Err(format!(
                "basic_auth_users: the password of {user:?} is no bcrypt hash; `htpasswd -nBC 10 \
                 USER` makes one"
            ));
        }
    }
    let http = file.http_server_config.unwrap_or_default();
    let rate_limit = match file.rate_limit {
        Some(limit) => parse_rate_limit(&limit)?,
        None => None,
    };
    Ok(WebConfig {
        tls: file.tls_server_config.map(|tls| build_tls(tls, folder)).transpose()?.flatten(),
        http2: http.http2.unwrap_or(true),
        headers: http.headers.unwrap_or_default().iter().try_fold(Vec::new(), parse_header)?,
        users,
        rate_limit,
    })
}

/// The place and the kind of an error, without any text of the file.
fn error_place(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default();
    format!("is not as exporter-toolkit has it: {text}")
}

fn parse_header(
    mut headers: Vec<(HeaderName, HeaderValue)>,
    (name, value): (&String, &String),
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let known = HEADERS.iter().find(|(known, _)| known == name);
    let Some((_, values)) = known else {
        return Err(format!("http_server_config: the header {name:?} cannot be configured"));
    };
    if !values.is_empty() && !values.contains(&value.as_str()) {
        return Err(format!("http_server_config: {name} can be one of {values:?}"));
    }
    if value.is_empty() {
        return Ok(headers);
    }
    match (name.parse(), value.parse()) {
        (Ok(name), Ok(value)) => headers.push((name, value)),
        _ => return Err(format!("http_server_config: {name} has a value that no header can have")),
    }
    Ok(headers)
}

fn parse_rate_limit(limit: &RateLimit) -> Result<Option<(Duration, u32)>, String> {
    let interval = limit.interval.as_deref().unwrap_or("0s");
    let is_zero = interval.trim_matches('0').is_empty();
    let interval = if is_zero { Ok(Duration::ZERO) } else { humantime::parse_duration(interval) };
    let interval = interval.map_err(|error| format!("rate_limit: interval: {error}"))?;
    Ok((!interval.is_zero()).then(|| (interval, limit.burst.unwrap_or(0))))
}

/// Builds the TLS section; `None` when it is not set.
fn build_tls(tls: Tls, folder: &Path) -> Result<Option<TlsConfig>, String> {
    let pem = |file: Option<PathBuf>, inline: Option<String>| {
        let file = file.filter(|path| !path.as_os_str().is_empty());
        let inline = inline.filter(|text| !text.is_empty());
        file.map(|path| Pem::File(folder.join(path)))
            .or_else(|| inline.map(|text| Pem::Inline(text.into())))
    };
    let certificate = pem(tls.cert_file, tls.cert);
    let key = pem(tls.key_file, tls.key);
    let client_ca = pem(tls.client_ca_file, tls.client_ca);
    let client_auth = tls.client_auth_type.unwrap_or_default();
    if certificate.is_none()
        && key.is_none()
        && client_ca.is_none()
        && tls.client_auth_type.is_none()
    {
        return Ok(None);
    }
    let certificate =
        certificate.ok_or("tls_server_config: one of cert and cert_file is missing")?;
    let key = key.ok_or("tls_server_config: one of key and key_file is missing")?;
    let verifies = matches!(client_auth, ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify);
    if client_ca.is_some() && client_auth == ClientAuth::None {
        return Err("tls_server_config: client_ca_file needs a client_auth_type, such as \
                    RequireAndVerifyClientCert"
            .to_owned());
    }
    if verifies && client_ca.is_none() {
        return Err("tls_server_config: client_auth_type needs a client_ca_file".to_owned());
    }
    let (least, most) =
        (tls.min_version.unwrap_or(Version::Tls12), tls.max_version.unwrap_or(Version::Tls13));
    if most < Version::Tls12 || most < least {
        return Err("tls_server_config: TLS 1.2 and 1.3 are spoken; min_version and max_version \
                    leave none"
            .to_owned());
    }
    let client_allowed_sans = tls.client_allowed_sans.unwrap_or_default();
    if client_allowed_sans.iter().any(|name| name.contains('@') && !name.contains(':')) {
        return Err("tls_server_config: client_allowed_sans can be names, addresses and URIs; \
                    e-mail addresses are not looked for"
            .to_owned());
    }
    Ok(Some(TlsConfig {
        certificate,
        key,
        client_auth,
        client_ca,
        client_allowed_sans,
        has_tls12: least <= Version::Tls12,
        has_tls13: most >= Version::Tls13,
        cipher_suites: tls.cipher_suites.unwrap_or_default(),
        prefers_own_suites: tls.prefer_server_cipher_suites.unwrap_or(true),
        curves: tls.curve_preferences.unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";

    fn error(text: &str) -> String {
        parse(text, Path::new("/etc/cii")).unwrap_err()
    }

    #[test]
    fn the_toolkit_s_own_sample_is_read() {
        let text = format!(
            "# a comment\ntls_server_config:\n  cert_file: server.crt\n  key_file: \
             /keys/server.key\n  client_auth_type: \"RequireAndVerifyClientCert\"\n  \
             client_ca_file: ca.pem\n  min_version: TLS13\n  cipher_suites:\n  - \
             TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n  prefer_server_cipher_suites: false\n  \
             curve_preferences: [X25519]\nhttp_server_config:\n  http2: false\n  headers:\n    \
             X-Frame-Options: deny\n    Content-Security-Policy: ''\nbasic_auth_users:\n  alice: \
             {HASH}\n  bob: '{HASH}'\nrate_limit:\n  interval: 100ms\n  burst: 20\n"
        );
        let config = parse(&text, Path::new("/etc/cii")).unwrap();
        assert!(config.is_authenticated() && !config.http2);
        assert_eq!(config.users.len(), 2);
        assert_eq!(config.rate_limit, Some((Duration::from_millis(100), 20)));
        assert_eq!(config.headers.len(), 1);
        let files: Vec<_> = config.files().map(|path| path.display().to_string()).collect();
        assert_eq!(files, ["/etc/cii/server.crt", "/keys/server.key", "/etc/cii/ca.pem"]);
        let tls = config.tls.unwrap();
        assert!(tls.has_tls13 && !tls.has_tls12 && !tls.prefers_own_suites);
        let empty = parse("", Path::new("")).unwrap();
        assert!(empty.tls.is_none() && empty.http2 && !empty.is_authenticated());
        parse("# nothing\n", Path::new("")).unwrap();
        parse("tls_server_config:\nbasic_auth_users:\n", Path::new("")).unwrap();
    }

    #[test]
    fn what_is_wrong_is_told_without_what_is_secret() {
        for (text, expected) in [
            ("tls_config:\n  cert_file: x\n", "tls_config"),
            ("tls_server_config:\n  cert_file: x\n", "key_file is missing"),
            ("tls_server_config:\n  key_file: x\n", "cert_file is missing"),
            (
                "tls_server_config:\n  cert_file: x\n  key_file: y\n  client_ca_file: z\n",
                "needs a client_auth_type",
            ),
            (
                "tls_server_config:\n  cert_file: x\n  key_file: y\n  client_auth_type: \
                 RequireAndVerifyClientCert\n",
                "needs a client_ca_file",
            ),
            ("tls_server_config:\n  cert_file: x\n  key_file: y\n  max_version: TLS11\n", "1.2"),
            ("basic_auth_users:\n  alice: hunter2-hunter2\n", "is no bcrypt hash"),
            ("http_server_config:\n  headers:\n    X-Other: x\n", "cannot be configured"),
            ("http_server_config:\n  headers:\n    X-Frame-Options: allow\n", "deny"),
            ("basic_auth_users: [hunter2-hunter2]\n", ""),
            ("basic_auth_users:\n  - alice: hunter2-hunter2\n", ""),
            ("rate_limit:\n  interval: x\n", "rate_limit"),
        ] {
            let message = error(text);
            assert!(message.contains(expected), "{text}: {message}");
            assert!(!message.contains("hunter2"), "{text}: {message}");
        }
    }
}
