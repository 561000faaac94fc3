//! What is written in another form than usual.

use super::*;

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
    let cut = format!("{}…", "x".repeat(253));
    for (value, expected) in [
        (json!("c"), Some("c")),
        (json!(7), Some("7")),
        (json!(["c"]), Some("c")),
        (json!(["c", "d"]), None),
        (json!({ "en": "c" }), None),
        (json!("x".repeat(257)), Some(cut.as_str())),
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
    assert_eq!((definition.title.len(), notes.len()), (1024, 1));
    assert!(definition.title.ends_with("x…"));
    let (definition, notes) = detail("description", &json!("x".repeat(5000)));
    assert_eq!((definition.description[0].len(), notes.len()), (4096, 1));
    let (definition, notes) = detail("description", &json!(vec!["x"; 1000]));
    assert_eq!((definition.description.len(), notes.len()), (100, 1));
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
    let detail = json!({ "checkId": "c", "title": "C", "published": 1_764_072_000 });
    let definition = delivery("FAILED_CHECK", &detail).unwrap().check.unwrap().definition;
    assert_eq!(definition.told.title, Some(at("2025-11-25T12:00:00Z")));
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
    assert_eq!((delivery.source.as_deref(), delivery.tenant_id()), (Some("t__1"), None));
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
        (
            "usersFailing",
            json!({ "0": "a@x.y", "1": "b@x.y" }),
            vec![("a@x.y", None), ("b@x.y", None)],
        ),
        ("usersFailing", json!({ "items": ["a@x.y", "b"] }), vec![("a@x.y", None), ("b", None)]),
        ("usersFailing", json!([["a@x.y"], "b"]), vec![("a@x.y", None), ("b", None)]),
        ("usersFailing", json!("a@x.y\nb;c"), vec![("a@x.y", None), ("b", None), ("c", None)]),
        ("usersFailing", json!("cn=a,mail=b@x.y"), vec![("cn=a,mail=b@x.y", None)]),
        ("usersFailing", json!(["a@x.y, b@x.y"]), vec![("a@x.y", None), ("b@x.y", None)]),
        ("usersFailing", json!([{ "email": "a@x.y" }]), vec![("a@x.y", None)]),
        ("usersFailing", json!([{ "login": { "value": "a" } }]), vec![("a", None)]),
        ("loginDetails", json!([{ "a@x.y": pairs }]), vec![("a@x.y", Some(pair))]),
        (
            "loginDetails",
            json!({ "0": { "login": "a", "details": pairs } }),
            vec![("a", Some(pair))],
        ),
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
fn entries_of_another_form_are_noted() {
    for entry in [json!(["a@x.y"]), json!("a@x.y, b@x.y"), json!({ "email": "a@x.y" })] {
        let detail = json!({ "checkId": "c", "usersFailing": [entry, "c"] });
        let notes = delivery("", &detail).unwrap().notes;
        assert_eq!(notes, ["detail.usersFailing: entries of another form, read as logins: 1"]);
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
    for (body, hint) in
        [(&b"\xff\xfe{\0"[..], "UTF-16"), (b"{\0}\0", "UTF-16"), (b"\x1f\x8b\x08", "gzip")]
    {
        assert!(parse(body, received()).unwrap_err().to_string().contains(hint));
    }
    let odd = br#"{"account":007,"detail":{"checkId":"c","severity":NaN,"usersFailing":["a"]}}"#;
    let delivery = parse(odd, received()).unwrap();
    assert_eq!((users(&delivery), delivery.account.as_deref()), (vec![("a", None)], Some("007")));
}
