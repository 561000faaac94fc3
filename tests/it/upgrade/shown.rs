//! What an upgraded database shows: what the older binary showed.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{old::Old, simulator, start};
use crate::harness::{Body, Metrics};

#[tokio::test]
async fn an_upgraded_database_shows_the_tenant_metrics_that_the_older_binary_showed() {
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        assert_eq!(old.known(&exporter.metrics().await), old.tenant(), "{old:?}");
        // The tenant's own figures, too.
        let figures = |metrics: &Metrics| -> BTreeMap<String, f64> {
            let all = metrics.all();
            let tenant = all.filter(|(series, _)| series.starts_with("cii_tenant_users"));
            tenant.map(|(series, value)| (series.to_owned(), value)).collect()
        };
        let (shown, kept) = (exporter.metrics().await, old.metrics());
        assert_eq!(figures(&shown), figures(&kept), "{old:?}");
        assert!(!figures(&kept).is_empty(), "{old:?}: nothing is compared");
    }
}

/// Each key that the older answer has, with its value; fields that are new are left out.
fn only_known(new: &Value, old: &Value) -> Value {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => new
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), only_known(value, old.get(key)?))))
            .collect(),
        (Value::Array(new), Value::Array(old)) if new.len() == old.len() => {
            new.iter().zip(old).map(|(new, old)| only_known(new, old)).collect()
        }
        _ => new.clone(),
    }
}

/// "In the API, `totals` of a check is one object."
fn totals(by_severity: &Value) -> Value {
    let sum = |name: &str| -> u64 {
        by_severity.as_array().unwrap().iter().filter_map(|row| row[name].as_u64()).sum()
    };
    json!({ "failures": sum("failures"), "resolutions": sum("resolutions") })
}

#[tokio::test]
async fn an_upgraded_database_gives_the_answers_that_the_older_binary_gave() {
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        let answers = old.json("answers.json.gz");
        for (path, before) in answers.as_object().unwrap() {
            // How OTLP stands is compared at the receiver.
            if path == "/otlp" {
                continue;
            }
            let (status, after) = exporter.api("GET", path, None).await;
            assert_eq!(status, 200, "{old:?} {path}");
            let mut before = before.clone();
            // A listing that was under way is begun anew: the last complete one is told of.
            if let Some(answer) = before.as_object_mut().filter(|_| path == "/checks") {
                answer.remove("listing");
            }
            let mut before = old.today_json(&before);
            for check in
                before.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten()
            {
                check["totals"] = totals(&check["totals"]);
            }
            assert_eq!(only_known(&after, &before), before, "{old:?} {path}");
        }
    }
}

#[tokio::test]
async fn the_last_failure_of_a_check_is_that_of_its_events_and_its_words_have_their_dates() {
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        let (_, page) = exporter.api("GET", "/events?name=cii.check.failed&limit=1000", None).await;
        let mut last = BTreeMap::<String, chrono::DateTime<chrono::Utc>>::new();
        for event in page["events"].as_array().unwrap() {
            let check = event["check_id"].as_str().unwrap().to_owned();
            let at = event["observed_at"].as_str().unwrap().parse().unwrap();
            let known = last.entry(check).or_insert(at);
            *known = at.max(*known);
        }
        assert!(!last.is_empty(), "{old:?}: nothing is compared");
        let metrics = exporter.metrics().await;
        for (check, at) in last {
            let name = "cii_check_last_failure_timestamp_seconds";
            let shown = metrics.get(&format!("{name}{{check_id={check:?}}}"));
            #[expect(clippy::cast_precision_loss, reason = "as the metric is read")]
            let expected = at.timestamp_micros() as f64 / 1e6;
            assert_eq!(shown, Some(expected), "{old:?} {check}");
        }

        // A delivery that is older than what is known does not rename the check.
        let words = async || {
            let (_, answer) = exporter.api("GET", "/checks", None).await;
            let checks = answer["checks"].as_array().unwrap();
            let check = checks.iter().find(|check| check["id"] == "no-mfa").unwrap();
            ["title", "severity", "description"].map(|field| check[field].clone())
        };
        let before = words().await;
        let mut late = Body::new("late", "no-mfa", &["late@example.com"]).json();
        late["detail"]["published"] = json!("2024-01-01T00:00:00Z");
        late["detail"]["title"] = json!("As it was called before");
        late["detail"]["severity"] = json!("low");
        late["detail"]["description"] = json!(["As it was described before"]);
        assert_eq!(exporter.deliver(&late).await, 200);
        assert_eq!(words().await, before, "{old:?}");
    }
}

#[tokio::test]
async fn the_tenant_is_the_one_of_the_first_delivery_that_is_kept() {
    let simulator = simulator().await;
    let setup = Old::V7.setup(&simulator, false);
    let database = Connection::open(setup.database()).unwrap();
    let id = "a229bd52-608a-4225-bd01-b2214a3c4127";
    for (source, which) in [
        (format!("{id}__a7708c35"), "(SELECT seq FROM delivery ORDER BY seq LIMIT 1 OFFSET 3)"),
        (id.replace('a', "b"), "(SELECT max(seq) FROM delivery)"),
    ] {
        let sql = format!("UPDATE delivery SET source = ?1 WHERE seq = {which}");
        assert_eq!(database.execute(&sql, [source]).unwrap(), 1);
    }
    drop(database);
    let exporter = setup.start().await;
    let series = format!("cii_tenant_info{{tenant=\"{id}\",id=\"{id}\"}}");
    assert_eq!(exporter.metrics().await.get(&series), Some(1.0));
}
