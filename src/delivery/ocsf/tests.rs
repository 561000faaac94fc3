//! Every event as a record, checked against the public schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use strum::VariantArray as _;

use super::*;
use crate::domain::{CheckId, Login, Severity, WatchSubject};

const SCHEMA: &str = include_str!("../../../tests/ocsf/schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// The violations of a value that is to have these attributes.
fn faults(schema: &Value, definition: &Value, place: &str, value: &Value) -> Vec<String> {
    let Some(fields) = value.as_object() else { return vec![format!("{place} is no object")] };
    let attributes = definition["attributes"].as_object().unwrap();
    let mut faults = Vec::new();
    for (name, attribute) in attributes {
        if attribute["required"] == true && !fields.contains_key(name) {
            faults.push(format!("{place}.{name} is required"));
        }
    }
    let one_of = definition["at_least_one"].as_array().unwrap();
    if !one_of.is_empty() && !one_of.iter().any(|name| fields.contains_key(name.as_str().unwrap()))
    {
        faults.push(format!("{place} has none of {one_of:?}"));
    }
    for (name, value) in fields {
        let place = format!("{place}.{name}");
        let Some(attribute) = attributes.get(name) else {
            faults.push(format!("{place} does not exist"));
            continue;
        };
        let values = match (attribute["is_array"] == true, value) {
            (true, Value::Array(values)) => values.as_slice(),
            (true, _) => {
                faults.push(format!("{place} is no list"));
                continue;
            }
            (false, value) => std::slice::from_ref(value),
        };
        for value in values {
            faults.extend(of_one(schema, attribute, &place, value));
        }
    }
    faults
}

fn of_one(schema: &Value, attribute: &Value, place: &str, value: &Value) -> Vec<String> {
    let kind = attribute["type"].as_str().unwrap();
    let is_right = match kind {
        "integer_t" | "long_t" | "timestamp_t" => value.is_i64() || value.is_u64(),
        "boolean_t" => value.is_boolean(),
        "object" | "json_t" => value.is_object(),
        kind if kind.ends_with("_t") => value.as_str().is_some_and(|text| !text.is_empty()),
        object => {
            let definition = &schema["objects"][object];
            assert!(definition.is_object(), "{place}: schema.json lacks {object}");
            return faults(schema, definition, place, value);
        }
    };
    let known = attribute["enum"].as_array();
    let is_known = known.is_none_or(|known| known.contains(&json!(value.to_string())));
    let mut faults = Vec::new();
    if !is_right {
        faults.push(format!("{place} is no {kind}: {value}"));
    }
    if !is_known {
        faults.push(format!("{place} is none of {known:?}: {value}"));
    }
    faults
}

/// Checks that a record conforms to the schema.
fn is_valid(record: &Value) {
    let schema = schema();
    let class = &schema["classes"][record["class_uid"].to_string()];
    assert!(class.is_object(), "no class: {record}");
    let faults = faults(&schema, class, "record", record);
    assert!(faults.is_empty(), "{faults:#?}\n{record:#}");
    assert_eq!(record["class_name"], class["caption"]);
    assert_eq!(record["category_uid"], class["category_uid"]);
    assert_eq!(record["category_name"], class["category_name"]);
    let number = |name: &str| record[name].as_u64().unwrap();
    assert_eq!(number("type_uid"), number("class_uid") * 100 + number("activity_id"));
    assert_eq!(record["metadata"]["version"], schema["version"]);
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_323_700 + seconds, 0).unwrap()
}

fn source() -> Source {
    let tenant_id = TenantId::parse("a229bd52-608a-4225-bd01-b2214a3c4127");
    Source { instance_id: "store-1".to_owned(), tenant_id }
}

/// An event of a kind, about a user, with these attributes.
fn event(name: EventName, attributes: &[(&str, AttributeValue)]) -> (Event, Attributes) {
    let login = Login::new("Ann@example.com").unwrap();
    let mut event = Event::watch_changed(&WatchSubject::User(login), true, at(0));
    event.name = name;
    event.observed_at = at(2);
    let mut all = event.take_attributes();
    all.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    (event, all)
}

