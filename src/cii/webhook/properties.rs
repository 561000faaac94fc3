//! Properties that hold for all bodies.

use proptest::{collection, prelude::*};
use serde_json::{Map, Value, json};

use super::*;

/// A mark in all texts of these bodies, which the code never writes itself.
const MARK: &str = "§";

const NAMES: [&str; 14] = [
    "id",
    "time",
    "account",
    "detail",
    "checkId",
    "title",
    "severity",
    "published",
    "description",
    "usersFailing",
    "loginDetails",
    "login",
    "details",
    "explainabilityDetails",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| format!("{MARK}{text}")),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(|text| Value::from(format!("{MARK}{text}"))),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::btree_map(name(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn detail_type() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("FAILED_CHECK")),
        Just(json!("WebhookTest")),
        Just(json!("NewThing")),
        Just(json!("")),
        value(),
    ]
}

fn detail() -> impl Strategy<Value = Value> {
    let check = collection::btree_map(name(), value(), 0..6).prop_map(|map| {
        let mut detail: Map<_, _> = map.into_iter().collect();
        detail.insert("checkId".to_owned(), json!("c"));
        Value::Object(detail)
    });
    prop_oneof![value(), check]
}

fn received() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

/// All texts of an error.
fn text(malformed: &Malformed) -> String {
    format!("{malformed} {malformed:?}")
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(body in collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&body, received());
    }

    #[test]
    fn no_json_is_too_odd_and_no_complaint_repeats_it(body in value()) {
        if let Err(malformed) = parse(body.to_string().as_bytes(), received()) {
            prop_assert!(!text(&malformed).contains(MARK));
        }
    }

    #[test]
    fn a_complaint_points_into_the_body(detail_type in detail_type(), detail in detail()) {
        let body = json!({ "id": "d", "detail-type": detail_type, "detail": detail });
        match parse(body.to_string().as_bytes(), received()) {
            Ok(delivery) => {
                let mut logins: Vec<_> = delivery.failing.iter().map(|user| &user.login).collect();
                logins.sort();
                logins.dedup();
                prop_assert_eq!(logins.len(), delivery.failing.len());
                prop_assert!(delivery.notes.len() <= 21);
            }
            Err(malformed) => {
                prop_assert!(!text(&malformed).contains(MARK));
                let pointer = malformed.pointer().unwrap();
                let missing = malformed.to_string().ends_with(": missing");
                let there = body.pointer(pointer).is_some_and(|value| !value.is_null());
                prop_assert_ne!(missing, there);
            }
        }
    }

    #[test]
    fn whatever_stands_beside_a_check_is_never_refused(detail in detail(), id in value()) {
        let mut detail = detail;
        if let Some(detail) = detail.as_object_mut() {
            detail.insert("checkId".to_owned(), json!("c"));
        } else {
            detail = json!({ "checkId": "c" });
        }
        let body = json!({ "id": id, "detail-type": "FAILED_CHECK", "detail": detail });
        let delivery = parse(body.to_string().as_bytes(), received()).unwrap();
        prop_assert!(delivery.check.is_some() && !delivery.id.is_empty());
    }

    #[test]
    fn a_test_message_is_never_malformed(detail in value()) {
        let body = json!({ "id": "d", "detail-type": "webhook_test", "detail": detail });
        let delivery = parse(body.to_string().as_bytes(), received()).unwrap();
        prop_assert_eq!(delivery.kind, DeliveryKind::Test);
    }
}
