//! The configured server, and connecting to it.

mod binding;
mod quoting;
mod refusal;
mod tls;
mod verifier;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use secrecy::ExposeSecret as _;
use tokio_postgres::{
    Client, Config, Connection, Socket,
    config::{self, SslMode, TargetSessionAttrs},
};

use crate::{
    config::{ChannelBinding, ServerConfig, ServerHost, TlsMode},
    store::StoreError,
};
use quoting::quote_name;
use refusal::Refusal;
use tls::{Connector, Encrypted};

/// A PostgreSQL server, with the database and schema. Clones share which host is in use.
#[derive(Debug, Clone)]
pub struct Server {
    config: Arc<ServerConfig>,
    /// The index of the host to try first: the one that last accepted a connection. After a
    /// failover, connections do not wait for the old host again.
    first: Arc<AtomicUsize>,
}

impl Server {
    /// The server of a configuration, without connecting.
    #[must_use]
    pub fn new(config: &ServerConfig) -> Self {
        Self { config: Arc::new(config.clone()), first: Arc::default() }
    }

    /// The schema, if one is configured.
    pub(super) fn schema(&self) -> Option<&str> {
        self.config.schema.as_deref()
    }

    /// The schema's name, quoted for statements.
    pub(super) fn quoted_schema(&self) -> String {
        quote_name(self.schema().unwrap_or("public"))
    }

    /// The statement that sets the schema for a transaction; empty if none is configured.
    pub(super) fn search_path(&self) -> String {
        match self.schema() {
            Some(_) => format!("SET LOCAL search_path = {};", self.quoted_schema()),
            None => String::new(),
        }
    }

    /// How a commit waits for standbys: the value of `synchronous_commit`.
    pub(super) fn commit_level(&self) -> &'static str {
        self.config.commit.as_str()
    }

    /// The server and its database as a URL for people, without user and password.
    #[must_use]
    pub fn name(&self) -> String {
        self.config.name()
    }

    /// The URL for people with the schema, if one is configured.
    pub(super) fn tables_name(&self) -> String {
        match self.schema() {
            Some(schema) => format!("{} (schema {schema})", self.name()),
            None => self.name(),
        }
    }

    /// The limit of connecting, including all hosts that may have to be tried.
    pub(super) fn connect_limit(&self) -> Duration {
        // A single host is tried twice; the extra time lets every host's error be reported.
        let tries = u32::try_from(self.config.hosts.len()).unwrap_or(u32::MAX).max(2);
        self.config.connect_timeout.saturating_mul(tries) + Duration::from_secs(1)
    }

    /// Opens a session with the first host that accepts one. The connection must be polled for the
    /// client to work.
    ///
    /// # Errors
    /// The error of each host, and what to do.
    pub(super) async fn connect(
        &self,
    ) -> Result<(Client, Connection<Socket, Encrypted>), StoreError> {
        let connector =
            Connector::new(&self.config.tls).map_err(|refusal| self.all_refused(&[refusal]))?;
        let hosts = &self.config.hosts;
        let first = self.first.load(Ordering::Relaxed);
        let mut refusals = Vec::new();
        for place in (0..hosts.len()).map(|place| (first + place) % hosts.len()) {
            let Some(host) = hosts.get(place) else { continue };
            // If the caller's limit ends this attempt, the next attempt begins with the next host.
            self.first.store((place + 1) % hosts.len(), Ordering::Relaxed);
            match self.open(host, &connector, self.config.needs_writable).await {
                Ok(session) => {
                    self.first.store(place, Ordering::Relaxed);
                    return Ok(session);
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        // If there is no other host, one that rejects writes is used for reading. It is not used at
        // once: its name can resolve to several servers, and the library tries each.
        if let ([host], [refusal]) = (&**hosts, &*refusals)
            && refusal.is_of_read_only()
        {
            return self
                .open(host, &connector, false)
                .await
                .map_err(|refusal| self.all_refused(&[refusal]));
        }
        Err(self.all_refused(&refusals))
    }

    /// Opens a session with one host.
    async fn open(
        &self,
        host: &ServerHost,
        connector: &Connector,
        needs_writable: bool,
    ) -> Result<(Client, Connection<Socket, Encrypted>), Refusal> {
        let config = self.session(host, needs_writable);
        // The library's own limit ends when the server accepts the connection, which a hanging
        // server does, too.
        let limit = self.config.connect_timeout;
        match tokio::time::timeout(limit, config.connect(connector.clone())).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => Err(Refusal::of(&error, host, &self.config)),
            Err(_) => Err(Refusal::of_silence(host, limit)),
        }
    }

    fn all_refused(&self, refusals: &[Refusal]) -> StoreError {
        refusal::of_all(refusals, &self.name()).into()
    }

    /// The library's configuration for a session with this host.
    fn session(&self, host: &ServerHost, needs_writable: bool) -> Config {
        let from = &self.config;
        let mut config = Config::new();
        config
            .user(&from.user)
            .dbname(&from.database)
            .application_name(&from.application_name)
            .connect_timeout(from.connect_timeout)
            .tcp_user_timeout(from.tcp_user_timeout)
            .keepalives(from.keepalives.is_some())
            .channel_binding(match from.channel_binding {
                ChannelBinding::Disable => config::ChannelBinding::Disable,
                ChannelBinding::Prefer => config::ChannelBinding::Prefer,
                ChannelBinding::Require => config::ChannelBinding::Require,
            })
            .target_session_attrs(if needs_writable {
                TargetSessionAttrs::ReadWrite
            } else {
                TargetSessionAttrs::Any
            });
        if let Some(password) = &from.password {
            config.password(password.expose_secret());
        }
        if let Some(options) = &from.options {
            config.options(options);
        }
        if let Some(keepalives) = from.keepalives {
            config
                .keepalives_idle(keepalives.idle)
                .keepalives_interval(keepalives.interval)
                .keepalives_retries(keepalives.retries);
        }
        match host {
            ServerHost::Tcp(name, port) => {
                config.host(name).port(*port).ssl_mode(match from.tls.mode {
                    TlsMode::Disable => SslMode::Disable,
                    TlsMode::Prefer => SslMode::Prefer,
                    TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
                });
            }
            // A server does not encrypt a Unix socket. As with libpq, no mode requires it there.
            ServerHost::Unix(folder, port) => {
                config.host_path(folder).port(*port).ssl_mode(SslMode::Disable);
            }
        }
        config
    }
}

#[cfg(test)]
impl Server {
    /// A server by its URL.
    pub(in crate::store) fn at(url: &str, schema: Option<&str>) -> Self {
        let config = ServerConfig::parse(url).unwrap();
        Self::new(&ServerConfig { schema: schema.map(str::to_owned), ..config })
    }
}

#[cfg(test)]
mod tests;
