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
        .fetch_ip_users(&["::ffff:203.0.113.7".parse().unwrap()], 2)
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
        let user =
            IpUser { id: "1".into(), display_name: "A".into(), reference_url: None, since: None };
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
        "errors": [{ "message": "one is missing", "path": [ROOT, "items"] }],
    });
    for (second, result) in [
        (Reply::json(200, &partial), "graphql_error"),
        (Reply::status(500), "server_error"),
        (Reply::data(&json!({ ROOT: { "pageToken": null } })), "malformed"),
        (Reply::data(&json!({ ROOT: null })), "malformed"),
    ] {
        let fake = Fake::api(vec![page(&[item("a")], &json!("p2")), second]).await;
        assert_eq!(ask(&fake).await.unwrap_err().result_label(), result);
    }
}

#[tokio::test]
async fn one_bad_row_costs_only_itself() {
    let odd = json!({ "login": "c", "displayName": null, "referenceURL": "https://x.example/c" });
    let partial = json!({
        "data": { ROOT: { "items": [item("a"), null, item(" "), odd, { "id": "1" }] } },
        "errors": [
            { "message": "x", "path": [ROOT, "items", 0, "referenceUrl"] },
            { "message": "x", "path": [ROOT, "items", 9] },
        ],
    });
    let fake = Fake::api(vec![Reply::json(200, &partial)]).await;
    let ip = "203.0.113.7".parse().unwrap();
    let list = fake.client().fetch_ip_users(&[ip], 2).await.remove(0).unwrap();
    assert_eq!(list.items.keys().map(Login::as_str).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(list.skipped, 4);
    let odd = list.items.values().next_back().unwrap();
    assert_eq!((odd.id.as_str(), odd.display_name.as_str()), ("", "c"));
    assert_eq!(odd.reference_url.as_deref(), Some("https://x.example/c"));
}

#[tokio::test]
async fn a_leaf_that_nulls_the_list_is_left_out_on_any_page() {
    let fake = Fake::computed(|asked| {
        if asked.body["query"].as_str().unwrap().contains("displayName") {
            let path = json!([ROOT, "items", 1, "displayName"]);
            let error = json!({ "path": path, "errorType": "Custom", "message": "no" });
            return Reply::json(200, &json!({ "data": null, "errors": [error] }));
        }
        let is_first = asked.body["variables"]["pageToken"].is_null();
        page(&[item(if is_first { "a" } else { "b" })], &json!(is_first.then_some("p2")))
    })
    .await;
    assert_eq!(ask(&fake).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_users_of_all_pages_are_bounded_together() {
    let fake = Fake::computed(|asked| {
        let next = asked.body["variables"]["pageToken"].as_str().map_or(0, |t| t.parse().unwrap());
        page(&[item(&format!("u{next}"))], &json!((next + 1).to_string()))
    })
    .await;
    let config = crate::config::ApiConfig { max_answer_items: 7, ..fake.config() };
    let client = Client::new(&config, fake.meters.clone()).unwrap();
    let ip = "203.0.113.7".parse().unwrap();
    let error = client.fetch_ip_users(&[ip], 2).await.remove(0).unwrap_err();
    assert!(error.to_string().contains("api.max_answer_items"), "{error}");
    assert_eq!(fake.queries_asked().len(), 8);
}

#[tokio::test]
async fn an_address_is_not_found_narrowly() {
    for (error_type, message, expected) in [
        ("NotFound", "", true),
        ("Lambda:Unhandled", "IP address 203.0.113.7 not found", true),
        ("Lambda:Unhandled", "getaddrinfo ENOTFOUND x", false),
        ("ResourceNotFoundException", "Requested resource not found", false),
    ] {
        let error = json!({ "path": [ROOT], "errorType": error_type, "message": message });
        let fake =
            Fake::api(vec![Reply::json(200, &json!({ "data": null, "errors": [error] }))]).await;
        assert_eq!(ask(&fake).await.unwrap_err().is_not_found(), expected, "{error_type}");
    }
}

/// By the rules of GraphQL, a login that cannot be returned nulls the page.
#[tokio::test]
async fn a_user_whose_login_nulls_the_page_is_skipped_and_the_others_count() {
    let fake = Fake::computed(|asked| {
        let (query, variables) = (asked.body["query"].as_str().unwrap(), &asked.body["variables"]);
        let from = variables["pageToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let size = usize::try_from(variables["pageSize"].as_u64().unwrap()).unwrap();
        let rows: Vec<usize> = (0..5).skip(from).take(size).collect();
        if let Some(bad) =
            rows.iter().position(|row| *row == 2).filter(|_| query.contains("login\n"))
        {
            let error = json!({ "path": [ROOT, "items", bad, "login"], "message": "no" });
            return Reply::json(200, &json!({ "data": null, "errors": [error] }));
        }
        let items: Vec<_> = rows
            .iter()
            .map(|row| if *row == 2 { json!({}) } else { item(&row.to_string()) })
            .collect();
        let next = from + rows.len();
        let token = (next < 5).then(|| next.to_string());
        Reply::data(&json!({ ROOT: { "items": items, "pageToken": token } }))
    })
    .await;
    let list =
        fake.client().fetch_ip_users(&["203.0.113.7".parse().unwrap()], 4).await.remove(0).unwrap();
    let logins: Vec<_> = list.items.keys().map(Login::as_str).collect();
    assert_eq!((logins, list.skipped), (vec!["0", "1", "3", "4"], 1));
}
