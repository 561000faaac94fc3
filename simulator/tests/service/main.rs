//! The simulated service as its callers see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where by its panic")]

mod caller;
mod deliveries;
mod errors;
mod lists;
mod texts;
mod token;
mod unfriendly;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use cii_simulator::{
    DeliveryPolicy, Fault, Kind, Options,
    tenant::{IpAddress, User},
    webhook::Target,
};
use serde_json::{Value, json};

use caller::{Caller, grant};

const STATE: &str = "query($login: String!) { getEndUserState(login: $login) { login status } }";

#[tokio::test]
async fn what_the_schema_does_not_know_is_refused() {
    let caller = Caller::new(Options::default()).await;
    for (query, variables) in [
        ("{ getEndUserState(login: \"a\") { secret } }", json!({})),
        ("{ noSuchField }", json!({})),
        ("{ getEndUserState { login } }", json!({})),
        (STATE, json!({ "login": 7 })),
        (STATE, json!({})),
        ("{ ping", json!({})),
    ] {
        let (status, answer) = caller.ask(query, variables).await;
        assert_eq!(status, 200, "{query}");
        assert_eq!(answer["data"], Value::Null, "{query}: {answer}");
        assert_eq!(answer["errors"][0]["errorType"], "ValidationError", "{query}: {answer}");
    }
    let answer = caller
        .http
        .post(caller.simulator.graphql_url())
        .bearer_auth(&caller.token)
        .body("no JSON")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn a_failing_alias_nulls_all_data_and_names_itself() {
    let caller = Caller::new(Options::default()).await;
    let login = caller.simulator.tenant(|tenant| tenant.logins()[0].clone());
    let query = "query($a: String!, $b: String!) {
        u0: getEndUserState(login: $a) { status }
        u1: getEndUserState(login: $b) { status }
    }";
    let (_, answer) = caller.ask(query, json!({ "a": login, "b": "nobody" })).await;
    assert_eq!(answer["data"], Value::Null);
    assert_eq!(answer["errors"][0]["path"], json!(["u1"]));
    assert_eq!(answer["errors"][0]["errorType"], "NotFound");
    let (_, answer) = caller.ask(query, json!({ "a": login, "b": login })).await;
    assert!(answer["data"]["u1"]["status"].is_string(), "{answer}");
    assert_eq!(caller.simulator.requests().count("getEndUserState"), 4);
}

#[tokio::test]
async fn tokens_are_wanted_granted_and_revoked() {
    let caller = Caller::new(Options::default()).await;
    assert_eq!(grant(&caller.http, &caller.simulator, "wrong").await.0, 401);
    assert_eq!(caller.ask("{ ping }", json!({})).await.1["data"]["ping"], true);
    caller.simulator.revoke_tokens();
    let (status, answer) = caller.ask("{ ping }", json!({})).await;
    assert_eq!(status, 401);
    assert_eq!(answer["errors"][0]["errorType"], "UnauthorizedException");
    let brief = Options { token_lifetime: Duration::ZERO, ..Options::default() };
    assert_eq!(Caller::new(brief).await.ask("{ ping }", json!({})).await.0, 401);
}