fn list(texts: &[&str]) -> AttributeValue {
    AttributeValue::List(texts.iter().map(|text| (*text).to_owned()).collect())
}

/// Every attribute, so that none is put where the schema has no field for it.
fn everything() -> Vec<(&'static str, AttributeValue)> {
    vec![
        (key::USER_ID, "4711".into()),
        (key::USER_FULL_NAME, "Ann Example".into()),
        (key::URL_FULL, "https://console.example/users/4711".into()),
        (key::CLIENT_ADDRESS, "203.0.113.7".into()),
        (key::GEO_LOCALITY, "Brno".into()),
        (key::GEO_COUNTRY, "CZ".into()),
        (key::GEO_STATE, "South Moravia".into()),
        (key::CHECK_ID, "no-mfa".into()),
        (key::CHECK_TITLE, "No MFA".into()),
        (key::CHECK_SEVERITY, "high".into()),
        (key::CHECK_DESCRIPTION, list(&["One.", "Two."])),
        (key::CHECK_RECOMMENDED_ACTIONS, list(&["Do this.", "Do that."])),
        (key::CHECK_FRAMEWORKS, list(&["CIS 5", "NIST"])),
        (key::CHECK_EXPLANATION, list(&["userTitle: Accountant"])),
        (key::CHECK_ANNOUNCED, true.into()),
        (key::CHECK_FAILED_FOR, 3600_i64.into()),
        (key::APPLICATION, "Wiki".into()),
        (key::STATUS, "active".into()),
        (key::STATUS_PREVIOUS, "suspended".into()),
        (key::FACTORS_ADDED, list(&["okta_verify"])),
        (key::FACTORS_REMOVED, list(&["sms"])),
        (key::INTEGRATION_ID, "i-1".into()),
        (key::INTEGRATION_NAME, "Okta".into()),
        (key::INTEGRATION_STATUS, "failed".into()),
        (key::ERROR_MESSAGE, "no luck".into()),
        (key::POLL_OUTCOME, "refused".into()),
        (key::SYNC_JOB, "users".into()),
    ]
}

#[test]
fn every_event_that_is_sent_is_a_record_by_the_public_schema() {
    let mut classes = BTreeMap::<u64, BTreeSet<&str>>::new();
    for &name in EventName::VARIANTS {
        for attributes in [everything(), Vec::new()] {
            let (mut event, attributes) = event(name, &attributes);
            for (check, severity) in [
                (None, None),
                (Some("no-mfa"), None),
                (Some("no-mfa"), Some("severe")),
                (Some("no-mfa"), Some("critical")),
            ] {
                event.check_id = check.and_then(CheckId::new);
                event.severity = Severity::new(severity);
                let record = build_record(&source(), "uid-1", &event, &attributes);
                assert_eq!(record.is_some(), name.is_public(), "{name:?}");
                let Some(record) = record else { continue };
                is_valid(&record);
                assert_eq!(record["metadata"]["event_code"], name.as_str());
                assert_eq!(record["metadata"]["uid"], "uid-1");
                assert_eq!(record["time"], 1_767_323_700_000_i64);
                let class = record["class_uid"].as_u64().unwrap();
                classes.entry(class).or_default().insert(name.as_str());
            }
        }
    }
    let expected: BTreeSet<_> = [2003, 2008, 3001, 3004, 3005, 6002].into();
    assert_eq!(classes.keys().copied().collect::<BTreeSet<_>>(), expected);
    // The operators' page lists each event, with its class.
    let page = include_str!("../../../docs/ocsf.md");
    for (class, names) in classes {
        for name in names {
            let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            assert!(row.is_some_and(|row| row.contains(&class.to_string())), "{name}: {class}");
        }
    }
}

fn finding(name: EventName, user: &str, check: &str, source: &Source) -> Value {
    let (mut event, attributes) = event(name, &[(key::CHECK_ID, check.into())]);
    event.login = Some(Login::new(user).unwrap());
    event.check_id = CheckId::new(check);
    build_record(source, "uid", &event, &attributes).unwrap()
}

