//! The sections of the configuration, as they are understood.

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
    /// Where the service reaches it.
    pub public_url: Option<Url>,
    /// The header that carries the secret, in lower case.
    pub header: String,
    /// Each of these is accepted in the header. Of these, `basic` and `bearer`, at least one
    /// is there.
    pub secrets: Vec<SecretString>,
    /// A user and passwords that are accepted, too.
    pub basic: Option<BasicConfig>,
    /// Each of these is accepted as a Bearer token, too.
    pub bearer: Vec<SecretString>,
    /// TLS and further users, in exporter-toolkit's format.
    pub web_config: Option<WebConfigFile>,
    /// The networks that deliveries come from; empty: every one.
    pub allow_from: Vec<Network>,
    /// Proxies that are believed whom they forward for.
    pub trusted_proxies: Vec<Network>,
    /// Checks that count; empty: every check.
    pub check_ids: BTreeSet<CheckId>,
    /// The longest body that is taken.
    pub max_body_bytes: usize,
}

/// A `web-config.yml` and what it says at the start; the listener reads it again.
#[derive(Debug, Clone)]
pub struct WebConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it said.
    pub config: WebConfig,
}

/// `[webhook.basic]`
#[derive(Debug, Clone)]
pub struct BasicConfig {
    /// The user's name.
    pub user: String,
    /// Each of these is accepted; at least one.
    pub passwords: Vec<SecretString>,
}

/// `[ops]`
#[derive(Debug, Clone)]
pub struct OpsConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// TLS and users, in exporter-toolkit's format.
    pub web_config: Option<WebConfigFile>,
    /// Where people reach it.
    pub public_url: Option<Url>,
    /// Names under which it is reached, besides those of loopback, in lower case.
    pub hosts: BTreeSet<String>,
    /// Whether it listens where others reach it, without authentication.
    pub allow_unauthenticated: bool,
    /// Whether nothing is changed over it.
    pub read_only: bool,
    /// Each of these lets its bearer change things; none: everybody may.
    pub write_tokens: Vec<SecretString>,
}

/// `[api]`
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// The GraphQL endpoint.
    pub url: Url,
    /// Where tokens are had.
    pub token_url: Url,
    /// The API client's id.
    pub client_id: String,
    /// The API client's secret.
    pub client_secret: SecretString,
    /// For API clients made before September 2025.
    pub audience: Option<String>,
    /// The form of a token request.
    pub token_request: TokenRequest,
    /// What a list means that is null without an error.
    pub null_lists: NullLists,
    /// How long one request may take, to the end of its answer.
    pub timeout: Duration,
    /// Requests at once.
    pub concurrency: usize,
    /// Users a page, when an address is asked about.
    pub page_size: u32,
    /// Users or addresses that one request asks about.
    pub batch_size: usize,
    /// Requests at most in any minute.
    pub requests_per_minute: u32,
    /// How often a request that failed and may succeed is sent again.
    pub retries: u32,
    /// Bytes of an answer at most.
    pub max_answer_bytes: usize,
    /// Elements at most of any one list in an answer.
    pub max_answer_items: usize,
}

/// The form of a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum TokenRequest {
    /// The one that the token endpoint takes, JSON first.
    Auto,
    /// JSON.
    Json,
    /// Form-encoded, as OAuth 2.0 has it (RFC 6749).
    Form,
}

/// `[watch]`
#[derive(Debug, Clone)]
pub struct WatchConfig {
    /// Users, by login.
    pub users: BTreeSet<Login>,
    /// Addresses.
    pub ips: BTreeSet<IpAddress>,
    /// Whether every user that a webhook names is watched, too.
    pub failing_users: bool,
    /// Users watched at most.
    pub max_users: usize,
    /// Addresses watched at most.
    pub max_ips: usize,
}

/// `[sync]`
#[derive(Debug, Clone)]
pub struct SyncConfig {
    /// When watched users are asked about.
    pub users: JobConfig,
    /// When watched addresses are asked about.
    pub ips: JobConfig,
    /// When the whole tenant is listed; off without it.
    pub tenant: Option<JobConfig>,
    /// Users a page, when the tenant is listed.
    pub tenant_page_size: u32,
    /// When integrations and administrators are looked at; off without it.
    pub service: Option<JobConfig>,
    /// By how much a run comes late at most, by chance.
    pub jitter_seconds: u64,
    /// Whether a run's requests are spread over the time to the next run.
    pub spread: bool,
    /// For how long after a failure was published no answer ends it: the API lags behind
    /// the webhook.
    pub settle: Duration,
}

/// `[sync.users]` and the other jobs
#[derive(Debug, Clone)]
pub struct JobConfig {
    /// Cron with seconds, in the configured zone.
    pub schedule: Schedule,
    /// Whether the first run is at the start.
    pub on_start: bool,
}

/// `[tenant]`
#[derive(Debug, Clone, Default)]
pub struct TenantConfig {
    /// Its name for people; without one, its id stands in.
    pub name: Option<String>,
}

/// `[metrics]`
#[derive(Debug, Clone)]
pub struct MetricsConfig {
    /// Whom series of their own are shown for.
    pub user_series: UserSeries,
    /// By what users are named there.
    pub user_label: UserLabel,
    /// How many checks have series at most.
    pub max_checks: usize,
}

/// Whom series of their own are shown for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum UserSeries {
    /// Users whom the configuration, a command or the API listed.
    Listed,
    /// Followed ones, too.
    All,
    /// Nobody.
    None,
}

/// `[store]`
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Where state is.
    pub place: StorePlace,
    /// For how many days things are kept.
    pub retention_days: Retention<u32>,
}

/// Where state is.
#[derive(Debug, Clone)]
pub enum StorePlace {
    /// In a file, by SQLite.
    File(PathBuf),
    /// On a PostgreSQL server.
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
    /// What the listener speaks.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        scheme(self.web_config.as_ref())
    }
}

impl OpsConfig {
    /// What the listener speaks.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        scheme(self.web_config.as_ref())
    }

    /// Whether other machines reach it and need not prove who they are.
    #[must_use]
    pub fn is_open(&self) -> bool {
        is_open(self.listen, self.web_config.as_ref())
    }
}

fn scheme(file: Option<&WebConfigFile>) -> &'static str {
    if file.is_some_and(|file| file.config.tls.is_some()) { "https" } else { "http" }
}

/// Whether other machines reach a listener and need not prove who they are.
pub(super) fn is_open(listen: SocketAddr, file: Option<&WebConfigFile>) -> bool {
    let is_authenticated = file.is_some_and(|file| file.config.is_authenticated());
    !listen.ip().to_canonical().is_loopback() && !is_authenticated
}