#[tokio::test]
async fn pages_follow_each_other_to_the_last() {
    let caller = Caller::new(Options { users: 5, ..Options::default() }).await;
    caller.simulator.tenant(|tenant| {
        for number in 0..120 {
            let mut user = User::new(&format!("u{number}@example.com"), "U");
            user.ip_addresses = vec![IpAddress::new("192.0.2.200")];
            tenant.add_user(user);
        }
    });
    let query = "query($size: Int, $token: String) {
        getEndUsersByIp(ipAddress: \"192.0.2.200\", pageSize: $size, pageToken: $token) {
            items { login } pageToken
        }
    }";
    let (mut token, mut sizes) = (Value::Null, Vec::new());
    loop {
        let (_, answer) = caller.ask(query, json!({ "token": token })).await;
        let page = &answer["data"]["getEndUsersByIp"];
        sizes.push(page["items"].as_array().unwrap().len());
        token = page["pageToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(sizes, [50, 50, 20]);
    for variables in [json!({ "size": 1001 }), json!({ "size": 0 }), json!({ "token": "x" })] {
        let (_, answer) = caller.ask(query, variables).await;
        assert_eq!(answer["errors"][0]["errorType"], "BadRequest", "{answer}");
    }
}

#[tokio::test]
async fn faults_strike_as_often_as_asked() {
    let caller = Caller::new(Options::default()).await;
    let faults = caller.simulator.faults();
    faults.add(Fault::graphql(Kind::Status(429, Some(7))).times(2));
    assert_eq!(caller.ask("{ ping }", json!({})).await.0, 429);
    assert_eq!(caller.ask("{ ping }", json!({})).await.0, 429);
    assert_eq!(caller.ask("{ ping }", json!({})).await.0, 200);
    faults.add(Fault::graphql(Kind::FieldError("status".to_owned())).about("alice@example.com"));
    faults.add(Fault::graphql(Kind::Status(500, None)).of("getIntegrationsStatus"));
    assert_eq!(caller.ask("{ getIntegrationsStatus { status } }", json!({})).await.0, 500);
    assert_eq!(caller.ask("{ ping }", json!({})).await.0, 200);
    faults.clear();
    faults.add(Fault::graphql(Kind::Cut));
    let request =
        caller.http.post(caller.simulator.graphql_url()).bearer_auth(&caller.token).json(&json!({
            "query": "{ ping }"
        }));
    let is_cut = match request.send().await {
        Ok(answer) => answer.text().await.is_err(),
        Err(error) => !error.is_timeout(),
    };
    assert!(is_cut);
}

type Received = Arc<Mutex<Vec<Value>>>;

async fn receive(State(received): State<Received>, Json(body): Json<Value>) -> StatusCode {
    let mut received = received.lock().unwrap();
    received.push(body);
    // The first delivery is not taken, so that it is sent again.
    if received.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

#[tokio::test]
async fn who_newly_fails_is_sent_until_taken_and_only_to_who_wants_it() {
    let received = Received::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(receive)).with_state(received.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });

    let delivery =
        DeliveryPolicy { backoff: Duration::from_millis(1), ..DeliveryPolicy::default() };
    let caller = Caller::new(Options { delivery, ..Options::default() }).await;
    let target = |check_ids: &[&str]| Target {
        url: url.clone(),
        header: "x-api-client-token".to_owned(),
        secret: "s".to_owned(),
        check_ids: check_ids.iter().map(|&id| id.to_owned()).collect(),
    };
    caller.simulator.add_webhook_target(target(&["no-mfa"]));
    caller.simulator.add_webhook_target(target(&["something-else"]));
    let login = caller.simulator.tenant(|tenant| {
        let login = tenant.logins()[0].clone();
        tenant.set_failing(&login, "no-mfa", false);
        tenant.set_failing(&login, "no-mfa", true);
        login
    });
    let outcomes = caller.simulator.deliver().await;
    assert_eq!((outcomes.len(), outcomes[0].status, outcomes[0].attempts), (1, Some(200), 2));
    let received = received.lock().unwrap();
    assert_eq!(received[0], received[1], "the repeat is the same delivery");
    assert_eq!(received[0]["detail-type"], "FAILED_CHECK");
    assert_eq!(received[0]["detail"]["usersFailing"], json!([login]));
    for field in ["id", "source", "account", "time", "region", "version"] {
        assert!(received[0][field].is_string(), "{field}");
    }
    serving.abort();
}

#[tokio::test]
async fn a_webhook_is_registered_with_a_test_message_and_unregistered_once() {
    let caller = Caller::new(Options {
        delivery: DeliveryPolicy { attempts: 1, ..DeliveryPolicy::default() },
        ..Options::default()
    })
    .await;
    let register = "mutation($input: RegisterWebhookWithApiKey!) {
        registerWebhookWithApiKey(input: $input)
    }";
    let input = json!({
        "name": "exporter",
        "endpoint": "http://127.0.0.1:9/",
        "apiKeyName": "x-api-client-token",
        "apiKey": "s",
        "checkIds": [],
    });
    let (_, answer) = caller.ask(register, json!({ "input": input })).await;
    let id = answer["data"]["registerWebhookWithApiKey"].clone();
    assert!(id.is_string(), "{answer}");
    let unregister = "mutation($id: ID!) { unregisterWebhook(id: $id) }";
    for expected in [true, false] {
        let (_, answer) = caller.ask(unregister, json!({ "id": id })).await;
        assert_eq!(answer["data"]["unregisterWebhook"], expected, "{answer}");
    }
}
