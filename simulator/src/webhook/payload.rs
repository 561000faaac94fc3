//! The bodies of deliveries: an AWS `EventBridge` envelope around the detail.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::{
    ids,
    tenant::{Check, Tenant},
};

/// The delivery that names who newly fails a check.
pub(super) fn failed_check(
    tenant: &Tenant,
    check: &Check,
    logins: &[String],
    now: DateTime<Utc>,
) -> Value {
    let details: Vec<_> = logins
        .iter()
        .map(|login| {
            let provider = format!("[\"providerFailingCheck-{}-{}\"]", check.id, tenant.id);
            json!({
                "login": login,
                "details": [{ "key": "providersFailingChecks", "value": provider }],
            })
        })
        .collect();
    let detail = json!({
        "id": check.instance_id,
        "checkId": check.id,
        "title": check.title,
        "severity": check.severity,
        "usersFailing": logins,
        "loginDetails": details,
        "description": check.description,
        "recommendedActions": check.recommended_actions,
        "published": now.to_rfc3339_opts(SecondsFormat::Millis, true),
    });
    envelope(tenant, "FAILED_CHECK", &detail, now)
}

/// The message that the console sends when a target is made.
pub(super) fn test(tenant: &Tenant, now: DateTime<Utc>) -> Value {
    envelope(tenant, "WebhookTest", &json!({ "title": "Webhook test" }), now)
}

fn envelope(tenant: &Tenant, detail_type: &str, detail: &Value, now: DateTime<Utc>) -> Value {
    json!({
        "version": "0",
        "id": ids::uuid(),
        "detail-type": detail_type,
        "source": tenant.id,
        "account": tenant.account,
        "time": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "region": tenant.region,
        "detail": detail,
    })
}
