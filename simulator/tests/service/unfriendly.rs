//! The simulator that is unfriendly by seed.

use cii_simulator::{Fault, Options, Simulator};
use serde_json::{Value, json};

#[tokio::test]
async fn a_seed_sets_the_same_faults_and_they_can_be_told_over_http() {
    let start = async |seed| {
        let options = Options { unfriendly: Some(seed), ..Options::default() };
        Simulator::start(options).await.unwrap()
    };
    let (one, same, other) = (start(3).await, start(3).await, start(4).await);
    assert_eq!(one.faults().list(), same.faults().list());
    assert_ne!(one.faults().list(), other.faults().list());

    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", one.control_url());
    assert_eq!(http.delete(url("/faults")).send().await.unwrap().status(), 204);
    let fault = json!({
        "endpoint": "graphql", "operation": "listEndUsers", "times": 2,
        "kind": { "odd_row": [3, { "set": ["providers", null] }] },
    });
    let added = http.post(url("/faults")).json(&fault).send().await.unwrap();
    assert_eq!(added.status(), 204);
    let state: Value = http.get(url("/state")).send().await.unwrap().json().await.unwrap();
    let told: Vec<Fault> = serde_json::from_value(state["faults"].clone()).unwrap();
    assert_eq!(told, one.faults().list());
}

#[tokio::test]
async fn checks_and_failures_change_over_http() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let http = reqwest::Client::new();
    let send = async |path: &str, body: Value| {
        let url = format!("{}{path}", simulator.control_url());
        http.post(url).json(&body).send().await.unwrap().status().as_u16()
    };
    let failing = |failing: bool| json!({ "login": "alice@example.com", "check_id": "no-mfa", "failing": failing });
    assert_eq!(send("/failing", failing(true)).await, 204);
    assert!(
        simulator
            .tenant(|tenant| tenant.failures()["alice@example.com"].contains(&"no-mfa".to_owned()))
    );
    assert_eq!(send("/checks", json!({ "id": "no-mfa", "title": "New" })).await, 204);
    assert_eq!(simulator.tenant(|tenant| tenant.check("no-mfa").unwrap().title.clone()), "New");
    assert_eq!(send("/checks", json!({ "id": "none" })).await, 404);
}

#[tokio::test]
async fn the_faults_that_the_program_s_help_shows_are_those_that_it_takes() {
    let shown = [
        json!({ "status": [503, 1] }),
        json!({ "error": {
            "error_type": "Lambda:Unhandled", "message": "Task timed out after 30.00 seconds",
            "path": ["items", 3], "leaves": "null", "strict": true,
        } }),
        json!({ "unknown_login": ["Lambda:Unhandled", "User not found"] }),
        json!({ "set": ["status", "STAGED_2"] }),
        json!({ "odd_row": [3, "null"] }),
        json!({ "extra_row": [0, "empty_login"] }),
        json!({ "page_circle": 2 }),
        json!("null_for_empty"),
        json!({ "json_only": 415 }),
        json!({ "expires_in": 0 }),
        json!({ "also_names": "" }),
    ];
    for kind in shown {
        let fault = json!({ "endpoint": "graphql", "kind": kind });
        assert!(serde_json::from_value::<Fault>(fault).is_ok(), "{kind}");
    }
}
