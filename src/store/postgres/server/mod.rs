//! Which server, and how it is reached.

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

/// A PostgreSQL server, and the database and schema on it. Clones share which host is in use.
#[derive(Debug, Clone)]
pub struct Server {
    config: Arc<ServerConfig>,
    /// The place of the host to begin with: the one that took us last. After a failover, nobody
    /// waits again for one that does not answer.
    first: Arc<AtomicUsize>,
}

impl Server {
    /// The server of a configuration. Connects to nothing.
    #[must_use]
    pub fn new(config: &ServerConfig) -> Self {
        Self { config: Arc::new(config.clone()), first: Arc::default() }
    }

    /// The schema, where one is configured.
    pub(super) fn schema(&self) -> Option<&str> {
        self.config.schema.as_deref()
    }

    /// The schema's name, as statements take it.
    pub(super) fn quoted_schema(&self) -> String {
        quote_name(self.schema().unwrap_or("public"))
    }

    /// The statement that sets the schema for a transaction; empty where none is configured.
    pub(super) fn search_path(&self) -> String {
        match self.schema() {
            Some(_) => format!("SET LOCAL search_path = {};", self.quoted_schema()),
            None => String::new(),
        }
    }

    /// How a commit waits for standbys, as `synchronous_commit` has it.
    pub(super) fn commit_level(&self) -> &'static str {
        self.config.commit.as_str()
    }

    /// The server and its database as a URL for people: without the user and the password.
    #[must_use]
    pub fn name(&self) -> String {
        self.config.name()
    }

    /// The same with the schema, where one is configured: whose tables they are.
    pub(super) fn tables_name(&self) -> String {
        match self.schema() {
            Some(schema) => format!("{} (schema {schema})", self.name()),
            None => self.name(),
        }
    }

    /// How long connecting may take, with all hosts that may have to be tried.
    pub(super) fn connect_limit(&self) -> Duration {
        // One is tried twice; and what each fails with is to be told.
        let tries = u32::try_from(self.config.hosts.len()).unwrap_or(u32::MAX).max(2);
        self.config.connect_timeout.saturating_mul(tries) + Duration::from_secs(1)
    }

    /// Opens a session with the first host that takes one. The connection has to be polled for
    /// the client to work.
    ///
    /// # Errors
    /// What each host failed with, and what to do.
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
            // Whoever gives up meanwhile goes on with the next one, at another try.
            self.first.store((place + 1) % hosts.len(), Ordering::Relaxed);
            match self.open(host, &connector, self.config.needs_writable).await {
                Ok(session) => {
                    self.first.store(place, Ordering::Relaxed);
                    return Ok(session);
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        // Where there is no other host, one that takes no writes is at least read. It is not taken
        // at once: its name can be that of several servers, and the library tries each.
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
        // The library's own limit ends where the server has accepted a connection. One that hangs
        // accepts them, too.
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

    /// What the library is told for a session with this host.
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
            // A server encrypts no Unix socket. As libpq has it, no mode asks for it there.
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
