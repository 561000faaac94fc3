mod lenient;

use serde_json::{Value, json};

use super::*;
use crate::domain::{AttributeValue, CheckDefinition, CheckId, Severity};

const SAMPLE: &[u8] = include_bytes!("../../../../tests/payloads/failed-check-no-mfa.json");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn received() -> Timestamp {
    at("2026-01-02T03:04:05Z")
}

fn parsed(body: &Value) -> Result<Delivery, Malformed> {
    parse(body.to_string().as_bytes(), received())
}

fn delivery(detail_type: &str, detail: &Value) -> Result<Delivery, Malformed> {
    parsed(&json!({ "id": "d", "detail-type": detail_type, "detail": detail }))
}

fn users(delivery: &Delivery) -> Vec<(&str, Option<&str>)> {
    delivery.failing.iter().map(|user| (user.login.as_str(), user.explanation.as_deref())).collect()
}

#[test]
fn the_published_sample_is_understood() {
    let delivery = parse(SAMPLE, received()).unwrap();
    let why = Some(
        r#"[{"key":"providersFailingChecks","value":"[\"providerFailingCheck-no-mfa-a229bd52-608a-4225-bd01-b2214a3c4127__DUO__6812fc67\"]"}]"#,
    );
    let logins = ["test@example.com", "hrms.serviceuser", "it.up@test.com", "pass.resetter"];
    assert_eq!(users(&delivery), logins.map(|login| (login, why)));
    assert_eq!(delivery.id, "6290d486-904c-9d92-86fe-acecb39e252f");
    assert_eq!(delivery.kind, DeliveryKind::FailedCheck);
    assert_eq!(delivery.detail_type, "FAILED_CHECK");
    assert_eq!(delivery.published_at, Some(at("2024-07-24T14:25:28.589Z")));
    assert_eq!(delivery.account.as_deref(), Some("988897525199"));
    assert_eq!(delivery.region.as_deref(), Some("us-east-2"));
    assert_eq!(delivery.source.as_deref(), Some("a229bd52-608a-4225-bd01-b2214a3c4127__a7708c35"));
    let tenant = delivery.tenant_id().unwrap().to_string();
    assert_eq!(tenant, "a229bd52-608a-4225-bd01-b2214a3c4127");
    assert_eq!(delivery.sent_at, Some(at("2024-07-24T14:25:28Z")));
    assert_eq!(delivery.detail_id.as_deref(), Some("b13fb22c-efc3-4764-b22a-b219d1efa27d"));
    assert_eq!(delivery.notes, [""; 0]);
    let ReportedCheck { id, definition } = delivery.check.unwrap();
    assert_eq!(id, CheckId::new("no-mfa").unwrap());
    assert_eq!(definition.title, "No MFA Configured");
    assert_eq!(definition.severity, Severity::new(Some("critical")));
    assert_eq!((definition.description.len(), definition.recommended_actions.len()), (4, 1));
    let as_of = Some(at("2024-07-24T14:25:28.589Z"));
    let told = definition.told;
    assert_eq!([told.title, told.severity, told.description, told.recommended_actions], [as_of; 4]);
}

#[test]
fn the_least_that_a_failed_check_needs() {
    let delivery = parsed(&json!({ "id": "d", "detail": { "checkId": "no-mfa" } })).unwrap();
    let id = CheckId::new("no-mfa").unwrap();
    let check = ReportedCheck { definition: CheckDefinition::undefined(&id), id };
    let expected = Delivery {
        id: "d".into(),
        kind: DeliveryKind::FailedCheck,
        received_at: received(),
        check: Some(check),
        ..Delivery::default()
    };
    assert_eq!(delivery, expected);
}

#[test]
fn null_is_missing() {
    let detail = json!({
        "checkId": "c", "title": null, "severity": null, "published": null, "description": [null],
        "recommendedActions": null, "usersFailing": [null, "a"], "loginDetails": null,
        "login": null, "explainabilityDetails": null,
    });
    let body = json!({
        "id": "d", "detail-type": null, "time": null, "account": null, "region": null,
        "detail": detail,
    });
    let delivery = parsed(&body).unwrap();
    assert_eq!(users(&delivery), [("a", None)]);
    assert_eq!(delivery.check.unwrap().definition.description, Vec::<String>::new());
}

