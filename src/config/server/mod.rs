//! A PostgreSQL server, as a URL in libpq's form describes it ("Connection URIs" and "Parameter Key
//! Words" of its manual).
//!
//! No error repeats a part of the URL: a password that is not percent-encoded can end up in any.

mod escape;
mod parameters;
mod schema;
mod url;

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use strum::{EnumString, VariantNames};

pub(in crate::config) use schema::check_name as check_schema;

/// A server, the database on it, and how it is reached.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where it may be; at least one. They are tried in this order.
    pub hosts: Vec<ServerHost>,
    /// The database's name.
    pub database: String,
    /// Whom the server knows us as.
    pub user: String,
    /// With what we prove it, where the server asks.
    pub password: Option<SecretString>,
    /// Whether connections are encrypted, and whom we trust.
    pub tls: ServerTls,
    /// Whether a host that takes no writes, such as a standby, is passed over.
    pub needs_writable: bool,
    /// How long one host may take until a session is there.
    pub connect_timeout: Duration,
    /// When a silent connection is probed; never without it.
    pub keepalives: Option<Keepalives>,
    /// How long what was sent may stay unacknowledged before the connection is given up.
    pub tcp_user_timeout: Duration,
    /// What the server shows the sessions as.
    pub application_name: String,
    /// What the server is given at the start of a session, in the form of its command line.
    pub options: Option<String>,
    /// Whether the password's proof is bound to the TLS connection.
    pub channel_binding: ChannelBinding,
    /// The schema of the tables; that of the server's `search_path` without it.
    pub schema: Option<String>,
    /// What a commit waits for.
    pub commit: CommitLevel,
}

/// Where a server may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerHost {
    /// A name or an address, and a port.
    Tcp(String, u16),
    /// The folder of a Unix socket, and the port that its name has.
    Unix(PathBuf, u16),
}

/// How connections are encrypted, and whom we trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTls {
    /// `sslmode`
    pub mode: TlsMode,
    /// Whose certificates are believed; those of the system without it.
    pub root_file: Option<PathBuf>,
    /// The files of our own certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// `sslmode`, as libpq has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum TlsMode {
    /// Never.
    Disable,
    /// Where the server can, whoever it is.
    #[default]
    Prefer,
    /// Always, whoever it is.
    Require,
    /// Always, and its certificate is of an authority that we trust.
    VerifyCa,
    /// Always, and its certificate is of an authority that we trust and has the host's name.
    VerifyFull,
}

/// When a silent connection is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalives {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Probes without an answer before the connection is given up.
    pub retries: u32,
}

/// `channel_binding`, as libpq has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// Where the server can.
    #[default]
    Prefer,
    /// Always: a server that cannot is not spoken to.
    Require,
}

/// What a commit waits for, as PostgreSQL's `synchronous_commit` has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum CommitLevel {
    /// The synchronous standbys, if any, have it on their disks.
    #[default]
    On,
    /// They have applied it, too: who reads there sees it.
    RemoteApply,
}

impl CommitLevel {
    /// The word that the server takes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::RemoteApply => "remote_apply",
        }
    }
}

/// The port of a server where none is named.
const PORT: u16 = 5432;

impl ServerHost {
    /// The host, and the port where it is not the usual one.
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
    /// Understands a URL.
    ///
    /// # Errors
    /// Says what is wrong, and repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        url::parse(text)
    }

    /// The same with the tables in this schema.
    ///
    /// # Errors
    /// When the text is no name of a schema; says what is expected.
    pub fn with_schema(self, schema: &str) -> Result<Self, String> {
        check_schema(schema)?;
        Ok(Self { schema: Some(schema.to_owned()), ..self })
    }

    /// The server and its database as a URL for people: without the user and the password.
    #[must_use]
    pub fn name(&self) -> String {
        let hosts: Vec<_> = self.hosts.iter().map(ServerHost::name).collect();
        // What a name rarely holds, and what would end it.
        let database = if self.database.contains(['/', '?', '#', '%', ' ']) {
            encode(&self.database)
        } else {
            self.database.clone()
        };
        format!("postgres://{}/{database}", hosts.join(","))
    }

    /// The same with what matters to whoever looks for a mistake.
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

    /// The files that the URL names, each with its parameter.
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
