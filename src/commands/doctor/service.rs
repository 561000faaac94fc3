//! Checks the service's API: token, ping, rights, and its clock.

use std::time::Duration;

use chrono::DateTime;
use cii_exporter::{
    cii::{ApiError, Client, Meters, Question, Trial},
    clock,
    config::{ApiConfig, Config},
    domain::{IpAddress, Login, Timestamp, WatchSubject},
};
use futures_util::future::join_all;
use reqwest::{header::DATE, redirect};

use super::{finding::Finding, judge};

/// Time limit of a request, unless `api.timeout_seconds` is shorter.
const PATIENCE: Duration = Duration::from_secs(10);

/// A login that cannot exist (RFC 2606): the service returns not-found, which is enough to test the
/// right.
const NOBODY: &str = "nobody@cii-exporter.invalid";
/// A documentation address (RFC 5737).
const NOWHERE: &str = "192.0.2.1";

/// Checks the API.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let Some(api) = &config.api else {
        let found = "the configuration has no [api]: the service is not asked";
        return vec![Finding::unknown("api", found)];
    };
    if config.is_withheld("api.client_secret") {
        let clock = clock_finding(api).await;
        let found = "the client's secret cannot be read here; the daemon's unit gives it";
        return vec![Finding::unknown("token", found).with_advice("run doctor as root"), clock];
    }
    let api = ApiConfig { timeout: api.timeout.min(PATIENCE), retries: 0, ..api.clone() };
    let (mut findings, clock) = tokio::join!(examine_rights(config, &api), clock_finding(&api));
    findings.push(clock);
    findings
}

async fn examine_rights(config: &Config, api: &ApiConfig) -> Vec<Finding> {
    let client = match Meters::new().map(|meters| Client::new(api, meters)) {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return vec![Finding::fail("token", error.to_string())],
        Err(error) => return vec![Finding::fail("token", error.to_string())],
    };
    let mut findings = match client.try_token().await {
        Ok(()) => vec![Finding::ok("token", "api.token_url grants one")],
        Err(error) => return vec![failure_finding("token", &error)],
    };
    match client.ping().await {
        Ok(()) => findings.push(Finding::ok("ping", "the API answers at api.url")),
        Err(error) => {
            findings.push(failure_finding("ping", &error));
            return findings;
        }
    }
    // The listing comes first: it returns a login for the other requests.
    let sync = &config.sync;
    let listed = match &sync.tenant {
        Some(_) => Some(client.try_question(&Question::EndUsers).await),
        None => None,
    };
    let login = listed.as_ref().and_then(|ended| ended.as_ref().ok()?.login.clone());
    let login = login.or_else(|| config.watch.users.first().cloned());
    let ip = config.watch.ips.first().copied();
    findings.extend(listed.map(|ended| right_finding(&Question::EndUsers, ended)));
    let questions = job_questions(login, ip, sync.service.is_some());
    let ask = async |question: Question| {
        let ended = client.try_question(&question).await;
        right_finding(&question, ended)
    };
    findings.extend(join_all(questions.into_iter().map(ask)).await);
    findings
}

/// The requests of the jobs, besides the listing.
fn job_questions(login: Option<Login>, ip: Option<IpAddress>, has_service: bool) -> Vec<Question> {
    let mut questions = Vec::new();
    if let Some(login) = login.or_else(|| Login::new(NOBODY).ok()) {
        questions.extend([Question::UserState(login.clone()), Question::FailingChecks(login)]);
    }
    let nowhere = || match WatchSubject::parse("ip", NOWHERE) {
        Ok(WatchSubject::Ip(ip)) => Some(ip),
        _ => None,
    };
    questions.extend(ip.or_else(nowhere).map(Question::IpUsers));
    if has_service {
        questions.extend([Question::Integrations, Question::Admins, Question::DailyFailures]);
    }
    questions
}

/// The setting that switches a request off, if there is one.
const fn disabling_setting(question: &Question) -> Option<&'static str> {
    match question {
        Question::EndUsers => Some("sync.tenant.enabled = false"),
        Question::Integrations | Question::Admins | Question::DailyFailures => {
            Some("sync.service.enabled = false")
        }
        _ => None,
    }
}

fn right_finding(question: &Question, ended: Result<Trial, ApiError>) -> Finding {
    let field = question.field();
    let check = format!("right {field}");
    match ended {
        Ok(trial) if trial.refused.is_empty() => Finding::ok(&check, "it is answered"),
        Ok(trial) => {
            let fields = trial.refused.into_iter().collect::<Vec<_>>().join(", ");
            Finding::warn(&check, format!("it is answered without {fields}: refused"))
                .with_advice("give the API client the right to these fields in the console")
        }
        Err(error @ ApiError::NoRight { .. }) => {
            let or = disabling_setting(question)
                .map_or_else(String::new, |line| format!(", or set {line}"));
            let advice = format!("give the API client the right to {field} in the console{or}");
            // The schema marks it as experimental, and only one metric depends on it.
            let finding = if *question == Question::DailyFailures {
                Finding::warn(&check, error.redacted_text())
            } else {
                Finding::fail(&check, error.redacted_text())
            };
            finding.with_advice(advice)
        }
        Err(error) => failure_finding(&check, &error),
    }
}

/// The finding for an error. Most errors already contain what to check.
fn failure_finding(check: &str, error: &ApiError) -> Finding {
    let finding = Finding::fail(check, error.redacted_text());
    match error {
        ApiError::Http(_) | ApiError::Token(_) if error.is_transient() => {
            finding.with_advice("see whether this machine reaches the host: proxy, firewall, DNS")
        }
        _ => finding,
    }
}

async fn clock_finding(api: &ApiConfig) -> Finding {
    match fetch_date(api).await {
        Some((date, asked_at, answered_at)) => judge::judge_clock(date, asked_at, answered_at),
        None => Finding::unknown("clock", "api.url answers nothing with a date"),
    }
}

/// Fetches the `Date` of any answer, with the moments before and after the request.
async fn fetch_date(api: &ApiConfig) -> Option<(Timestamp, Timestamp, Timestamp)> {
    let client = reqwest::Client::builder()
        .timeout(api.timeout)
        .redirect(redirect::Policy::none())
        .build()
        .ok()?;
    let asked_at = clock::now();
    let answer = client.head(api.url.clone()).send().await.ok()?;
    let answered_at = clock::now();
    let date = answer.headers().get(DATE)?.to_str().ok()?;
    let date = DateTime::parse_from_rfc2822(date).ok()?;
    Some((date.to_utc(), asked_at, answered_at))
}
