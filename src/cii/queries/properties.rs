//! Properties that hold for all answers.

use proptest::{collection, prelude::*};
use serde_json::{Map, Value, json};

use crate::{
    cii::{
        Client,
        fake::{Fake, Reply},
    },
    domain::Login,
};

const NAMES: [&str; 16] = [
    "items",
    "pageToken",
    "login",
    "displayName",
    "providers",
    "devices",
    "deviceId",
    "lastSignIn",
    "timestamp",
    "failingChecks",
    "endUserDetails",
    "ipAddresses",
    "ipAddress",
    "location",
    "workingLocationDetails",
    "employeeId",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    let name = proptest::sample::select(&NAMES[..]).prop_map(str::to_owned);
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Errors with any path, including ones that the answer lacks.
fn errors(root: &'static str) -> impl Strategy<Value = Value> {
    let step = prop_oneof![
        proptest::sample::select(&NAMES[..]).prop_map(Value::from),
        (0_u64..3).prop_map(Value::from),
        Just(Value::Null),
    ];
    let path = collection::vec(step, 0..5)
        .prop_map(move |below| std::iter::once(Value::from(root)).chain(below).collect::<Vec<_>>());
    let error = (path, proptest::sample::select(&["NotFound", "Unauthorized", "Custom", ""][..]))
        .prop_map(|(path, name)| json!({ "path": path, "errorType": name, "message": 7 }));
    prop_oneof![collection::vec(error, 0..4).prop_map(Value::from), value()]
}

const OPERATIONS: [&str; 6] = [
    "getEndUser",
    "getEndUserState",
    "getEndUsersByIp",
    "getIntegrationsStatus",
    "listAdminLogins",
    "listEndUsers",
];

/// Sends all queries of the root field.
async fn ask_all(client: &Client, operation: &str) {
    let (login, ip) = (Login::new("a@example.com").unwrap(), "203.0.113.7".parse().unwrap());
    match operation {
        "getEndUser" => {
            assert_eq!(client.fetch_failing_checks(std::slice::from_ref(&login)).await.len(), 1);
            let _ = client.fetch_failing_checks_card(&login).await;
        }
        "getEndUserState" => {
            assert_eq!(client.fetch_user_states(std::slice::from_ref(&login)).await.len(), 1);
            let _ = client.fetch_user_card(&login).await;
        }
        "getEndUsersByIp" => {
            assert_eq!(client.fetch_ip_users(&[ip], 8).await.len(), 1);
            let _ = client.fetch_ip_card(ip, 8).await;
        }
        "getIntegrationsStatus" => drop(client.fetch_integrations().await),
        "listAdminLogins" => drop(client.fetch_admins().await),
        _ => drop(client.fetch_end_users(8, None).await),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_answer_is_too_odd(
        answers in collection::vec(
            proptest::sample::select(&OPERATIONS[..])
                .prop_flat_map(|root| (Just(root), value(), errors(root))),
            1..4,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (root, data, errors) in answers {
                let body = json!({ "data": { root: data }, "errors": errors });
                let fake = Fake::api(vec![Reply::json(200, &body)]).await;
                ask_all(&fake.client(), root).await;
                // All lists end, because fields and pages are finite.
                assert!(fake.queries_asked().len() < 64, "{}", fake.queries_asked().len());
            }
        });
    }
}
