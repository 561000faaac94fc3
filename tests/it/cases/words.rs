//! The words of a check: title, severity, description and advice.

use serde_json::{Value, json};

use crate::harness::{Exporter, Setup};

/// A delivery of one user about `no-mfa`, published at this second, with these fields.
fn delivery(id: &str, second: u32, fields: &Value) -> Value {
    let mut detail = json!({
        "checkId": "no-mfa",
        "login": format!("{id}@example.com"),
        "published": format!("2026-01-01T00:00:{second:02}Z"),
    });
    for (name, value) in fields.as_object().unwrap() {
        detail[name] = value.clone();
    }
    json!({ "id": id, "detail-type": "FAILED_CHECK", "detail": detail })
}

async fn check(exporter: &Exporter) -> Value {
    let (status, answer) = exporter.api("GET", "/checks", None).await;
    assert_eq!(status, 200, "{answer}");
    let checks = answer["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1, "{answer}");
    checks[0].clone()
}

/// D5: what a delivery does not say of a check stays.
#[tokio::test]
async fn a_delivery_says_nothing_about_the_words_that_it_does_not_have() {
    let words = json!({
        "title": "No MFA Configured", "severity": "Critical",
        "description": ["Finds users without MFA."], "recommendedActions": ["Enrol them."],
    });
    for (number, empty) in [
        json!({}),
        json!({ "title": null, "severity": null, "description": null, "recommendedActions": null }),
        json!({ "title": "", "severity": " ", "description": [], "recommendedActions": [""] }),
        json!({ "title": {}, "severity": [], "description": "", "recommendedActions": {} }),
    ]
    .into_iter()
    .enumerate()
    {
        // Words first, words last, and words that arrive late.
        for order in
            [[(1, &words), (2, &empty)], [(1, &empty), (2, &words)], [(2, &empty), (1, &words)]]
        {
            let exporter = Setup::new().start().await;
            for (second, fields) in order {
                let body = delivery(&format!("d{second}"), second, fields);
                assert_eq!(exporter.deliver(&body).await, 200, "{body}");
            }
            let check = check(&exporter).await;
            assert_eq!(check["title"], "No MFA Configured", "{number}: {check}");
            assert_eq!(check["severity"], "critical", "{number}: {check}");
            assert_eq!(check["description"], words["description"], "{number}: {check}");
            assert_eq!(check["recommended_actions"], words["recommendedActions"], "{check}");
            let metrics = exporter.metrics().await;
            let series = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"critical\"}";
            assert_eq!(metrics.get(series), Some(2.0), "{}", metrics.text);
        }
    }
}

/// A re-rating changes one label, and splits no counter.
#[tokio::test]
async fn a_check_that_is_rated_otherwise_keeps_its_one_series_of_each_counter() {
    let exporter = Setup::new().start().await;
    for (number, severity) in ["low", "Moderate", "HIGH", "severe"].into_iter().enumerate() {
        let second = u32::try_from(number).unwrap();
        let body = delivery(&format!("d{number}"), second, &json!({ "severity": severity }));
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    let exporter = exporter.kill().await.start().await;
    let metrics = exporter.metrics().await;
    for (name, value) in [("failures", 4.0), ("resolutions", 0.0)] {
        let name = format!("cii_check_{name}_total");
        let series = format!("{name}{{check_id=\"no-mfa\"}}");
        assert_eq!(metrics.series(&name), [(series.as_str(), value)], "{}", metrics.text);
    }
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"severe\"}";
    assert_eq!(metrics.series("cii_check_failing_users"), [(failing, 4.0)]);
    let last = metrics.get("cii_check_last_failure_timestamp_seconds{check_id=\"no-mfa\"}");
    let committed = metrics.get("cii_webhook_last_delivery_timestamp_seconds").unwrap();
    assert!((last.unwrap() - committed).abs() < 1.0, "committed, not published: {last:?}");
}
