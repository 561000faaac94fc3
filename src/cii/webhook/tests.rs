use serde_json::{Value, json};

use super::*;
use crate::domain::{AttributeValue, CheckDefinition, CheckId, Severity};

const SAMPLE: &[u8] = include_bytes!("../../../tests/payloads/failed-check-no-mfa.json");

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
    assert_eq!(delivery.tenant_id(), Some("a229bd52-608a-4225-bd01-b2214a3c4127"));
    assert_eq!(delivery.sent_at, Some(at("2024-07-24T14:25:28Z")));
    assert_eq!(delivery.detail_id.as_deref(), Some("b13fb22c-efc3-4764-b22a-b219d1efa27d"));
    assert_eq!(delivery.notes, [""; 0]);
    let ReportedCheck { id, definition } = delivery.check.unwrap();
    assert_eq!(id, CheckId::new("no-mfa").unwrap());
    assert_eq!(definition.title, "No MFA Configured");
    assert_eq!(definition.severity, Severity::new(Some("critical")));
    assert_eq!((definition.description.len(), definition.recommended_actions.len()), (4, 1));
    assert_eq!(definition.as_of, at("2024-07-24T14:25:28.589Z"));
}

#[test]
fn the_least_that_a_failed_check_needs() {
    let delivery = parsed(&json!({ "id": "d", "detail": { "checkId": "no-mfa" } })).unwrap();
    let definition = CheckDefinition {
        title: "no-mfa".into(),
        severity: Severity::default(),
        description: vec![],
        recommended_actions: vec![],
        as_of: received(),
    };
    let check = ReportedCheck { id: CheckId::new("no-mfa").unwrap(), definition };
    let expected = Delivery {
        id: "d".into(),
        kind: DeliveryKind::FailedCheck,
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
        let detail = json!({ "checkId": "c", "published": published });
        let delivery = parsed(&json!({ "id": "d", "time": time, "detail": detail })).unwrap();
        assert_eq!(delivery.published_at, expected);
        let as_of = delivery.check.unwrap().definition.as_of;
        assert_eq!(as_of, expected.unwrap_or_else(received));
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
fn an_envelope_without_a_usable_id_gets_one_from_its_body() {
    let body = |id: Value| json!({ "id": id, "detail": { "checkId": "c" } });
    assert_eq!(parsed(&body(json!(5))).unwrap().id, "5");
    let mut ids = std::collections::BTreeSet::new();
    for id in [Value::Null, json!(" "), json!("x".repeat(257)), json!([]), json!({ "a": 1 })] {
        let first = parsed(&body(id.clone())).unwrap();
        assert!(first.id.starts_with("sha256:") && first.notes[0].contains("made from the body"));
        assert_eq!(parsed(&body(id)).unwrap().id, first.id, "an exact repeat is one");
        ids.insert(first.id);
    }
    assert_eq!(ids.len(), 5, "other bodies have other ids");
    let other = parsed(&json!({ "detail-type": "NewThing" })).unwrap();
    assert_eq!((other.kind, other.id.starts_with("sha256:")), (DeliveryKind::Other, true));
}

#[test]
fn a_check_id_is_a_text_or_a_number() {
    for (value, expected) in [
        (json!("c"), Some("c")),
        (json!(7), Some("7")),
        (json!(["c"]), Some("c")),
        (json!(["c", "d"]), None),
        (json!({ "en": "c" }), None),
        (json!("x".repeat(257)), None),
    ] {
        let detail = json!({ "checkId": value, "login": "a" });
        let delivery = delivery("FAILED_CHECK", &detail).unwrap();
        let id = delivery.check.as_ref().map(|check| check.id.as_str());
        assert_eq!((id, users(&delivery).len()), (expected, 1), "{value}");
        assert_eq!(delivery.notes.is_empty(), value == "c", "{:?}", delivery.notes);
    }
}

#[test]
fn side_fields_of_another_type_are_read_and_noted() {
    let detail = |name: &str, value: &Value| {
        let mut detail = json!({ "checkId": "c", "usersFailing": ["a"] });
        detail[name] = value.clone();
        let delivery = delivery("FAILED_CHECK", &detail).unwrap();
        assert_eq!(users(&delivery), [("a", None)], "{name}: {value}");
        (delivery.check.unwrap().definition, delivery.notes)
    };
    for (value, expected) in [
        (json!(3), "3"),
        (json!(true), "true"),
        (json!(["high", "low"]), "high"),
        (json!({ "text": "high", "level": 3 }), "high"),
        (json!({ "level": 3 }), r#"{"level":3}"#),
    ] {
        let (definition, notes) = detail("severity", &value);
        assert_eq!(definition.severity.text(), Some(expected));
        assert!(notes[0].starts_with("detail.severity: ") && notes[0].contains(", read as "));
    }
    assert_eq!(detail("severity", &json!(3)).1, [r#"detail.severity: a number, read as "3""#]);
    for (value, expected) in [
        (json!({ "en": "x", "de": "y" }), "x"),
        (json!({ "value": "x" }), "x"),
        (json!({ "fr": "x" }), "x"),
        (json!({ "fr": "x", "de": "y" }), r#"{"de":"y","fr":"x"}"#),
        (json!(["x"]), "x"),
        (json!([{ "en": "x" }]), "x"),
        (json!(5), "5"),
        (json!({}), "c"),
        (json!([]), "c"),
    ] {
        let (definition, notes) = detail("title", &value);
        assert_eq!((definition.title.as_str(), notes.len()), (expected, 1), "{value}");
    }
    let (definition, notes) = detail("title", &json!("x".repeat(5000)));
    assert_eq!((definition.title.len(), notes.len()), (1000, 1));
    for (value, expected) in [
        (json!({ "en": "x", "de": "y" }), vec!["x"]),
        (json!({ "en": ["x", "y"] }), vec!["x", "y"]),
        (json!([{ "en": "x" }, { "text": "y" }, "z", 7, null]), vec!["x", "y", "z", "7"]),
        (json!(7), vec!["7"]),
        (json!([["x", "y"]]), vec!["x", "y"]),
        (json!({ "a": "x", "b": "y" }), vec![r#"{"a":"x","b":"y"}"#]),
    ] {
        for name in ["description", "recommendedActions", "recommended_actions"] {
            let (definition, notes) = detail(name, &value);
            let is_description = name == "description";
            let texts = if is_description {
                definition.description
            } else {
                definition.recommended_actions
            };
            assert_eq!((texts, notes.len()), (expected.iter().map(|&s| s.to_owned()).collect(), 1));
        }
    }
    let published = json!(1_764_072_000);
    assert_eq!(detail("published", &published).0.as_of, at("2025-11-25T12:00:00Z"));
}

#[test]
fn an_envelope_of_odd_types_is_read_and_noted() {
    let body = json!({
        "id": "d", "detail-type": ["FAILED_CHECK"], "time": 1_764_072_000,
        "account": 988_897_525_199_i64, "region": ["eu-west-1", "x"], "source": { "value": "t__1" },
        "detail": "{\"checkId\":\"c\",\"usersFailing\":[\"a\"]}",
    });
    let delivery = parsed(&body).unwrap();
    assert_eq!((delivery.kind, users(&delivery).len()), (DeliveryKind::FailedCheck, 1));
    assert_eq!(delivery.sent_at, Some(at("2025-11-25T12:00:00Z")));
    assert_eq!(delivery.account.as_deref(), Some("988897525199"));
    assert_eq!(delivery.region.as_deref(), Some("eu-west-1"));
    assert_eq!(delivery.tenant_id(), Some("t"));
    assert_eq!(delivery.notes.len(), 6, "{:?}", delivery.notes);
    let bare = parsed(&json!({ "checkId": "c", "usersFailing": ["a"] })).unwrap();
    assert_eq!((bare.check.is_some(), users(&bare).len()), (true, 1));
    let strange = parsed(&json!({ "id": "d", "detail-type": true })).unwrap();
    assert_eq!((strange.kind, strange.detail_type.as_str()), (DeliveryKind::Other, "true"));
}

#[test]
fn users_in_every_plain_form() {
    let pair = r#"[{"key":"k","value":"v"}]"#;
    let pairs = json!([{ "key": "k", "value": "v" }]);
    for (name, value, expected) in [
        ("usersFailing", json!("a"), vec![("a", None)]),
        ("usersFailing", json!(r#"["a","b"]"#), vec![("a", None), ("b", None)]),
        ("usersFailing", json!("a@x.y, b@x.y"), vec![("a@x.y", None), ("b@x.y", None)]),
        ("usersFailing", json!("Domain User"), vec![("Domain User", None)]),
        ("usersFailing", json!(7), vec![("7", None)]),
        ("usersFailing", json!(["a", 7]), vec![("a", None), ("7", None)]),
        ("usersFailing", json!([{ "login": "a" }, "b"]), vec![("a", None), ("b", None)]),
        ("usersFailing", json!({ "login": "a", "details": pairs }), vec![("a", Some(pair))]),
        ("usersFailing", json!({ "a": {}, "b": pairs }), vec![("a", None), ("b", Some(pair))]),
        (
            "loginDetails",
            json!({ "a": pairs, "b": { "k": "v" } }),
            vec![("a", Some(pair)), ("b", Some(pair))],
        ),
        (
            "loginDetails",
            json!(["a", { "login": "b", "details": { "k": "v" } }]),
            vec![("a", None), ("b", Some(pair))],
        ),
        ("loginDetails", json!([{ "login": "a", "details": "why" }]), vec![("a", Some("\"why\""))]),
        (
            "loginDetails",
            json!([{ "login": 7, "details": pairs.to_string() }]),
            vec![("7", Some(pair))],
        ),
        ("users_failing", json!(["a"]), vec![("a", None)]),
        ("login", json!(["a"]), vec![("a", None)]),
    ] {
        let mut detail = json!({ "checkId": "c" });
        detail[name] = value.clone();
        let delivery = delivery("FAILED_CHECK", &detail).unwrap();
        assert_eq!(users(&delivery), expected, "{name}: {value}");
        assert_eq!(delivery.skipped.count(), 0, "{name}: {value}");
    }
}

#[test]
fn one_unusable_login_costs_only_itself() {
    let long = "x".repeat(600);
    let detail = json!({
        "checkId": "c",
        "usersFailing": ["a", "", long, null, true, [], {}, "b\u{7}", "b"],
        "loginDetails": [{ "login": "" }, { "login": long }, { "login": "c" }, { "details": [] }],
        "login": " ",
    });
    let delivery = delivery("FAILED_CHECK", &detail).unwrap();
    assert_eq!(users(&delivery), [("a", None), ("b", None), ("c", None)]);
    // What both lists have counts once: the empty one, the long one, the missing one.
    let why = "2 empty, 4 no text, 1 too long, 1 with control characters";
    assert_eq!((delivery.skipped.count(), delivery.skipped.to_string().as_str()), (8, why));
    assert!(!delivery.notes.join(" ").contains("xxx"));
}

#[test]
fn a_delivery_of_unusable_logins_alone_still_tells_of_its_check() {
    let all_bad = json!({ "checkId": "c", "usersFailing": ["", null] });
    let delivery = delivery("FAILED_CHECK", &all_bad).unwrap();
    assert_eq!((delivery.check.is_some(), users(&delivery).len()), (true, 0));
    assert_eq!(delivery.skipped.count(), 2);
}

#[test]
fn a_user_without_a_check_is_kept() {
    for detail in [json!({ "usersFailing": ["a"] }), json!({ "login": "a", "checkId": {} })] {
        let delivery = delivery("", &detail).unwrap();
        assert_eq!((delivery.kind, delivery.check.is_none()), (DeliveryKind::FailedCheck, true));
        assert_eq!(users(&delivery), [("a", None)]);
    }
}

#[test]
fn fields_decide_and_not_the_type() {
    let details = json!({ "userTitle": "Accountant" });
    let why = r#"[{"key":"userTitle","value":"Accountant"}]"#;
    let frameworks = json!(["MITRE ATT&CK"]);
    for detail_type in ["FAILED_CHECK", "", "DIRECT_MESSAGE"] {
        let direct = json!({
            "checkId": "c", "login": "a", "explainabilityDetails": details, "frameworks": frameworks,
        });
        let direct = delivery(detail_type, &direct).unwrap();
        assert_eq!(
            (direct.kind, users(&direct)),
            (DeliveryKind::FailedCheck, vec![("a", Some(why))])
        );
        let texts = AttributeValue::List(vec!["MITRE ATT&CK".to_owned()]);
        assert_eq!(direct.frameworks, Some(texts));
        let one =
            json!({ "checkId": "c", "usersFailing": ["a"], "explainabilityDetails": details });
        assert_eq!(users(&delivery(detail_type, &one).unwrap()), [("a", Some(why))]);
        let several =
            json!({ "checkId": "c", "usersFailing": ["a", "b"], "explainabilityDetails": details });
        let several = delivery(detail_type, &several).unwrap();
        assert_eq!(users(&several), [("a", None), ("b", None)]);
        assert_eq!((several.explanation.as_deref(), several.notes.len()), (Some(why), 1));
    }
    let odd = json!({ "checkId": "c", "frameworks": [{ "name": "x" }] });
    let odd = delivery("", &odd).unwrap().frameworks;
    assert_eq!(odd, Some(AttributeValue::Text(r#"[{"name":"x"}]"#.to_owned())));
}

#[test]
fn bytes_that_are_no_text_cost_only_themselves() {
    let marked = b"\xef\xbb\xbf{\"id\":\"d\",\"detail\":{\"checkId\":\"c\",\"title\":\"a\xffb\"}}";
    let delivery = parse(marked, received()).unwrap();
    assert_eq!(delivery.check.unwrap().definition.title, "a\u{fffd}b");
    let cut =
        br#"{"id":"d","detail":{"checkId":"c","title":"a\ud83d","usersFailing":["b\ud83d","c"]}}"#;
    let delivery = parse(cut, received()).unwrap();
    assert_eq!(users(&delivery), [("b\u{fffd}", None), ("c", None)]);
    assert_eq!(delivery.check.unwrap().definition.title, "a\u{fffd}");
    assert!(parse(b"\xff\xfe", received()).is_err());
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
