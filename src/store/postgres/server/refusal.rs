//! Why no session could be opened, with what to do. Messages of the server that name the user are
//! not repeated.

use std::{error::Error as _, io, time::Duration};

use rustls::{AlertDescription, CertificateError};
use tokio_postgres::error::{DbError, SqlState};

use super::quoting::quote_name;
use crate::{
    config::{ServerConfig, ServerHost, TlsMode},
    store::{SqlError, SqlErrorKind},
};

/// Why one host, or all of them, cannot be used.
#[derive(Debug)]
pub(super) struct Refusal {
    kind: SqlErrorKind,
    /// None if it concerns all hosts.
    host: Option<String>,
    why: String,
}

/// The errors of all hosts, as one error.
pub(super) fn of_all(refusals: &[Refusal], server: &str) -> SqlError {
    let is_alone = refusals.len() == 1;
    let why = refusals.iter().map(|refusal| match &refusal.host {
        Some(host) if !is_alone => format!("{host}: {}", refusal.why),
        _ => refusal.why.clone(),
    });
    let why = why.collect::<Vec<_>>().join("; ");
    let some = |kind| refusals.iter().any(|refusal| refusal.kind == kind);
    let all = |kind| refusals.iter().all(|refusal| refusal.kind == kind);
    // Access must be granted by an administrator, but a failover ends by itself. During one, a
    // standby answers that it rejects writes, and the host that does not answer is the primary.
    let kind = if some(SqlErrorKind::Denied) {
        SqlErrorKind::Denied
    } else if !refusals.is_empty() && all(SqlErrorKind::ReadOnly) {
        SqlErrorKind::ReadOnly
    } else {
        SqlErrorKind::Unreachable
    };
    SqlError::new(kind, &format!("there is no connection to {server}: {why}"))
}

impl Refusal {
    /// Whether the host answered that it rejects writes.
    pub(super) fn is_of_read_only(&self) -> bool {
        self.kind == SqlErrorKind::ReadOnly
    }

    /// Files of the configuration cannot be used.
    pub(super) fn of_files(why: &str) -> Self {
        Self { kind: SqlErrorKind::Denied, host: None, why: why.to_owned() }
    }

    /// A host did not answer.
    pub(super) fn of_silence(host: &ServerHost, limit: Duration) -> Self {
        let why = format!(
            "no answer within {} s; see whether it hangs, or a firewall is between (the URL's \
             connect_timeout is the limit)",
            limit.as_secs()
        );
        Self { kind: SqlErrorKind::Unreachable, host: Some(host.name()), why }
    }

    /// Converts the error of a host.
    pub(super) fn of(
        error: &tokio_postgres::Error,
        host: &ServerHost,
        config: &ServerConfig,
    ) -> Self {
        let (kind, why) = match error.as_db_error() {
            Some(said) => of_server(said, config),
            None => of_way(error, config),
        };
        Self { kind, host: Some(host.name()), why }
    }
}

