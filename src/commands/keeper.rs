//! Access to the store for commands. A database file is opened by one process: a running daemon
//! takes commands over its socket, otherwise the command opens the file. A database server accepts
//! daemons and commands at the same time.

use std::net::{Ipv4Addr, Ipv6Addr};

use cii_exporter::{
    config::{Config, StorePlace},
    store::{self, Reader, Store, StoreError, WriterThread},
};
use reqwest::{ClientBuilder, Method, header::ACCEPT};
use serde_json::Value;

use super::error::CommandError;

/// How a command reaches the store.
pub(super) enum Keeper {
    /// The command opens it: no daemon has the file open, or the database is on a server.
    Database(Store, WriterThread),
    /// A daemon has it open, and takes commands at this URL, or `unix:` and a path.
    Daemon(String),
}

impl Keeper {
    /// Opens the store, or finds the daemon that has it open. A missing database is created only
    /// when its path is absolute.
    pub(super) fn find(config: &Config) -> Result<Self, CommandError> {
        let place = &config.store.place;
        // The daemon may run in another working directory, so a relative path could create a second
        // database.
        if let StorePlace::File(path) = place
            && path.is_relative()
            && !path.exists()
        {
            let looked_at = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            return Err(StoreError::Missing { path: looked_at, is_relative: true }.into());
        }
        match Store::open_current_at(place) {
            Ok((store, writer)) => Ok(Self::Database(store, writer)),
            Err(StoreError::InUse(path)) => match store::holder_url(place) {
                Some(url) => Ok(Self::Daemon(url)),
                None => Err(StoreError::InUse(path).into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}

/// The URL of this machine's daemon: the socket beside its file, or with a database server its ops
/// listener. `None` when no daemon has the file open, or the port is 0 and so unknown.
pub(super) fn daemon_url(config: &Config) -> Option<String> {
    let StorePlace::Server(_) = config.store.place else {
        return store::holder_url(&config.store.place);
    };
    let mut listen = config.ops.listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(if listen.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    (listen.port() != 0).then(|| format!("{}://{listen}", config.ops.scheme()))
}

/// Whether a daemon with this configuration runs on this machine.
pub(super) async fn is_daemon_running(config: &Config) -> bool {
    match (&config.store.place, daemon_url(config)) {
        (StorePlace::File(_), daemon) => daemon.is_some(),
        (StorePlace::Server(_), Some(daemon)) => probe_daemon(&daemon, "healthy").await.is_ok(),
        (StorePlace::Server(_), None) => false,
    }
}

/// Reads the database, also while a daemon has it open. Errors name the database and what to do.
pub(super) fn read_store<T>(
    config: &Config,
    query: impl FnOnce(&Reader) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let place = &config.store.place;
    let reader = Reader::open_at(place)?;
    query(&reader).map_err(|error| match error {
        CommandError::Store(error) => error.with_place(place).into(),
        error => error,
    })
}

/// Sends a request to a daemon's API; returns status and body of the answer.
pub(super) async fn ask_daemon(
    daemon: &str,
    method: Method,
    path: &[&str],
    body: Option<&Value>,
) -> Result<(u16, Value), CommandError> {
    ask_daemon_with(daemon, method, path, &[], body).await
}

/// The same with query fields.
pub(super) async fn ask_daemon_with(
    daemon: &str,
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<(u16, Value), CommandError> {
    let path = [&["api", "v1"], path].concat();
    send_with_client(reqwest::Client::builder(), daemon, method, &path, query, body).await
}

/// Sends a probe to a daemon: `healthy` or `ready`.
pub(super) async fn probe_daemon(
    daemon: &str,
    question: &str,
) -> Result<(u16, Value), CommandError> {
    // The daemon is on this machine, under an address that its certificate need not contain, and
    // neither request nor answer is secret.
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    send_with_client(client, daemon, Method::GET, &["-", question], &[], None).await
}

async fn send_with_client(
    client: ClientBuilder,
    daemon: &str,
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<(u16, Value), CommandError> {
    let unreached = |reason: String| CommandError::Daemon { url: daemon.to_owned(), reason };
    let (client, base) = match daemon.strip_prefix("unix:") {
        Some(socket) => (client.unix_socket(socket), "http://localhost"),
        None => (client, daemon),
    };
    let client = client.build().map_err(|error| unreached(error.to_string()))?;
    let mut url: reqwest::Url =
        base.parse().map_err(|_| unreached("its address is none".to_owned()))?;
    url.path_segments_mut()
        .map_err(|()| unreached("its address is none".to_owned()))?
        .clear()
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    let mut request = client.request(method, url).header(ACCEPT, "application/json");
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer =
        request.send().await.map_err(|error| unreached(error.without_url().to_string()))?;
    let status = answer.status().as_u16();
    let body = answer.json().await.unwrap_or_default();
    Ok((status, body))
}

/// The error for an answer by which the daemon refuses a request.
pub(super) fn refusal_error(body: &Value) -> CommandError {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    CommandError::Refused(match text("detail") {
        detail if detail.is_empty() => "the daemon refuses".to_owned(),
        detail => detail,
    })
}
