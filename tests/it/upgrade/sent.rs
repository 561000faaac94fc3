//! What an older binary left to be sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    old::{Old, RENAMED},
    simulator,
};
use crate::harness::{Protocol, Receiver, attribute, attribute_names};

/// What a record is sent as today, where the changelog says that it has other attributes.
fn today_record(record: &Value) -> Value {
    let mut record = record.clone();
    let name = record["eventName"].clone();
    let attributes = record["attributes"].as_array_mut().unwrap();
    for attribute in attributes.iter_mut() {
        if let Some((_, today)) = RENAMED.iter().find(|(old, _)| attribute["key"] == *old) {
            attribute["key"] = json!(today);
        }
    }
    // "A check is `security_rule.*`, too."
    let rules = [("cii.check.id", "uuid"), ("cii.check.title", "name")];
    let rules = rules.iter().filter_map(|(own, name)| {
        let found = attributes.iter().find(|attribute| attribute["key"] == *own)?;
        Some(json!({ "key": format!("security_rule.{name}"), "value": found["value"] }))
    });
    let mut rules: Vec<_> = rules.collect();
    let found = attributes.iter().find(|attribute| attribute["key"] == "cii.check.description");
    let sentences = found.and_then(|found| found["value"]["arrayValue"]["values"].as_array());
    let sentences = sentences.into_iter().flatten().filter_map(|one| one["stringValue"].as_str());
    let description = sentences.collect::<Vec<_>>().join(" ");
    if !description.is_empty() {
        let value = json!({ "stringValue": description });
        rules.push(json!({ "key": "security_rule.description", "value": value }));
    }
    attributes.extend(rules);
    // "The name of an event is the attribute `event.name`, too."
    attributes.push(json!({ "key": "event.name", "value": { "stringValue": name } }));
    record
}

/// A record with its attributes in the order of their names: they have none.
fn by_key(mut record: Value) -> Value {
    let attributes = record["attributes"].as_array_mut().unwrap();
    attributes.sort_by_key(|attribute| attribute["key"].to_string());
    record
}

#[tokio::test]
async fn what_waited_for_the_collector_is_sent_once_with_the_ids_it_had() {
    for old in Old::ALL {
        let simulator = simulator().await;
        let receiver = Receiver::start().await;
        let setup = old.setup(&simulator, false).sending(&receiver, Protocol::Http);
        let exporter = setup.start().await;
        let expected = old.json("sent.json.gz");
        let expected = expected.as_array().unwrap();
        exporter.until_metric("cii_otlp_pending_events", 0.0).await;
        let received = receiver.until_received(expected.len()).await;
        assert_eq!(received.len(), expected.len(), "{old:?}");
        let texts = |record: &Value, key: &str| {
            attribute(&json!({ "record": record }), key).unwrap_or_default().to_string()
        };
        for (new, old_record) in received.iter().map(|line| &line["record"]).zip(expected) {
            for key in ["eventName", "body", "timeUnixNano", "observedTimeUnixNano"] {
                assert_eq!(new[key], old_record[key], "{old:?} {key}");
            }
            for key in ["log.record.uid", "user.email", "cii.check.id", "cii.check.description"] {
                assert_eq!(texts(new, key), texts(old_record, key), "{old:?} {key}");
            }
            if old == Old::V7 {
                assert_eq!(by_key(new.clone()), by_key(today_record(old_record)));
            }
        }
        // What older versions stored under other names, too.
        let records = received.iter().filter_map(|line| line["record"]["attributes"].as_array());
        let keys = records.flatten().map(|attribute| attribute["key"].as_str().unwrap().to_owned());
        let unknown: BTreeSet<_> = keys.filter(|key| !attribute_names().contains(key)).collect();
        assert!(unknown.is_empty(), "{old:?}: {unknown:?}");
    }
}
