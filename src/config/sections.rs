//! The sections of the configuration, with parsed values.

use std::{collections::BTreeSet, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use reqwest::Url;
use secrecy::SecretString;
use strum::{EnumString, VariantNames};

use super::{ServerConfig, UserLabel, WebConfig};
use crate::domain::{CheckId, IpAddress, Login, Network, NullLists, Retention, Schedule};

/// `[webhook]`
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The path that takes deliveries.
    pub path: String,
    /// The URL under which the service reaches it.
    pub public_url: Option<Url>,
    /// The header that carries the secret, in lower case.
    pub header: String,
    /// The secrets that are accepted in the header. At least one of `secrets`, `basic` and `bearer`
    /// is set.
    pub secrets: Vec<SecretString>,
    /// A user with passwords that are accepted, too.
    pub basic: Option<BasicConfig>,
    /// Bearer tokens that are accepted, too.
    pub bearer: Vec<SecretString>,
    /// TLS and further users, in exporter-toolkit's format.
    pub web_config: Option<WebConfigFile>,
    /// The networks of senders; empty: all.
    pub allow_from: Vec<Network>,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: Vec<Network>,
    /// The checks whose deliveries are recorded; empty: all.
    pub check_ids: BTreeSet<CheckId>,
    /// The longest body that is accepted.
    pub max_body_bytes: usize,
}

/// A `web-config.yml` and its content at the start; the listener reads it again when it changes.
#[derive(Debug, Clone)]
pub struct WebConfigFile {
    /// Its path.
    pub path: PathBuf,
    /// Its content at the start.
    pub config: WebConfig,
}

/// `[webhook.basic]`
#[derive(Debug, Clone)]
pub struct BasicConfig {
    /// The user's name.
    pub user: String,
    /// The accepted passwords; at least one.
    pub passwords: Vec<SecretString>,
}

/// `[ops]`
#[derive(Debug, Clone)]
pub struct OpsConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// TLS and users, in exporter-toolkit's format.
    pub web_config: Option<WebConfigFile>,
    /// The URL of its pages for browsers.
    pub public_url: Option<Url>,
    /// Accepted host names besides those of loopback, in lower case.
    pub hosts: BTreeSet<String>,
    /// Whether it may listen for other machines without authentication.
    pub allow_unauthenticated: bool,
    /// Whether requests that change state are refused.
    pub read_only: bool,
    /// Tokens for requests that change state; without any, no token is needed.
    pub write_tokens: Vec<SecretString>,
}

/// `[api]`
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The GraphQL endpoint.
    pub url: Url,
    /// The URL of the token endpoint.
    pub token_url: Url,
    /// The API client's id.
    pub client_id: String,
    /// The API client's secret.
    pub client_secret: SecretString,
    /// For API clients made before September 2025.
    pub audience: Option<String>,
    /// The form of a token request.
    pub token_request: TokenRequest,
    /// The meaning of a list that is null without an error.
    pub null_lists: NullLists,
    /// Time limit of a request, including its answer.
    pub timeout: Duration,
    /// Most concurrent requests.
    pub concurrency: usize,
    /// Users per page of an address.
    pub page_size: u32,
    /// Most users or addresses in one request.
    pub batch_size: usize,
    /// Most requests per minute.
    pub requests_per_minute: u32,
    /// How often a request with a temporary failure is repeated.
    pub retries: u32,
    /// Most bytes of an answer.
    pub max_answer_bytes: usize,
    /// Most elements of any list in an answer.
    pub max_answer_items: usize,
}

/// The form of a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum TokenRequest {
    /// The form that the token endpoint accepts; JSON is tried first.
    Auto,
    /// JSON.
    Json,
    /// Form-encoded, as in OAuth 2.0 (RFC 6749).
    Form,
}

/// `[watch]`
#[derive(Debug, Clone)]
pub struct WatchConfig {
    /// The watched users, by login.
    pub users: BTreeSet<Login>,
    /// The watched addresses.
    pub ips: BTreeSet<IpAddress>,
    /// Whether users named in deliveries are followed, too.
    pub failing_users: bool,
    /// Most watched users.
    pub max_users: usize,
    /// Most watched addresses.
    pub max_ips: usize,
}

/// `[sync]`
#[derive(Debug, Clone)]
pub struct SyncConfig {
    /// The poll of watched users.
    pub users: JobConfig,
    /// The poll of watched addresses.
    pub ips: JobConfig,
    /// The listing of the whole tenant; `None` when it is off.
    pub tenant: Option<JobConfig>,
    /// Users per page of the tenant listing.
    pub tenant_page_size: u32,
    /// The poll of integrations and administrators; `None` when it is off.
    pub service: Option<JobConfig>,
    /// The largest random delay of a run, in seconds.
    pub jitter_seconds: u64,
    /// Whether the requests of a run are spread over the time until the next run.
    pub spread: bool,
    /// For how long after its publication no answer ends a failure, because the API lags behind the
    /// webhook.
    pub settle: Duration,
}

/// `[sync.users]` and the other jobs
#[derive(Debug, Clone)]
pub struct JobConfig {
    /// The schedule: cron with seconds, in the configured time zone.
    pub schedule: Schedule,
    /// Whether it also runs at the start.
    pub on_start: bool,
}

/// `[tenant]`
#[derive(Debug, Clone, Default)]
pub struct TenantConfig {
    /// The displayed name; without one, the id is used.
    pub name: Option<String>,
}

/// `[metrics]`
#[derive(Debug, Clone)]
pub struct MetricsConfig {
    /// Which users have series of their own.
    pub user_series: UserSeries,
    /// What identifies a user in these series.
    pub user_label: UserLabel,
    /// Most checks that have series.
    pub max_checks: usize,
}

/// Which users have series of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum UserSeries {
    /// Users whom the configuration, a command or the API listed.
    Listed,
    /// Listed and followed users.
    All,
    /// No users.
    None,
}

/// `[store]`
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The place of the store.
    pub place: StorePlace,
    /// The retention in days, by kind.
    pub retention_days: Retention<u32>,
}

/// The place of the store.
#[derive(Debug, Clone)]
pub enum StorePlace {
    /// A file, with SQLite.
    File(PathBuf),
    /// A database on a PostgreSQL server.
    Server(Box<ServerConfig>),
}

/// The file's path, or the server's URL without the user and the password.
impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => f.write_str(&server.name()),
        }
    }
}

/// `[log]`
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// A level, or a filter in the form of the crate `tracing`.
    pub level: String,
    /// Whether each line is a JSON object.
    pub is_json: bool,
}

impl WebhookConfig {
    /// The scheme of the listener: `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        scheme(self.web_config.as_ref())
    }
}

impl OpsConfig {
    /// The scheme of the listener: `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        scheme(self.web_config.as_ref())
    }

    /// Whether other machines can use it without authentication.
    #[must_use]
    pub fn is_open(&self) -> bool {
        is_open(self.listen, self.web_config.as_ref())
    }
}

fn scheme(file: Option<&WebConfigFile>) -> &'static str {
    if file.is_some_and(|file| file.config.tls.is_some()) { "https" } else { "http" }
}

/// Whether other machines can use a listener without authentication.
pub(super) fn is_open(listen: SocketAddr, file: Option<&WebConfigFile>) -> bool {
    let is_authenticated = file.is_some_and(|file| file.config.is_authenticated());
    !listen.ip().to_canonical().is_loopback() && !is_authenticated
}