#[test]
fn everybody_named_is_named_once_in_order_and_explained() {
    let delivery = delivery(
        "FAILED_CHECK",
        &json!({
            "checkId": "c",
            "usersFailing": ["b", "a", "b "],
            "loginDetails": [
                { "login": "c", "details": [{ "key": "k", "value": "1" }] },
                { "login": "a", "details": [{ "key": "k", "value": "2" }] },
                { "login": "b", "details": [] },
                { "login": "e" },
                { "details": [] },
            ],
            "login": "a",
            "explainabilityDetails": [{ "key": "k", "value": "3" }],
        }),
    );
    let (one, two) = (r#"[{"key":"k","value":"1"}]"#, r#"[{"key":"k","value":"2"}]"#);
    assert_eq!(
        users(&delivery.unwrap()),
        [("b", None), ("a", Some(two)), ("c", Some(one)), ("e", None)]
    );
}

#[test]
fn a_direct_message_is_a_failed_check() {
    let detail = json!({
        "checkId": "c", "login": "a", "frameworks": [1],
        "explainabilityDetails": [{ "key": "k", "value": "v" }],
    });
    let delivery = delivery("DIRECT_MESSAGE", &detail).unwrap();
    assert_eq!(delivery.kind, DeliveryKind::FailedCheck);
    assert_eq!(users(&delivery), [("a", Some(r#"[{"key":"k","value":"v"}]"#))]);
}

#[test]
fn the_spelling_of_a_detail_type_does_not_count() {
    let detail = json!({ "checkId": "c" });
    for (text, kind) in [
        ("WebhookTest", DeliveryKind::Test),
        ("WEBHOOK_TEST", DeliveryKind::Test),
        ("webhook-test", DeliveryKind::Test),
        ("Failed Check", DeliveryKind::FailedCheck),
        ("failedCheck", DeliveryKind::FailedCheck),
        ("", DeliveryKind::FailedCheck),
        ("NewThing", DeliveryKind::Other),
    ] {
        let delivery = delivery(text, &detail).unwrap();
        assert_eq!((delivery.kind, delivery.detail_type.as_str()), (kind, text));
        assert_eq!(delivery.check.is_some(), kind != DeliveryKind::Test);
    }
}

#[test]
fn a_test_message_needs_nothing_and_nothing_in_its_detail_is_wrong() {
    for detail in [
        Value::Null,
        json!("hello"),
        json!({ "usersFailing": 5, "checkId": [], "published": {}, "login": "\u{0}" }),
    ] {
        let delivery = delivery("WebhookTest", &detail).unwrap();
        assert_eq!(
            (delivery.kind, delivery.check, delivery.failing),
            (DeliveryKind::Test, None, vec![])
        );
    }
}

#[test]
fn an_unknown_message_without_a_check_is_kept() {
    for detail in [Value::Null, json!("hello"), json!([1]), json!({ "usersFailing": 5 })] {
        let delivery = delivery("NewThing", &detail).unwrap();
        assert_eq!((delivery.kind, delivery.check), (DeliveryKind::Other, None));
    }
}

#[test]
fn texts_come_as_a_list_or_alone() {
    let one = vec!["one".to_owned()];
    for (field, value) in [
        ("recommendedActions", json!("one")),
        ("recommendedActions", json!(["one", ""])),
        ("recommended Actions", json!(["one"])),
    ] {
        let mut detail = json!({ "checkId": "c", "description": value });
        detail[field] = value;
        let definition = delivery("", &detail).unwrap().check.unwrap().definition;
        assert_eq!((&definition.description, &definition.recommended_actions), (&one, &one));
    }
}

#[test]
fn the_time_of_a_delivery_is_the_best_there_is() {
    let (early, late) = ("2024-01-01T00:00:00Z", "2024-01-01T02:00:00+01:00");
    for (published, time, expected) in [
        (json!(late), json!(early), Some(at("2024-01-01T01:00:00Z"))),
        (json!("yesterday"), json!(early), Some(at(early))),
        (Value::Null, json!(early), Some(at(early))),
        (Value::Null, json!("yesterday"), None),
    ] {
        let detail = json!({ "checkId": "c", "title": "C", "published": published });
        let delivery = parsed(&json!({ "id": "d", "time": time, "detail": detail })).unwrap();
        assert_eq!(delivery.published_at, expected);
        let as_of = delivery.check.unwrap().definition.told.title;
        assert_eq!(as_of, Some(expected.unwrap_or_else(received)));
    }
}

fn assert_malformed(body: &Value, pointer: &str, problem: &str) {
    let malformed = parsed(body).unwrap_err();
    let place = if pointer.is_empty() { "the body" } else { pointer };
    assert_eq!(malformed.to_string(), format!("{place}: {problem}"));
    assert_eq!(malformed.pointer(), Some(pointer));
}

#[test]
fn a_failed_check_that_names_nothing_is_refused_with_the_place() {
    let nothing = "names neither a check nor a user that can be read";
    for (body, pointer, problem) in [
        (json!([]), "", "expected an object, found a list"),
        (json!({}), "/detail", "missing"),
        (json!({ "id": "d" }), "/detail", "missing"),
        (json!({ "id": "d", "detail": "x" }), "/detail", "expected an object, found a string"),
        (json!({ "id": "d", "detail": [1, 2] }), "/detail", "expected an object, found a list"),
        (json!({ "id": "d", "detail": {} }), "/detail", nothing),
        (json!({ "id": "d", "detail": { "checkId": {} } }), "/detail", nothing),
        (json!({ "id": "d", "detail": { "checkId": " ", "title": "x" } }), "/detail", nothing),
        (
            json!({ "id": "d", "detail": { "checkId": true, "usersFailing": ["", "", null] } }),
            "/detail",
            "names neither a check nor a user that can be read; logins that cannot be used: \
             2 empty, 1 no text",
        ),
    ] {
        assert_malformed(&body, pointer, problem);
    }
}

#[test]
fn what_is_not_json_is_told_with_line_and_column() {
    for (body, text) in [
        (&b"{\"a\" 1}"[..], "not JSON: expected `:` at line 1 column 6"),
        (b"", "not JSON: EOF while parsing a value at line 1 column 0"),
        (b"{}\n}", "not JSON: trailing characters at line 2 column 1"),
    ] {
        let malformed = parse(body, received()).unwrap_err();
        assert_eq!((malformed.to_string().as_str(), malformed.pointer()), (text, None));
        assert_eq!(malformed.title(), "The body is not JSON");
    }
    let deep = "[".repeat(100_000);
    let malformed = parse(deep.as_bytes(), received()).unwrap_err().to_string();
    assert!(malformed.contains("recursion limit"), "{malformed}");
}

#[test]
fn a_time_ahead_of_the_receipt_by_more_than_a_clock_s_error_is_the_receipt() {
    let after = |seconds| (received() + chrono::TimeDelta::seconds(seconds)).to_rfc3339();
    for (seconds, is_trusted) in [(-1, true), (60, true), (61, false), (86_400 * 365, false)] {
        let written = after(seconds);
        let expected = if is_trusted { at(&written) } else { received() };
        for (published, time) in [(json!(written), json!(written)), (Value::Null, json!(written))] {
            let detail = json!({ "checkId": "c", "title": "C", "published": published });
            let delivery = parsed(&json!({ "id": "d", "time": time, "detail": detail })).unwrap();
            assert_eq!(delivery.published_at, Some(expected), "{seconds}");
            assert_eq!((delivery.sent_at, delivery.happened_at()), (Some(expected), expected));
            assert_eq!(delivery.check.unwrap().definition.told.title, Some(expected));
            assert_eq!(delivery.notes.is_empty(), is_trusted, "{:?}", delivery.notes);
        }
    }
}