/// Describes an error of the server. Where the user is named here, the server has authenticated
/// this role, so the name is not a secret in the wrong setting.
fn of_server(said: &DbError, config: &ServerConfig) -> (SqlErrorKind, String) {
    let code = said.code();
    let why = match *code {
        SqlState::INVALID_PASSWORD => {
            "the server does not take the password; correct store.password_file, or the user and \
             the password in store.url"
                .to_owned()
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            let encrypted = match config.tls.mode {
                TlsMode::Disable => ", or it wants TLS (sslmode=disable is set)",
                _ if config.tls.identity.is_none() => {
                    ", or it wants a client certificate (sslcert and sslkey)"
                }
                _ => "",
            };
            format!(
                "the server does not let this user in: there is no such user, its pg_hba.conf has \
                 no line for this host, user and database{encrypted}"
            )
        }
        SqlState::INVALID_CATALOG_NAME => format!(
            "the server has no database {:?}; create it (CREATE DATABASE {} OWNER {}), or correct \
             store.url",
            config.database,
            quote_name(&config.database),
            quote_name(&config.user),
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => format!(
            "the user may not connect to the database; as its owner or a superuser, run GRANT \
             CONNECT ON DATABASE {} TO {}",
            quote_name(&config.database),
            quote_name(&config.user),
        ),
        SqlState::TOO_MANY_CONNECTIONS => {
            "the server has no connection left; raise its max_connections, or put a pool such as \
             PgBouncer before it"
                .to_owned()
        }
        SqlState::CANNOT_CONNECT_NOW => "the server starts or stops just now".to_owned(),
        _ => format!("{} (SQLSTATE {})", said.message(), code.code()),
    };
    let kind = match code.code().get(..2) {
        Some("28" | "3D" | "42") => SqlErrorKind::Denied,
        _ => SqlErrorKind::Unreachable,
    };
    (kind, why)
}

/// Describes an error of the connection.
fn of_way(error: &tokio_postgres::Error, config: &ServerConfig) -> (SqlErrorKind, String) {
    let cause = error.source();
    let io = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    if let Some(tls) = io.and_then(io::Error::get_ref).and_then(|inner| inner.downcast_ref()) {
        return (SqlErrorKind::Denied, of_tls(tls));
    }
    let text = cause.map_or_else(|| error.to_string(), ToString::to_string);
    match (io.map(io::Error::kind), text.as_str()) {
        // The library's text for it.
        (Some(io::ErrorKind::PermissionDenied), "database does not allow writes") => (
            SqlErrorKind::ReadOnly,
            "it takes no writes: it is a standby, or default_transaction_read_only is on; name the \
             primary, too"
                .to_owned(),
        ),
        (Some(io::ErrorKind::ConnectionRefused), _) => (
            SqlErrorKind::Unreachable,
            "nobody listens there; start the server, or correct the host and port in store.url"
                .to_owned(),
        ),
        (Some(io::ErrorKind::NotFound), _) => (
            SqlErrorKind::Unreachable,
            "there is no such socket; start the server, or correct the folder in store.url"
                .to_owned(),
        ),
        (_, said) if is_foreign(said) => (
            SqlErrorKind::Unreachable,
            "what answers there is no PostgreSQL, or broke off within an answer; correct the host \
             and port in store.url"
                .to_owned(),
        ),
        (Some(io::ErrorKind::UnexpectedEof), _) => {
            (SqlErrorKind::Unreachable, "it closed the connection at once".to_owned())
        }
        (Some(_), _) => (SqlErrorKind::Unreachable, text),
        (None, "server does not support TLS") => (
            SqlErrorKind::Denied,
            "the server has no TLS; switch it on there (ssl = on), or set sslmode=disable where \
             the network is safe"
                .to_owned(),
        ),
        (None, "password missing") => (
            SqlErrorKind::Denied,
            "the server asks for a password, and none is set; set store.password_file".to_owned(),
        ),
        (None, _) if error.is_closed() => {
            (SqlErrorKind::Unreachable, "it closed the connection at once".to_owned())
        }
        (None, _) if text.contains("channel binding") => (
            SqlErrorKind::Denied,
            format!(
                "{text}; the password's proof cannot be bound to the connection: that needs TLS to \
                 the server itself and a password of the form scram-sha-256, or leave \
                 channel_binding away ({})",
                config.name()
            ),
        ),
        (None, _) => (SqlErrorKind::Denied, format!("{error}: {text}")),
    }
}

/// Whether the library reports an unreadable answer. A number that is made of another protocol's
/// text looks like the length of an endless answer.
fn is_foreign(text: &str) -> bool {
    const SAID: [&str; 5] = [
        "bytes remaining on stream",
        "unexpected message from server",
        "unknown message tag",
        "unknown authentication tag",
        "invalid message length",
    ];
    SAID.iter().any(|said| text.starts_with(said))
}

/// Describes an error of TLS.
fn of_tls(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate};
    match error {
        // The second is reported for an authority that was recreated with the same name.
        InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "the server's certificate is of no authority that is trusted; name the authority's file \
             as sslrootcert"
                .to_owned()
        }
        InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the server's certificate has another name than the host; write the name in it into \
              store.url, or set sslmode=verify-ca"
            .to_owned(),
        InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "the server's certificate has expired; renew it".to_owned(),
        AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a client certificate; set sslcert and sslkey".to_owned()
        }
        AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::DecryptError
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired,
        ) => format!("the server does not take our certificate (sslcert): {error}"),
        other => format!("TLS fails: {other}"),
    }
}
