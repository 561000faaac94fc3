//! `webhook test`: sends a test message to this exporter's webhook listener.

use std::{process::ExitCode, time::Duration};

use cii_exporter::{
    clock,
    config::{Config, Needs, WebhookConfig, parse_web_url},
    store,
};
use clap::Args;
use reqwest::{Method, RequestBuilder, Url, redirect, tls::TlsInfo};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{config_file::ConfigFile, error::CommandError, keeper, table::sanitize};

/// Time limit of the whole exchange.
const PATIENCE: Duration = Duration::from_secs(15);

/// `webhook test`
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Where to send it; without it, to the running daemon's listener. Name the
    /// public URL to try the way through proxies. It is sent the secret.
    #[arg(long, value_name = "URL", value_parser = parse_web_url)]
    url: Option<Url>,
    #[command(flatten)]
    file: ConfigFile,
}

/// Why no message was sent, or no answer was received.
pub(super) enum NotSent {
    /// Only hashes of passwords are configured, so there is no credential to send.
    NoCredential,
    /// There was no answer.
    Unreached(String),
}

/// The answer of a listener.
pub(super) struct Answered {
    pub(super) status: u16,
    body: Value,
    /// The server's certificate; `None` without TLS.
    pub(super) certificate: Option<Vec<u8>>,
}

impl Answered {
    /// Status and detail of a refusal; `None` when the message was accepted.
    pub(super) fn refusal(&self) -> Option<String> {
        let Self { status, body, .. } = self;
        let is_taken = (*status, body["result"].as_str()) == (200, Some("test"));
        let detail = body["detail"].as_str().map(sanitize).unwrap_or_default();
        (!is_taken).then(|| format!("{status} {detail}"))
    }
}

/// Sends the message and prints the answer.
pub(super) async fn run(options: Test) -> Result<ExitCode, CommandError> {
    let config = options.file.load(Needs::WEBHOOK)?;
    let url = match options.url {
        Some(url) => url,
        None => find_listener_url(&config).await?,
    };
    let answered = send_test_message(&config.webhook, &url).await.map_err(|error| match error {
        NotSent::NoCredential => CommandError::Usage(
            "only users of webhook.web_config may deliver, and of their passwords there are \
             hashes alone: set webhook.secrets besides, or send a message with `curl -u USER \
             --json '{\"id\":\"test\",\"detail-type\":\"WebhookTest\",\"detail\":{}}' URL`"
                .to_owned(),
        ),
        NotSent::Unreached(reason) => CommandError::Daemon { url: url.to_string(), reason },
    })?;
    say!("POST {url}");
    if let Some(words) = answered.refusal() {
        return Err(CommandError::Refused(format!("{words}\n{}", status_advice(answered.status))));
    }
    let number = answered.body["delivery"].to_string();
    say!("200: the test message was taken as delivery {number}.");
    say!(
        "See it with `cii-exporter deliveries show {number}`, on the page /deliveries, and as the \
         event cii.webhook.test."
    );
    Ok(ExitCode::SUCCESS)
}

/// Sends a test message with the first credential that the listener accepts.
pub(super) async fn send_test_message(
    webhook: &WebhookConfig,
    url: &Url,
) -> Result<Answered, NotSent> {
    let unreached =
        |error: reqwest::Error| NotSent::Unreached(innermost_cause(&error.without_url()));
    // Following a redirect would send the secret to another host.
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(redirect::Policy::none())
        .tls_info(true)
        .build()
        .map_err(unreached)?;
    let request = add_credential(client.post(url.clone()), webhook);
    let request = request.ok_or(NotSent::NoCredential)?;
    let answer = request.json(&test_message()).send().await.map_err(unreached)?;
    let certificate = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    Ok(Answered {
        status: answer.status().as_u16(),
        certificate: certificate.map(<[u8]>::to_vec),
        body: answer.json().await.unwrap_or_default(),
    })
}

fn add_credential(request: RequestBuilder, webhook: &WebhookConfig) -> Option<RequestBuilder> {
    if let Some(secret) = webhook.secrets.first() {
        return Some(request.header(webhook.header.as_str(), secret.expose_secret()));
    }
    if let Some(token) = webhook.bearer.first() {
        return Some(request.bearer_auth(token.expose_secret()));
    }
    let basic = webhook.basic.as_ref()?;
    let password = basic.passwords.first().map(ExposeSecret::expose_secret);
    Some(request.basic_auth(&basic.user, password))
}

/// Finds the URL of the listener: from the running daemon, else from the configuration.
pub(super) async fn find_listener_url(config: &Config) -> Result<Url, CommandError> {
    if let Some(daemon) = store::holder_url(&config.store.place)
        && let Ok((200, body)) = keeper::ask_daemon(&daemon, Method::GET, &["webhook"], None).await
        && let Some(url) = body["url"].as_str().and_then(|url| url.parse().ok())
    {
        return Ok(url);
    }
    let webhook = &config.webhook;
    let no_daemon = || {
        CommandError::Refused(
            "no daemon runs with this configuration; start it with `cii-exporter run`, or name \
             the listener with --url"
                .to_owned(),
        )
    };
    if webhook.listen.port() == 0 {
        return Err(no_daemon());
    }
    let mut address = webhook.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("{}://{address}{}", webhook.scheme(), webhook.path).parse().map_err(|_| no_daemon())
}

/// The test message: as the console sends it when a target is created, but with another source.
fn test_message() -> Value {
    let now = clock::now();
    json!({
        "version": "0",
        "id": format!("cii-exporter-test-{}", now.timestamp_micros()),
        "detail-type": "WebhookTest",
        "source": "cii-exporter",
        "time": now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "detail": {},
    })
}

/// The advice for the status of a refusal.
pub(super) const fn status_advice(status: u16) -> &'static str {
    match status {
        300..=399 => "A redirect: the service does not follow it. Name the URL that it leads to.",
        401 => {
            "The listener has another secret or header. After a change of the configuration, \
             reload the daemon."
        }
        403 => {
            "Something before the exporter refuses the request: a proxy, or a list of addresses."
        }
        404 | 405 => "The URL is not that of the webhook: compare its path with webhook.path.",
        503 => "The store cannot commit: the daemon's log and cii_store_* tell more.",
        _ => "That answer is not the exporter's: look at what stands between.",
    }
}

/// The innermost cause of an error, such as an unresolved name, a refused connection, or an unknown
/// issuer.
fn innermost_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
