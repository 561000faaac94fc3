//! Who keeps the store: a running daemon, which is asked over its socket for commands,
//! or nobody, so that the file can be opened here.

use cii_exporter::{
    config::Config,
    store::{self, Reader, Store, StoreError, WriterThread},
};
use reqwest::{Method, header::ACCEPT};
use serde_json::Value;

use super::error::CommandError;

/// The way to the store.
pub(super) enum Keeper {
    /// No daemon runs.
    File(Store, WriterThread),
    /// A daemon runs, and takes commands here: a URL, or `unix:` and a path.
    Daemon(String),
}

impl Keeper {
    /// Finds out who keeps the store. A database that is not there is made only where the
    /// configuration leaves no doubt of its place.
    pub(super) fn find(config: &Config) -> Result<Self, CommandError> {
        let path = &config.store.path;
        // Where a command runs says nothing of where the daemon does.
        if path.is_relative() && !path.exists() {
            let looked_at = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            return Err(StoreError::Missing { path: looked_at, is_relative: true }.into());
        }
        match Store::open_current(&config.store.path) {
            Ok((store, writer)) => Ok(Self::File(store, writer)),
            Err(StoreError::InUse(path)) => match store::holder(&path) {
                Some(url) => Ok(Self::Daemon(url)),
                None => Err(StoreError::InUse(path).into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}

/// Reads the database, which a daemon may have open. What fails names the file, and what to do.
pub(super) fn read<T>(
    config: &Config,
    query: impl FnOnce(&Reader) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let path = &config.store.path;
    let reader = Reader::look_into(path)?;
    query(&reader).map_err(|error| match error {
        CommandError::Store(error) => error.at_start(path).into(),
        error => error,
    })
}

/// Asks a daemon; the status and body of its answer.
pub(super) async fn ask(
    daemon: &str,
    method: Method,
    path: &[&str],
    body: Option<&Value>,
) -> Result<(u16, Value), CommandError> {
    ask_with(daemon, method, path, &[], body).await
}

/// The same, with fields in the query.
pub(super) async fn ask_with(
    daemon: &str,
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<(u16, Value), CommandError> {
    ask_at(daemon, method, &[&["api", "v1"], path].concat(), query, body).await
}

/// The same, of what is no part of the API.
pub(super) async fn ask_at(
    daemon: &str,
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<(u16, Value), CommandError> {
    let unreached = |reason: String| CommandError::Daemon { url: daemon.to_owned(), reason };
    let (client, base) = match daemon.strip_prefix("unix:") {
        Some(socket) => (reqwest::Client::builder().unix_socket(socket), "http://localhost"),
        None => (reqwest::Client::builder(), daemon),
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

/// What a refusal of the daemon says.
pub(super) fn refusal(body: &Value) -> CommandError {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    CommandError::Refused(match text("detail") {
        detail if detail.is_empty() => "the daemon refuses".to_owned(),
        detail => detail,
    })
}
