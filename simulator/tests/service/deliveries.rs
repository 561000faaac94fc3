//! Deliveries as odd senders make them.

use std::{
    io::Read as _,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use cii_simulator::{Fault, Kind, Options, webhook::Target};
use serde_json::{Value, json};

use crate::caller::Caller;

type Received = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

async fn receive(State(received): State<Received>, headers: HeaderMap, body: Bytes) -> StatusCode {
    received.lock().unwrap().push((headers, body.to_vec()));
    StatusCode::OK
}

/// What a target receives when these users newly fail `no-mfa` under these faults.
async fn delivered(kinds: Vec<Kind>, logins: &[&str]) -> Vec<(HeaderMap, Vec<u8>)> {
    let received = Received::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(receive)).with_state(received.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let caller = Caller::new(Options::default()).await;
    caller.simulator.add_webhook_target(Target {
        url,
        header: "x-api-client-token".to_owned(),
        secret: "s".to_owned(),
        check_ids: Vec::new(),
    });
    for kind in kinds {
        caller.simulator.faults().add(Fault::webhook(kind));
    }
    caller.simulator.tenant(|tenant| {
        for login in logins {
            tenant.set_failing(login, "no-mfa", false);
            tenant.set_failing(login, "no-mfa", true);
        }
    });
    caller.simulator.deliver().await;
    serving.abort();
    received.lock().unwrap().clone()
}

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

const ALICE: &str = "alice@example.com";

#[tokio::test]
async fn direct_messages_are_about_one_user_each() {
    let received = delivered(vec![Kind::DirectMessages], &[ALICE, "hrms.serviceuser"]).await;
    assert_eq!(received.len(), 2);
    for ((_, body), login) in received.iter().zip([ALICE, "hrms.serviceuser"]) {
        let envelope = json_of(body);
        assert_eq!(
            (&envelope["detail-type"], &envelope["detail"]["login"]),
            (&json!("FAILED_CHECK"), &json!(login))
        );
        assert!(envelope["detail"].get("usersFailing").is_none());
        assert_eq!(envelope["detail"]["explainabilityDetails"][0]["key"], "userTitle");
        assert!(envelope["detail"]["frameworks"].is_array());
    }
    assert_ne!(json_of(&received[0].1)["id"], json_of(&received[1].1)["id"]);
}

#[tokio::test]
async fn fields_are_odd_on_demand() {
    let kinds = vec![Kind::OddSideFields, Kind::UsersAsText, Kind::NoEnvelopeId];
    let envelope = json_of(&delivered(kinds, &[ALICE]).await[0].1);
    assert!(envelope.get("id").is_none());
    assert!(envelope["account"].is_u64() && envelope["region"].is_array());
    let detail = &envelope["detail"];
    assert_eq!((&detail["severity"], &detail["usersFailing"]), (&json!(3), &json!(ALICE)));
    assert!(detail["published"].is_i64() && detail["title"].is_object());
    assert!(detail["description"].is_string());
    let kinds = vec![Kind::AlsoNames(json!("")), Kind::AlsoNames(json!(7))];
    let envelope = json_of(&delivered(kinds, &[ALICE]).await[0].1);
    assert_eq!(envelope["detail"]["usersFailing"], json!([ALICE, "", 7]));
}

#[tokio::test]
async fn a_body_is_marked_and_compressed_on_demand() {
    let received = delivered(vec![Kind::ByteOrderMark, Kind::Gzip], &[ALICE]).await;
    let (headers, body) = &received[0];
    assert_eq!(headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    assert!(text.starts_with("\u{feff}{"), "{text}");
}
