//! The exact set of the tenant's series that a model shows.

use std::collections::BTreeMap;

use cii_simulator::tenant::User;

use super::model::{Model, Truth, Words};

/// What a series is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Is(f64),
    /// A moment, or a count that the log is held against.
    Some,
    /// It may be absent, too.
    Maybe,
}

pub type Series = BTreeMap<String, Value>;

/// The severities that are shown at 0, the worst first.
const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "unknown", "low", "info"];

pub fn severity(word: &str) -> String {
    match word.to_lowercase().as_str() {
        "moderate" => "medium".to_owned(),
        "" => "unknown".to_owned(),
        other => other.to_owned(),
    }
}

/// As metrics show a value of an enumeration.
pub fn constant(value: impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for (index, letter) in format!("{value:?}").char_indices() {
        if index > 0 && letter.is_uppercase() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

pub fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

pub fn series(model: &Model, truth: &Truth) -> Series {
    let mut all = Series::new();
    for (id, words) in model.words.iter().filter(|(id, _)| model.admits(id)) {
        check(&mut all, id, words, model, truth);
    }
    people(&mut all, model, truth);
    for login in model.listed() {
        user(&mut all, login, model, truth);
    }
    for ip in model.listed_ips() {
        address(&mut all, ip, truth);
    }
    tenant(&mut all, truth);
    service(&mut all, truth);
    all
}

fn check(all: &mut Series, id: &str, words: &Words, model: &Model, truth: &Truth) {
    let failing = model.failing(id, truth).len();
    let (severity, label) = (severity(&words.severity), format!("{{check_id=\"{id}\"}}"));
    let mut set = |name: &str, value| all.insert(format!("cii_check_{name}"), value);
    let rated = format!("check_id=\"{id}\",severity=\"{severity}\"");
    set(&format!("failing_users{{{rated}}}"), Value::Is(number(failing)));
    set(&format!("info{{{rated},title=\"{}\"}}", words.title), Value::Is(1.0));
    for name in ["last_event_timestamp_seconds", "failures_total", "resolutions_total"] {
        set(&format!("{name}{label}"), Value::Some);
    }
    set(&format!("last_failure_timestamp_seconds{label}"), Value::Maybe);
    if failing > 0 {
        set(&format!("oldest_failure_timestamp_seconds{label}"), Value::Some);
        set(&format!("oldest_confirmation_timestamp_seconds{label}"), Value::Some);
    }
    // `[slo]` has an objective for these by default; nothing is as old.
    if ["critical", "high"].contains(&severity.as_str()) {
        set(&format!("overdue_users{label}"), Value::Is(0.0));
    }
}

fn people(all: &mut Series, model: &Model, truth: &Truth) {
    let mut worst: BTreeMap<String, usize> =
        SEVERITIES.iter().map(|&severity| (severity.to_owned(), 0)).collect();
    // A word that is not known stands with "unknown", behind it.
    let rank = |word: &String| {
        let known = SEVERITIES.iter().position(|one| one == word);
        (known.unwrap_or(3), known.is_none(), word.clone())
    };
    for checks in model.failures(truth).values() {
        let shown = checks.iter().filter(|check| model.admits(check));
        let severities =
            shown.filter_map(|check| Some(severity(&model.words.get(check)?.severity)));
        if let Some(severity) = severities.min_by_key(rank) {
            *worst.entry(severity).or_default() += 1;
        }
    }
    for (severity, users) in worst {
        let series = format!("cii_failing_users{{severity=\"{severity}\"}}");
        all.insert(series, Value::Is(number(users)));
    }
    let mut applications = BTreeMap::<&str, (usize, usize)>::new();
    let listed = model.listed();
    let asked: Vec<&String> = listed
        .iter()
        .copied()
        .chain(model.named.iter().filter(|one| !listed.contains(one)))
        .collect();
    for user in asked.iter().filter_map(|login| model.snapshot(login, truth)) {
        for name in &user.unused_applications {
            applications.entry(name).or_default().0 += 1;
        }
        for name in &user.used_applications {
            applications.entry(name).or_default().1 += 1;
        }
    }
    for (name, (unused, used)) in applications {
        for (kind, users) in [("unused", unused), ("used", used)] {
            let series = format!("cii_application_{kind}_users{{application=\"{name}\"}}");
            all.insert(series, Value::Is(number(users)));
        }
    }
    let followed = asked.len() - listed.len();
    for (series, value) in [
        ("cii_watched{kind=\"user\"}", Value::Is(number(listed.len()))),
        ("cii_watched{kind=\"ip\"}", Value::Is(number(model.listed_ips().len()))),
        ("cii_followed_users", Value::Is(number(followed))),
        ("cii_watch_limit_reached", Value::Is(0.0)),
        ("cii_checks_dropped", Value::Is(0.0)),
        ("cii_new_ips_total", Value::Some),
        ("cii_new_countries_total", Value::Some),
        ("cii_metrics_lag_seconds", Value::Some),
        ("cii_otlp_pending_events", Value::Is(0.0)),
        ("cii_otlp_parked_events", Value::Is(0.0)),
        ("cii_tenant_listing_complete", Value::Is(1.0)),
    ] {
        all.insert(series.to_owned(), value);
    }
    if model.was_delivered {
        all.insert("cii_webhook_last_delivery_timestamp_seconds".to_owned(), Value::Some);
    }
}

fn user(all: &mut Series, login: &str, model: &Model, truth: &Truth) {
    let label = format!("login=\"{login}\"");
    let mut set = |name: &str, value| all.insert(format!("cii_user_{name}{{{label}}}"), value);
    set("failing_checks", Value::Is(number(model.fails(login, truth).len())));
    set("poll_up", Value::Is(number(usize::from(truth.users.contains_key(login)))));
    let Some(user) = model.snapshot(login, truth) else { return };
    set("unused_applications", Value::Is(number(user.unused_applications.len())));
    set("used_applications", Value::Is(number(user.used_applications.len())));
    set("ip_addresses", Value::Is(number(user.ip_addresses.len())));
    set("new_ips_total", Value::Some);
    set("observed_timestamp_seconds", Value::Some);
    set("last_new_ip_timestamp_seconds", Value::Maybe);
    set("last_new_country_timestamp_seconds", Value::Maybe);
    let kind = user.user_type.map_or_else(|| "unknown".to_owned(), constant);
    // `cii_user_info` has the service's own words, and the sums have them in lower case.
    let (status, kind) = (constant(user.status).to_uppercase(), kind.to_uppercase());
    let labels = format!("{label},status=\"{status}\",user_type=\"{kind}\"");
    all.insert(format!("cii_user_info{{{labels}}}"), Value::Is(1.0));
}

fn address(all: &mut Series, ip: &str, truth: &Truth) {
    let users = truth.users.values().filter(|user| user.has_ip(ip)).count();
    let mut set = |name: &str, value| all.insert(format!("cii_ip_{name}{{ip=\"{ip}\"}}"), value);
    set("users", Value::Is(number(users)));
    set("poll_up", Value::Is(1.0));
    set("new_users_total", Value::Some);
    set("observed_timestamp_seconds", Value::Some);
    set("last_new_user_timestamp_seconds", Value::Maybe);
}

fn tenant(all: &mut Series, truth: &Truth) {
    // No delivery may have told it yet.
    for (tenant, id) in [("unnamed", ""), (&*truth.tenant_id, &*truth.tenant_id)] {
        let series = format!("cii_tenant_info{{tenant=\"{tenant}\",id=\"{id}\"}}");
        all.insert(series, Value::Maybe);
    }
    let mut count = |name: &str, label: &str, values: &dyn Fn(&User) -> Vec<String>| {
        let mut counts = BTreeMap::<String, usize>::new();
        for value in truth.users.values().flat_map(values) {
            *counts.entry(value).or_default() += 1;
        }
        for (value, users) in counts {
            all.insert(
                format!("cii_tenant_{name}{{{label}=\"{value}\"}}"),
                Value::Is(number(users)),
            );
        }
    };
    count("users", "status", &|user| vec![constant(user.status)]);
    count("users_by_type", "user_type", &|user| user.user_type.map(constant).into_iter().collect());
    count("users_by_trust", "level_of_trust", &|user| vec![constant(user.trust)]);
    count("users_by_provider", "provider", &|user| user.providers.iter().map(constant).collect());
    count("users_by_mfa", "mfa", &|user| {
        vec![if user.mfa_enabled() { "enabled" } else { "disabled" }.to_owned()]
    });
    count("devices", "device_type", &|user| {
        user.devices.iter().filter_map(|device| device.device_type.map(constant)).collect()
    });
    all.insert("cii_tenant_users_by_mfa{mfa=\"unknown\"}".to_owned(), Value::Is(0.0));
    for days in [30, 90] {
        // Nobody's last sign-in is as old.
        all.insert(format!("cii_tenant_inactive_users{{days=\"{days}\"}}"), Value::Is(0.0));
    }
    all.insert("cii_tenant_unlinked_devices".to_owned(), Value::Is(0.0));
    if let Some(daily) = truth.daily {
        all.insert("cii_tenant_daily_check_failures".to_owned(), Value::Is(number(daily)));
    }
}

fn service(all: &mut Series, truth: &Truth) {
    all.insert("cii_admins".to_owned(), Value::Is(number(truth.admins.len())));
    let unknown = truth.admins.iter().filter(|login| !truth.users.contains_key(*login)).count();
    for days in [30, 90] {
        all.insert(format!("cii_admins_inactive{{days=\"{days}\"}}"), Value::Is(number(unknown)));
    }
    for rank in ["latest", "median", "earliest"] {
        let series = format!("cii_admin_last_sign_in_timestamp_seconds{{rank=\"{rank}\"}}");
        all.insert(series, Value::Maybe);
    }
    for one in &truth.integrations {
        let status = constant(one.status);
        let labels = format!(
            "integration_id=\"{}\",integration=\"{}\",status=\"{status}\"",
            one.id, one.name
        );
        all.insert(format!("cii_integration_up{{{labels}}}"), Value::Is(1.0));
        let series = format!("cii_integration_last_status_timestamp_seconds{{{labels}}}");
        all.insert(series, Value::Some);
    }
}
