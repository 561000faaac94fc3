//! A PostgreSQL server, described by a URL in libpq's form ("Connection URIs" and "Parameter Key
//! Words" of its manual).
//!
//! No error repeats a part of the URL: a password that is not percent-encoded can be in any part.

mod escape;
mod parameters;
mod schema;
mod url;

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use strum::{EnumString, VariantNames};

pub(in crate::config) use schema::check_name as check_schema;

/// A server, its database, and the parameters of the connection.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The hosts, at least one, tried in this order.
    pub hosts: Vec<ServerHost>,
    /// The database's name.
    pub database: String,
    /// The user's name on the server.
    pub user: String,
    /// The user's password.
    pub password: Option<SecretString>,
    /// Encryption and trusted certificates.
    pub tls: ServerTls,
    /// Whether a read-only host, such as a standby, is skipped.
    pub needs_writable: bool,
    /// Time limit to open a session on one host.
    pub connect_timeout: Duration,
    /// TCP keepalives; `None`: off.
    pub keepalives: Option<Keepalives>,
    /// How long sent data may stay unacknowledged before the connection is closed.
    pub tcp_user_timeout: Duration,
    /// The name of the sessions on the server.
    pub application_name: String,
    /// Options for the server at the start of a session, in the form of its command line.
    pub options: Option<String>,
    /// Whether the SCRAM authentication is bound to the TLS connection.
    pub channel_binding: ChannelBinding,
    /// The schema of the tables; without it, the server's `search_path` decides.
    pub schema: Option<String>,
    /// What a commit waits for.
    pub commit: CommitLevel,
}

/// A host of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerHost {
    /// A name or an address, and a port.
    Tcp(String, u16),
    /// The folder of a Unix socket, and the port that its name has.
    Unix(PathBuf, u16),
}

/// Encryption of connections, and trusted certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTls {
    /// `sslmode`
    pub mode: TlsMode,
    /// The trusted authorities; without it, those of the system.
    pub root_file: Option<PathBuf>,
    /// The files of the client certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// `sslmode`, as libpq has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum TlsMode {
    /// Never.
    Disable,
    /// If the server supports it, without verification.
    #[default]
    Prefer,
    /// Always, without verification.
    Require,
    /// Always, with a certificate of a trusted authority.
    VerifyCa,
    /// Always, with a certificate of a trusted authority that has the host's name.
    VerifyFull,
}

/// TCP keepalives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalives {
    /// Idle time before the first probe.
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Unanswered probes before the connection is closed.
    pub retries: u32,
}

/// `channel_binding`, as libpq has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// If the server supports it.
    #[default]
    Prefer,
    /// Always: other servers are refused.
    Require,
}

/// What a commit waits for, as PostgreSQL's `synchronous_commit` has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum CommitLevel {
    /// The synchronous standbys, if any, have flushed it to disk.
    #[default]
    On,
    /// They have also applied it, so that reads there see it.
    RemoteApply,
}

impl CommitLevel {
    /// The value for the server.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::RemoteApply => "remote_apply",
        }
    }
}

/// The default port.
const PORT: u16 = 5432;

impl ServerHost {
    /// The host, with the port unless it is the default.
    #[must_use]
    pub fn name(&self) -> String {
        let (host, port) = match self {
            Self::Tcp(host, port) if host.contains(':') => (format!("[{host}]"), port),
            Self::Tcp(host, port) => (host.clone(), port),
            Self::Unix(folder, port) => (encode(&folder.display().to_string()), port),
        };
        if *port == PORT { host } else { format!("{host}:{port}") }
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl ServerConfig {
    /// Parses a URL.
    ///
    /// # Errors
    /// Describes the problem, without repeating any part of the URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        url::parse(text)
    }

    /// Sets the schema of the tables.
    ///
    /// # Errors
    /// When the text is no valid schema name; the error says what is expected.
    pub fn with_schema(self, schema: &str) -> Result<Self, String> {
        check_schema(schema)?;
        Ok(Self { schema: Some(schema.to_owned()), ..self })
    }

    /// The server and its database as a URL without user and password.
    #[must_use]
    pub fn name(&self) -> String {
        let hosts: Vec<_> = self.hosts.iter().map(ServerHost::name).collect();
        // Characters that would end the name are rare, and are escaped.
        let database = if self.database.contains(['/', '?', '#', '%', ' ']) {
            encode(&self.database)
        } else {
            self.database.clone()
        };
        format!("postgres://{}/{database}", hosts.join(","))
    }

    /// The same URL with the parameters that matter for diagnosis.
    pub(super) fn effective_url(&self) -> String {
        let mut text = self.name();
        let mode = match self.tls.mode {
            TlsMode::Disable => "disable",
            TlsMode::Prefer => "prefer",
            TlsMode::Require => "require",
            TlsMode::VerifyCa => "verify-ca",
            TlsMode::VerifyFull => "verify-full",
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "?sslmode={mode}");
        if let Some(file) = &self.tls.root_file {
            let _ = write!(text, "&sslrootcert={}", file.display());
        }
        if let Some((certificate, key)) = &self.tls.identity {
            let _ = write!(text, "&sslcert={}&sslkey={}", certificate.display(), key.display());
        }
        text
    }

    /// The files in the URL, each with its parameter.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let roots = self.tls.root_file.iter().map(|file| ("sslrootcert", file));
        let identity = self.tls.identity.iter();
        roots.chain(
            identity.flat_map(|(certificate, key)| [("sslcert", certificate), ("sslkey", key)]),
        )
    }
}

#[cfg(test)]
mod tests;
