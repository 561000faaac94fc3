//! The parameters in the query of a URL.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr, time::Duration};

use secrecy::{SecretString, zeroize::Zeroizing};
use strum::VariantNames as _;

use super::{
    ChannelBinding, CommitLevel, Keepalives, ServerConfig, ServerHost, ServerTls, TlsMode,
    escape::decode,
};

/// The supported parameters, as an error lists them.
const KNOWN: [&str; 20] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// Default of `connect_timeout`: a sender of deliveries waits at least that long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time within which a hanging server or network is detected.
const SILENCE: Duration = Duration::from_secs(30);

/// The value of `sslrootcert` that is not a file.
const SYSTEM: &str = "system";

/// The parameters by name that were not taken yet. One can be the password, so the values are
/// zeroized.
pub(super) struct Parameters(BTreeMap<String, Zeroizing<String>>);

impl Parameters {
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut parameters = Self(BTreeMap::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) =
                pair.split_once('=').ok_or("has a parameter without =: expected name=value")?;
            if name == "passfile" || name == "service" {
                return Err(format!(
                    "has the parameter {name}, whose files are not read here; write it all into \
                     the URL, and the password into a file of its own (store.password_file)"
                ));
            }
            if !KNOWN.contains(&name) {
                return Err(format!(
                    "has a parameter that is not known here; there are {}",
                    KNOWN.join(", ")
                ));
            }
            parameters.set_once(name, decode(value)?)?;
        }
        Ok(parameters)
    }

    /// Sets a parameter; fails if it is already set. An empty value counts as not set.
    pub(super) fn set_once(&mut self, name: &str, value: String) -> Result<(), String> {
        if value.is_empty() {
            return Ok(());
        }
        match self.0.insert(name.to_owned(), Zeroizing::new(value)) {
            None => Ok(()),
            Some(_) => Err(format!("says {name} twice")),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).map(|value| (*value).clone())
    }

    fn take_word<T: FromStr>(&mut self, name: &str, words: &[&str]) -> Result<Option<T>, String> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let wrong = |_| format!("has a {name} that is none: expected one of {}", words.join(", "));
        value.parse().map(Some).map_err(wrong)
    }

    /// Takes a whole number within bounds.
    fn take_number(&mut self, name: &str, least: u32, most: u32) -> Result<Option<u32>, String> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        let wrong = || format!("has a {name} that is no whole number from {least} to {most}");
        number.map(Some).ok_or_else(wrong)
    }

    fn take_seconds(&mut self, name: &str, default: Duration) -> Result<Duration, String> {
        let seconds = self.take_number(name, 1, 3600)?;
        Ok(seconds.map_or(default, |seconds| Duration::from_secs(seconds.into())))
    }
}

/// Builds the server from its hosts and parameters.
pub(super) fn build_server(
    mut parameters: Parameters,
    hosts: Vec<ServerHost>,
) -> Result<ServerConfig, String> {
    let user = parameters.take("user").ok_or(
        "names no user: expected one before the host, such as \
         postgres://exporter@db.example.com/cii",
    )?;
    let tls = take_tls(&mut parameters)?;
    let channel_binding = parameters.take_word("channel_binding", ChannelBinding::VARIANTS)?;
    let channel_binding = channel_binding.unwrap_or_default();
    if channel_binding == ChannelBinding::Require && tls.mode == TlsMode::Disable {
        return Err("has channel_binding=require, which needs TLS, with sslmode=disable".to_owned());
    }
    if parameters.take("gssencmode").is_some_and(|mode| mode == "require") {
        return Err("has gssencmode=require: there is TLS here, and no GSSAPI".to_owned());
    }
    let tcp_user_timeout = parameters.take_number("tcp_user_timeout", 1000, 3_600_000)?;
    Ok(ServerConfig {
        hosts,
        // libpq's default.
        database: parameters.take("dbname").unwrap_or_else(|| user.clone()),
        user,
        password: parameters.take("password").map(SecretString::from),
        tls,
        needs_writable: take_needs_writable(&mut parameters)?,
        connect_timeout: parameters.take_seconds("connect_timeout", CONNECT_TIMEOUT)?,
        keepalives: take_keepalives(&mut parameters)?,
        tcp_user_timeout: tcp_user_timeout
            .map_or(SILENCE, |milliseconds| Duration::from_millis(milliseconds.into())),
        application_name: parameters
            .take("application_name")
            .unwrap_or_else(|| "cii-exporter".to_owned()),
        options: parameters.take("options"),
        channel_binding,
        schema: None,
        commit: CommitLevel::default(),
    })
}

fn take_tls(parameters: &mut Parameters) -> Result<ServerTls, String> {
    let mode = parameters.take_word("sslmode", TlsMode::VARIANTS)?;
    let roots = parameters.take("sslrootcert");
    let identity = match (parameters.take("sslcert"), parameters.take("sslkey")) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => None,
        _ => return Err("has one of sslcert and sslkey, which are of use together only".to_owned()),
    };
    // A named authority implies verification. libpq would not verify with its default mode, which
    // only its manual reveals.
    let mode = mode.unwrap_or(if roots.is_some() { TlsMode::VerifyFull } else { TlsMode::Prefer });
    let is_system = roots.as_deref() == Some(SYSTEM);
    let root_file = roots.filter(|_| !is_system).map(PathBuf::from);
    match mode {
        // Without checking the name, any certificate of a public authority would be accepted.
        TlsMode::VerifyCa if root_file.is_none() => {
            Err("has sslmode=verify-ca without a sslrootcert: name the file of the authority that \
             signed the server's certificate, or set sslmode=verify-full"
                .to_owned())
        }
        TlsMode::Prefer | TlsMode::Require | TlsMode::Disable if is_system => {
            Err("has sslrootcert=system, which needs sslmode=verify-full".to_owned())
        }
        // libpq treats `require` with a root certificate as `verify-ca`.
        TlsMode::Require if root_file.is_some() => {
            Ok(ServerTls { mode: TlsMode::VerifyCa, root_file, identity })
        }
        _ => Ok(ServerTls { mode, root_file, identity }),
    }
}

/// Takes `target_session_attrs`: whether a read-only host is skipped. The exporter writes, so the
/// default is to skip it; `any` leaves the selection to a load balancer.
fn take_needs_writable(parameters: &mut Parameters) -> Result<bool, String> {
    match parameters.take("target_session_attrs").as_deref() {
        None | Some("read-write" | "primary") => Ok(true),
        Some("any") => Ok(false),
        Some(_) => Err("has a target_session_attrs of no use: expected read-write, which is the \
                        default, or any; the exporter writes"
            .to_owned()),
    }
}

fn take_keepalives(parameters: &mut Parameters) -> Result<Option<Keepalives>, String> {
    let is_on = parameters.take_number("keepalives", 0, 1)? != Some(0);
    // Together, idle time and probes detect a dead connection within `SILENCE`, like unacknowledged
    // data.
    let idle = parameters.take_seconds("keepalives_idle", SILENCE / 2)?;
    let interval = parameters.take_seconds("keepalives_interval", SILENCE / 6)?;
    let retries = parameters.take_number("keepalives_count", 1, 100)?.unwrap_or(3);
    Ok(is_on.then_some(Keepalives { idle, interval, retries }))
}
