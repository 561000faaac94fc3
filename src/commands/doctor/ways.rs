//! Checks the connections: the webhook through its public URL, and the OTLP collector.

use cii_exporter::{
    clock,
    config::Config,
    delivery::{Origin, Sender},
    store::Reader,
};
use reqwest::Url;

use super::{
    super::{keeper, webhook_test},
    finding::Finding,
    judge, validity,
};

/// Sends a test message to the public URL, as the service does, or without one to the listener.
pub(super) async fn examine_webhook(config: &Config, url: Option<&Url>) -> Vec<Finding> {
    if !keeper::is_daemon_running(config).await {
        let found = "no daemon runs, so nobody would answer a test message";
        return vec![
            Finding::unknown("webhook", found).with_advice("start it: `cii-exporter run`"),
        ];
    }
    let public = public_urls(config, url);
    if public.is_empty() {
        let found = "whether the service reaches the listener: webhook.public_url is not set";
        let advice = "set it to the URL that the webhook target in the console has";
        return vec![
            examine_listener(config).await,
            Finding::unknown("public webhook", found).with_advice(advice),
        ];
    }
    let mut findings = Vec::new();
    for url in &public {
        findings.extend(send_test("public webhook", config, url).await);
    }
    let is_reached = |finding: &Finding| finding.check == "public webhook" && finding.is_ok();
    if !findings.iter().any(is_reached) {
        // The listener's answer shows whether the fault is in the exporter or on the way to it.
        findings.insert(0, examine_listener(config).await);
    }
    findings
}

/// The URL of the option or the configuration, else those of the registered targets.
fn public_urls(config: &Config, url: Option<&Url>) -> Vec<Url> {
    if let Some(url) = url.or(config.webhook.public_url.as_ref()) {
        return vec![url.clone()];
    }
    let targets = Reader::open_at(&config.store.place).and_then(|reader| reader.webhook_targets());
    let mut urls: Vec<Url> =
        targets.into_iter().flatten().filter_map(|target| target.url.parse().ok()).collect();
    urls.sort();
    urls.dedup();
    urls
}

async fn examine_listener(config: &Config) -> Finding {
    let url = match webhook_test::find_listener_url(config).await {
        Ok(url) => url,
        Err(error) => return Finding::fail("webhook", error.to_string()),
    };
    let mut findings = send_test("webhook", config, &url).await;
    findings.swap_remove(0)
}

/// Sends a test message. Returns its finding, and one on the certificate of an https URL.
async fn send_test(check: &str, config: &Config, url: &Url) -> Vec<Finding> {
    let taken = match webhook_test::send_test_message(&config.webhook, url).await {
        Ok(answered) => answered,
        Err(webhook_test::NotSent::NoCredential) => {
            let found = "no credential is at hand that a test message could carry";
            return vec![Finding::unknown(check, found)];
        }
        Err(webhook_test::NotSent::Unreached(reason)) => {
            let finding = Finding::fail(check, format!("{url} cannot be reached: {reason}"));
            let advice = "see that the name resolves, and that the proxy runs and is let through";
            return vec![finding.with_advice(advice)];
        }
    };
    let mut findings = vec![match taken.refusal() {
        None => Finding::ok(check, format!("{url} took a test message")),
        Some(words) => Finding::fail(check, format!("{url} answered {words}"))
            .with_advice(webhook_test::status_advice(taken.status)),
    }];
    let certificate = taken.certificate.as_deref();
    if let Some(valid) = certificate.and_then(validity::read_der) {
        findings.push(judge::judge_certificate(
            url.host_str().unwrap_or_default(),
            valid,
            clock::now(),
        ));
    }
    findings
}

/// Sends an empty batch to the collector.
pub(super) async fn examine_otlp(config: &Config) -> Finding {
    let check = "otlp";
    let Some(otlp) = &config.otlp else {
        return Finding::unknown(
            check,
            "the configuration has no [otlp]: events stay in the store",
        );
    };
    let sender = match Sender::new(otlp, Origin::default()) {
        Ok(sender) => sender,
        Err(error) => return Finding::fail(check, error.to_string()),
    };
    match sender.try_out().await {
        Ok(()) => Finding::ok(check, format!("{} takes log records", sender.endpoint())),
        Err(cause) => Finding::fail(check, format!("{}: {cause}", sender.endpoint()))
            .with_advice("see that the collector runs and takes logs there; events wait meanwhile"),
    }
}
