use super::*;
use crate::cii::fake::{Fake, Reply};

#[tokio::test]
async fn the_newest_day_counts_whatever_the_order() {
    let days = json!([{ "day": "2026-01-09", "total": 7 }, { "day": "2026-01-10", "total": 9 },
        { "day": "2025-12-31", "total": 1 }]);
    let fake = Fake::api(vec![
        Reply::data(&json!({ "getTotalCheckFailingCounts": days })),
        Reply::data(&json!({ "getTotalCheckFailingCounts": [] })),
    ])
    .await;
    assert_eq!(fake.client().fetch_daily_failures().await, Ok(Some(9)));
    assert_eq!(fake.client().fetch_daily_failures().await, Ok(None));
}

#[tokio::test]
async fn a_day_that_cannot_be_read_costs_only_itself() {
    let days = json!([null, { "day": "2026-01-11" }, { "day": "2026-01-09", "total": "7" }, {}]);
    let fake = Fake::api(vec![Reply::data(&json!({ "getTotalCheckFailingCounts": days }))]).await;
    assert_eq!(fake.client().fetch_daily_failures().await, Ok(None));
    let days = json!([{ "day": "2026-01-09", "total": "7" }, { "total": 1 },
        { "day": "soon, I hope", "total": 3 }, { "day": "7", "total": 2 }]);
    let fake = Fake::api(vec![Reply::data(&json!({ "getTotalCheckFailingCounts": days }))]).await;
    assert_eq!(fake.client().fetch_daily_failures().await, Ok(Some(7)));
}

#[tokio::test]
async fn an_integration_keeps_what_is_plain() {
    let rows = json!([
        { "integrationId": "1", "integrationName": "Okta", "status": "PAUSED", "error": " ",
          "date": "2026-01-02T03:04:05Z" },
        { "integrationId": 2, "integrationName": null, "status": null, "date": "soon" },
        { "integrationName": "nobody", "status": "SUCCESS", "date": "2026-01-02T03:04:05Z" },
        null,
    ]);
    let fake = Fake::api(vec![Reply::data(&json!({ "getIntegrationsStatus": rows }))]).await;
    let list = fake.client().fetch_integrations().await.unwrap();
    assert_eq!((list.items.len(), list.skipped), (2, 2));
    assert_eq!((list.items[0].status.as_str(), &list.items[0].error), ("paused", &None));
    let odd = &list.items[1];
    assert_eq!((odd.id.as_str(), odd.name.as_str(), odd.date), ("2", "2", None));
}

#[tokio::test]
async fn an_integration_s_date_that_nulls_the_list_is_left_out() {
    let fake = Fake::computed(|asked| {
        if asked.body["query"].as_str().unwrap().contains("date") {
            let path = json!(["getIntegrationsStatus", 0, "date"]);
            let error = json!({ "path": path, "errorType": "Custom", "message": "no" });
            return Reply::json(200, &json!({ "data": null, "errors": [error] }));
        }
        Reply::data(&json!({ "getIntegrationsStatus": [{ "integrationId": "1" }] }))
    })
    .await;
    assert_eq!(fake.client().fetch_integrations().await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn an_administrator_s_row_that_cannot_be_read_is_skipped() {
    let rows = json!([{ "login": "a", "lastSignIn": null }, { "login": null }, null]);
    let error = json!({ "path": ["listAdminLogins", "items", 0, "lastSignIn"], "message": "no" });
    let body = json!({ "data": { "listAdminLogins": { "items": rows } }, "errors": [error] });
    let fake = Fake::api(vec![Reply::json(200, &body)]).await;
    let list = fake.client().fetch_admins().await.unwrap();
    assert_eq!((list.items.len(), list.skipped), (1, 2));
}

#[tokio::test]
async fn administrators_come_from_all_pages() {
    let page = |login: &str, next: Option<&str>| {
        let items = json!([{ "login": login, "displayName": null, "lastSignIn": null }]);
        Reply::data(&json!({ "listAdminLogins": { "items": items, "pageToken": next } }))
    };
    let fake = Fake::api(vec![page("a", Some("p2")), page("b", None)]).await;
    let admins = fake.client().fetch_admins().await.unwrap().items;
    assert_eq!(admins.iter().map(|a| a.login.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let pages = ["p", "q", "p"].map(|token| page("a", Some(token)));
    let fake = Fake::api(pages.into()).await;
    assert!(matches!(fake.client().fetch_admins().await, Err(ApiError::Malformed(_))));
}
