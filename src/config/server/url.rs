//! Splits a URL in libpq's form into its parts.

use std::path::PathBuf;

use super::{
    PORT, ServerConfig, ServerHost,
    escape::{ENCODE, decode},
    parameters::{self, Parameters},
};

/// The example at the end of an error.
const SUCH_AS: &str = "such as postgres://exporter@db.example.com/cii";

pub(super) fn parse(text: &str) -> Result<ServerConfig, String> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let rest = rest.ok_or_else(|| describe_scheme(text))?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let (user_info, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match user_info.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (user_info, None),
    };
    if database.contains(['/', '@']) {
        return Err(format!("has more than a name behind the hosts: {ENCODE}"));
    }
    let mut parameters = Parameters::read(query)?;
    for (name, value) in [("user", Some(user)), ("password", password), ("dbname", Some(database))]
    {
        parameters.set_once(name, decode(value.unwrap_or_default())?)?;
    }
    let mut hosts = split_hosts(hosts)?;
    if let Some(named) = parameters.take("host") {
        if !hosts.is_empty() {
            return Err("names hosts twice: before the database, and as parameter host".to_owned());
        }
        hosts = named.split(',').map(|host| (host.to_owned(), None)).collect();
    }
    let ports = parameters.take("port").unwrap_or_default();
    let hosts = add_ports(hosts, &ports)?;
    parameters::build_server(parameters, hosts)
}

/// Describes a URL with a wrong scheme. Only the scheme is repeated; the rest can contain a secret.
fn describe_scheme(text: &str) -> String {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("sqlite" | "sqlite3" | "file") => {
            "SQLite has no URL: set store.path to the database's file instead".to_owned()
        }
        Some("jdbc") => format!("expected a URL without jdbc:, {SUCH_AS}"),
        Some("postgres" | "postgresql") => {
            format!("expected postgres:// with two slashes, {SUCH_AS}")
        }
        Some(
            other @ ("mysql" | "mariadb" | "mssql" | "sqlserver" | "oracle" | "http" | "https"),
        ) => {
            format!(
                "expected a URL that begins with postgres://, found one that begins with {other}:; \
                 state is kept in PostgreSQL, or in a file (store.path)"
            )
        }
        _ => format!("expected a URL that begins with postgres://, {SUCH_AS}"),
    }
}

/// Splits the list of hosts, each with its own port if it has one.
fn split_hosts(text: &str) -> Result<Vec<(String, Option<u16>)>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let split = text.split(',').map(|host| {
        let (host, port) = if let Some(rest) = host.strip_prefix('[') {
            let (address, port) = rest.split_once(']').ok_or("holds a [ without its ]")?;
            (address, port.strip_prefix(':').or((!port.is_empty()).then_some("x")))
        } else {
            host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)))
        };
        let port = port.map(|port| port.parse().map_err(|_| port_error())).transpose()?;
        Ok((decode(host)?, port))
    });
    split.collect()
}

fn port_error() -> String {
    format!("has a port that is no number from 1 to 65535: {ENCODE}")
}

/// Adds the ports: the host's own, else the one at its position in the parameter, or the
/// parameter's only one.
fn add_ports(hosts: Vec<(String, Option<u16>)>, ports: &str) -> Result<Vec<ServerHost>, String> {
    let ports: Vec<_> = ports.split(',').filter(|_| !ports.is_empty()).collect();
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err("has another number of ports than of hosts".to_owned());
    }
    if hosts.is_empty() {
        return Err(format!("names no host: expected one, {SUCH_AS}"));
    }
    let hosts = hosts.into_iter().enumerate().map(|(place, (host, own))| {
        let named = ports.get(place).or_else(|| ports.first()).filter(|port| !port.is_empty());
        let named = named.map(|port| port.parse().map_err(|_| port_error())).transpose()?;
        let port = own.or(named).unwrap_or(PORT);
        if port == 0 {
            return Err(port_error());
        }
        if host.starts_with('/') {
            return Ok(ServerHost::Unix(PathBuf::from(host), port));
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(is_part) {
            return Err(format!("names a host that is none: {ENCODE}"));
        }
        Ok(ServerHost::Tcp(host, port))
    });
    hosts.collect()
}
