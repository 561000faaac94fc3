//! What is allowed and probably not meant.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::Config;

/// A secret with fewer characters may be guessed.
const SHORT: usize = 16;

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
    let is_short = |secret: &&SecretString| secret.expose_secret().len() < SHORT;
    let short = config.webhook.secrets.iter().filter(is_short).count();
    if short > 0 {
        found.push(format!(
            "webhook.secrets holds {short} of fewer than {SHORT} characters; \
             `openssl rand -hex 32` makes one that cannot be guessed"
        ));
    }
    if !config.ops.listen.ip().is_loopback() {
        found.push(format!(
            "ops.listen is {}: whoever reaches it sees all metrics; there is no authentication",
            config.ops.listen
        ));
    }
    found.extend(config.otlp.iter().flat_map(|otlp| otlp.warnings.clone()));
    found
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
