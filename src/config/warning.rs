//! What is allowed and probably not meant.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::{Config, WebhookConfig};

/// A secret with fewer characters may be guessed.
const SHORT: usize = 16;

/// Headers that mean something else than who sends a delivery.
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
    found.extend(of_webhook(&config.webhook));
    let short = count_short(&config.ops.write_tokens);
    found.extend((short > 0).then(|| short_ones("ops.write_token", short)));
    found.extend(config.open_files.iter().cloned());
    if config.ops.is_open() {
        found.push(format!(
            "ops.listen is {}: whoever reaches it sees all; there is no authentication \
             (ops.allow_unauthenticated)",
            config.ops.listen
        ));
    }
    found.extend(config.otlp.iter().flat_map(|otlp| otlp.warnings.clone()));
    found
}

fn count_short<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> usize {
    let is_short = |secret: &&SecretString| secret.expose_secret().len() < SHORT;
    secrets.into_iter().filter(is_short).count()
}

fn short_ones(key: &str, count: usize) -> String {
    format!(
        "{key} holds {count} of fewer than {SHORT} characters; `openssl rand -hex 32` makes one \
         that cannot be guessed"
    )
}

fn of_webhook(webhook: &WebhookConfig) -> Vec<String> {
    let mut found = Vec::new();
    let passwords = webhook.basic.iter().flat_map(|basic| &basic.passwords);
    for (key, short) in [
        ("webhook.secrets", count_short(&webhook.secrets)),
        ("webhook.bearer", count_short(&webhook.bearer)),
        ("webhook.basic.password", count_short(passwords)),
    ] {
        found.extend((short > 0).then(|| short_ones(key, short)));
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
    if let Some(any) = webhook.trusted_proxies.iter().find(|network| network.is_everything()) {
        found.push(format!(
            "webhook.trusted_proxies holds {any}: every client can say that it is another"
        ));
    }
    found
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