#[test]
fn what_opens_a_finding_and_what_closes_it_have_one_uid_and_nothing_else_has_it() {
    let uid = |name, user, check| {
        finding(name, user, check, &source())["finding_info"]["uid"].as_str().unwrap().to_owned()
    };
    let opened = uid(EventName::CheckFailed, "ann@example.com", "no-mfa");
    assert_eq!(opened, uid(EventName::CheckResolved, "Ann@Example.com", "no-mfa"));
    for other in [
        uid(EventName::CheckFailed, "bob@example.com", "no-mfa"),
        uid(EventName::CheckFailed, "ann@example.com", "no-mf"),
        uid(EventName::CheckDelivery, "ann@example.com", "no-mfa"),
    ] {
        assert_ne!(opened, other);
    }
    let elsewhere = Source { instance_id: "store-2".to_owned(), ..source() };
    let other = finding(EventName::CheckFailed, "ann@example.com", "no-mfa", &elsewhere);
    assert_ne!(other["finding_info"]["uid"], opened);
    let (create, close) = (
        finding(EventName::CheckFailed, "a", "c", &source()),
        finding(EventName::CheckResolved, "a", "c", &source()),
    );
    assert_eq!((&create["activity_name"], &create["status"]), (&json!("Create"), &json!("New")));
    assert_eq!((&close["activity_name"], &close["status"]), (&json!("Close"), &json!("Resolved")));
    assert_eq!(
        (&create["compliance"]["status"], &close["compliance"]["status"]),
        (&json!("Fail"), &json!("Pass"))
    );
}

#[test]
fn whoever_is_named_by_a_hash_is_named_so_there_and_whoever_by_nothing_is_one_of_many() {
    let of = |name, attributes: &[(&str, AttributeValue)], uid| {
        let (mut event, mut all) = event(name, attributes);
        // As after the login was replaced.
        event.login = None;
        event.body = Some("somebody fails".to_owned());
        for name in [key::USER_NAME, key::USER_EMAIL] {
            all.remove(name);
        }
        build_record(&source(), uid, &event, &all).unwrap()
    };
    let hash = [(key::USER_HASH, "9e47".into()), (key::CHECK_ID, "no-mfa".into())];
    let (opened, closed) =
        (of(EventName::CheckFailed, &hash, "1"), of(EventName::CheckResolved, &hash, "2"));
    is_valid(&opened);
    assert_eq!(opened["finding_info"]["uid"], closed["finding_info"]["uid"]);
    assert_eq!(opened["resources"][0]["uid"], "9e47");
    assert!(!opened.to_string().to_lowercase().contains("ann"), "{opened}");
    let nobody = [(key::CHECK_ID, "no-mfa".into())];
    let (one, other) =
        (of(EventName::CheckFailed, &nobody, "1"), of(EventName::CheckFailed, &nobody, "2"));
    is_valid(&one);
    assert_ne!(one["finding_info"]["uid"], other["finding_info"]["uid"]);
}

#[test]
fn a_change_of_an_account_has_the_schema_s_word_where_there_is_one() {
    for (status, activity) in
        [("ACTIVE", 2), ("suspended", 5), ("LOCKED_OUT", 9), ("staged", 99), ("deleted", 6)]
    {
        let status = [(key::STATUS, status.into())];
        let (event, attributes) = event(EventName::UserStatusChanged, &status);
        let record = build_record(&source(), "1", &event, &attributes).unwrap();
        assert_eq!(record["activity_id"], activity, "{status:?}");
    }
    for (added, removed, activity) in
        [(&["a"][..], &[][..], 10), (&[], &["b"], 11), (&["a"], &["b"], 99)]
    {
        let factors = [(key::FACTORS_ADDED, list(added)), (key::FACTORS_REMOVED, list(removed))];
        let (event, attributes) = event(EventName::UserFactorsChanged, &factors);
        let record = build_record(&source(), "1", &event, &attributes).unwrap();
        assert_eq!(record["activity_id"], activity, "{factors:?}");
    }
}
