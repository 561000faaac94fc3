use serde_json::Value;

use super::*;
use crate::cii::fake::{Fake, Reply};

fn item(login: &str) -> Value {
    json!({ "id": "1", "displayName": "A", "login": login, "referenceUrl": "" })
}

fn page(items: &[Value], page_token: &Value) -> Reply {
    Reply::data(&json!({ ROOT: { "items": items, "pageToken": page_token } }))
}

async fn ask(fake: &Fake) -> Result<IpUsers, ApiError> {
    fake.client()
        .ip_users(&["::ffff:203.0.113.7".parse().unwrap()], 2)
        .await
        .remove(0)
        .map(|list| list.items)
}

#[tokio::test]
async fn all_pages_make_one_list() {
    for end in [Value::Null, json!("")] {
        let fake = Fake::api(vec![
            page(&[item("a"), item("b")], &json!("p2")),
            page(&[], &json!("p3")),
            page(&[item("b"), item("c")], &end),
        ])
        .await;
        let users = ask(&fake).await.unwrap();
        assert_eq!(users.keys().map(Login::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
        let user = IpUser { id: "1".into(), display_name: "A".into(), reference_url: None };
        assert!(users.values().all(|found| *found == user));
        let asked: Vec<_> =
            fake.queries_asked().iter().map(|asked| asked.body["variables"].clone()).collect();
        let mut expected = [Value::Null, json!("p2"), json!("p3")]
            .map(|token| json!({ "ipAddress": "203.0.113.7", "pageSize": 2, "pageToken": token }));
        expected[0].as_object_mut().unwrap().remove("pageToken");
        assert_eq!(asked, expected);
    }
}

#[tokio::test]
async fn page_tokens_that_go_round_are_an_error() {
    let pages = [json!("p2"), json!("p3"), json!("p2")].map(|token| page(&[item("a")], &token));
    let fake = Fake::api(pages.into()).await;
    assert!(matches!(ask(&fake).await, Err(ApiError::Malformed(_))));
    assert_eq!(fake.queries_asked().len(), 3);
}

#[tokio::test]
async fn an_error_in_any_page_fails_the_whole() {
    let partial = json!({
        "data": { ROOT: { "items": [item("b")] } },
        "errors": [{ "message": "one is missing", "path": [ROOT, "items", 1] }],
    });
    for (second, result) in [
        (Reply::json(200, &partial), "graphql_error"),
        (Reply::status(500), "server_error"),
        (page(&[item(" ")], &Value::Null), "malformed"),
        (page(&[json!({ "id": "1", "displayName": "A" })], &Value::Null), "malformed"),
        (Reply::data(&json!({ ROOT: { "pageToken": null } })), "malformed"),
        (Reply::data(&json!({ ROOT: null })), "malformed"),
    ] {
        let fake = Fake::api(vec![page(&[item("a")], &json!("p2")), second]).await;
        assert_eq!(ask(&fake).await.unwrap_err().result(), result);
    }
}
