//! Warnings about settings that are valid but probably not intended.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Config, OpsConfig, OtlpConfig, OtlpProtocol, ServerConfig, ServerHost, StorePlace, TlsMode,
    WebhookConfig, repeated,
};

/// A secret with fewer characters can be guessed.
const SHORT: usize = 16;

/// Headers with another meaning, which are unsuitable for the secret.
const TAKEN: [&str; 27] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(api) = &config.api {
        for (key, url) in [("api.url", &api.url), ("api.token_url", &api.token_url)] {
            if url.scheme() == "http" && !is_loopback(url) {
                found.push(format!("{key} is not https: secrets and answers travel in the clear"));
            }
        }
    } else if !config.watch.users.is_empty() || !config.watch.ips.is_empty() {
        found.push("there is no [api], so what [watch] names is never asked about".to_owned());
    }
    for (key, job) in [("sync.users", &config.sync.users), ("sync.ips", &config.sync.ips)] {
        if config.api.is_some() && job.schedule.pattern().split_whitespace().next() == Some("*") {
            found.push(format!(
                "{key}.schedule begins with *, which means every second; begin it with 0"
            ));
        }
    }
    found.extend(webhook_warnings(&config.webhook));
    let short = count_short_secrets(&config.ops.write_tokens);
    found.extend((short > 0).then(|| short_secrets_warning("ops.write_token", short)));
    found.extend(config.open_files.iter().cloned());
    found.extend(ops_warning(&config.ops));
    if let Some(otlp) = &config.otlp {
        found.extend(otlp.warnings.iter().cloned());
        found.extend(port_warning(otlp));
    }
    if let StorePlace::Server(server) = &config.store.place {
        found.extend(server_warning(server));
    }
    found.extend(repeated::warnings(config));
    found
}

/// Warns about an ops listener that other machines can use without authentication.
fn ops_warning(ops: &OpsConfig) -> Option<String> {
    if !ops.is_open() {
        return None;
    }
    let changes = if ops.read_only || !ops.write_tokens.is_empty() {
        ""
    } else {
        ", and can change the watch list, forget checks, replay deliveries and reload (set \
         ops.read_only = true, or ops.write_token)"
    };
    Some(format!(
        "ops.listen is {}: whoever reaches it sees all{changes}; there is no authentication \
         (ops.allow_unauthenticated)",
        ops.listen
    ))
}

/// Warns when the port is the usual one of the other protocol.
fn port_warning(otlp: &OtlpConfig) -> Option<String> {
    let (set, other, usual) = match (otlp.protocol, otlp.endpoint.port()) {
        (OtlpProtocol::HttpProtobuf, Some(4317)) => ("http/protobuf", "grpc", 4318),
        (OtlpProtocol::Grpc, Some(4318)) => ("grpc", "http/protobuf", 4317),
        _ => return None,
    };
    Some(format!(
        "otlp.endpoint has the usual port of {other}, and otlp.protocol is {set}: set \
         otlp.protocol = \"{other}\", or the port to {usual}"
    ))
}

/// Warns when rows and password could be intercepted.
fn server_warning(server: &ServerConfig) -> Option<String> {
    let mode = match server.tls.mode {
        TlsMode::Disable => "disable",
        TlsMode::Prefer => "prefer",
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => return None,
    };
    let is_near = |host: &ServerHost| match host {
        ServerHost::Unix(..) => true,
        ServerHost::Tcp(host, _) => is_loopback_host(host),
    };
    (!server.hosts.iter().all(is_near)).then(|| {
        format!(
            "store.url has sslmode={mode}: whoever is in between can read what is stored; set \
             sslmode=verify-full and sslrootcert"
        )
    })
}

fn count_short_secrets<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> usize {
    let is_short = |secret: &&SecretString| secret.expose_secret().len() < SHORT;
    secrets.into_iter().filter(is_short).count()
}

fn short_secrets_warning(key: &str, count: usize) -> String {
    format!(
        "{key} holds {count} of fewer than {SHORT} characters; `openssl rand -hex 32` makes one \
         that cannot be guessed"
    )
}

fn webhook_warnings(webhook: &WebhookConfig) -> Vec<String> {
    let mut found = Vec::new();
    let passwords = webhook.basic.iter().flat_map(|basic| &basic.passwords);
    for (key, short) in [
        ("webhook.secrets", count_short_secrets(&webhook.secrets)),
        ("webhook.bearer", count_short_secrets(&webhook.bearer)),
        ("webhook.basic.password", count_short_secrets(passwords)),
    ] {
        found.extend((short > 0).then(|| short_secrets_warning(key, short)));
    }
    if TAKEN.contains(&webhook.header.as_str()) && !webhook.secrets.is_empty() {
        let header = &webhook.header;
        let instead = if header == "authorization" {
            "webhook.basic and webhook.bearer read it"
        } else {
            "clients and proxies write it; choose another, such as x-api-client-token"
        };
        found
            .push(format!("webhook.header is {header}, which has a meaning of its own: {instead}"));
    }
    if let Some(url) = &webhook.public_url {
        if url.scheme() == "http" && !is_loopback(url) {
            found.push(
                "webhook.public_url is not https: the secret travels in the clear".to_owned(),
            );
        }
        if url.path() != webhook.path {
            found.push(format!(
                "webhook.public_url ends in {}, and webhook.path is {}: unless a proxy changes it, \
                 the listener answers 404",
                url.path(),
                webhook.path
            ));
        }
    }
    if let Some(any) = webhook.trusted_proxies.iter().find(|network| network.is_everything()) {
        found.push(format!(
            "webhook.trusted_proxies holds {any}: every client can say that it is another"
        ));
    }
    found
}

fn is_loopback(url: &Url) -> bool {
    is_loopback_host(url.host_str().unwrap_or_default().trim_matches(['[', ']']))
}

fn is_loopback_host(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
