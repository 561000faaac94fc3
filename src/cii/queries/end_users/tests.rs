use std::collections::BTreeMap;

use super::*;
use crate::cii::fake::{Asked, Fake, Reply};

const ROOT: &str = "listEndUsers";

fn page(items: &Value, errors: &Value) -> Reply {
    let data = json!({ ROOT: { "items": items, "pageToken": "" } });
    Reply::json(200, &json!({ "data": data, "errors": errors }))
}

async fn ask(reply: Reply) -> Result<EndUsersPage, ApiError> {
    Fake::api(vec![reply]).await.client().fetch_end_users(10, None).await
}

fn error(path: &Value) -> Value {
    json!({ "path": path, "errorType": "Custom", "message": "no" })
}

fn logins(page: &EndUsersPage) -> Vec<&str> {
    page.users.iter().map(|user| user.login.as_str()).collect()
}

#[tokio::test]
async fn a_user_is_counted_by_what_is_known() {
    let items = json!([{
        "login": "a@example.com",
        "status": "LOCKED_OUT",
        "userTypeClassification": null,
        "providers": ["OKTA", "SNOWFLAKE", "JAMF"],
        "mfaEnabled": false,
        "lastActive": null,
        "lastSignIn": { "timestamp": "2026-01-02T03:04:05.123+01:00" },
        "firstCreatedDate": "2020-01-01T00:00:00Z",
        "failingChecks": ["No MFA"],
        "devices": [{ "deviceId": "1", "displayName": "Phone", "deviceType": "WEARABLE" }],
        "endUserTrustScore": { "levelOfTrust": "SHAKY" },
    }]);
    let page = ask(page(&items, &json!([]))).await.unwrap();
    let EndUser { facts, failing, .. } = &page.users[0];
    assert_eq!((page.next, page.skipped), (None, 0));
    assert_eq!(facts.status.as_deref(), Some("locked_out"));
    assert_eq!(facts.last_active, Some("2026-01-02T02:04:05.123Z".parse().unwrap()));
    // Values that the published schema lacks are kept.
    assert_eq!(facts.providers, ["okta", "snowflake", "jamf"].map(str::to_owned).into());
    assert_eq!(facts.devices[0].kind.as_deref(), Some("wearable"));
    assert_eq!(facts.level_of_trust.as_deref(), Some("shaky"));
    assert_eq!(*failing, ListAnswer::Given(["No MFA".to_owned()].into()));
}

#[tokio::test]
async fn one_bad_row_costs_only_itself() {
    let items = json!([
        { "login": "a@example.com", "lastSignIn": null, "providers": ["OKTA"] },
        { "login": "", "providers": [] },
        { "login": "x".repeat(600), "providers": [] },
        { "login": "b@example.com", "providers": null },
        null,
        { "login": "tab\u{7}", "providers": [] },
        { "providers": [] },
        "odd",
        { "login": "c@example.com", "providers": "OKTA", "mfaEnabled": "yes", "status": 7,
          "lastActive": "yesterday", "devices": [null, 3, { "deviceId": 4 }, {}],
          "endUserTrustScore": "LOW", "lastSignIn": 1 },
    ]);
    let errors = json!([error(&json!([ROOT, "items", 0, "lastSignIn"]))]);
    let page = ask(page(&items, &errors)).await.unwrap();
    assert_eq!(logins(&page), ["a@example.com", "b@example.com", "c@example.com"]);
    assert_eq!(page.skipped, 6);
    let facts = &page.users[2].facts;
    assert_eq!((facts.mfa, facts.status.as_deref(), facts.last_active), (None, Some("7"), None));
    assert_eq!((facts.providers.len(), facts.devices.len()), (0, 1));
    assert_eq!(facts.level_of_trust, None);
}

#[tokio::test]
async fn failing_checks_are_told_only_by_a_whole_list() {
    let items = json!([
        { "login": "told", "failingChecks": [] },
        { "login": "null", "failingChecks": null },
        { "login": "missing" },
        { "login": "refused", "failingChecks": null },
        { "login": "empty-and-refused", "failingChecks": [] },
        { "login": "hole", "failingChecks": ["a", null] },
        { "login": "text", "failingChecks": "a" },
    ]);
    let errors = json!([
        error(&json!([ROOT, "items", 3, "failingChecks"])),
        error(&json!([ROOT, "items", 4, "failingChecks", 0])),
    ]);
    let page = ask(page(&items, &errors)).await.unwrap();
    let told: BTreeMap<_, _> =
        page.users.iter().map(|user| (user.login.as_str(), user.failing.clone())).collect();
    for (login, expected) in [
        ("told", ListAnswer::Given(BTreeSet::new())),
        ("null", ListAnswer::Null),
        ("missing", ListAnswer::Missing),
        ("refused", ListAnswer::Missing),
        ("empty-and-refused", ListAnswer::Missing),
        ("hole", ListAnswer::Missing),
        ("text", ListAnswer::Missing),
    ] {
        assert_eq!(told[login], expected, "{login}");
    }
}

#[tokio::test]
async fn an_error_about_the_whole_fails_the_page() {
    for path in [json!(null), json!([ROOT]), json!([ROOT, "items"]), json!([ROOT, "pageToken"])] {
        let reply = page(&json!([{ "login": "a" }]), &json!([error(&path)]));
        assert!(matches!(ask(reply).await, Err(ApiError::Graphql(_))), "{path}");
    }
    for data in [json!({ ROOT: { "items": null } }), json!({ ROOT: 7 }), json!({ ROOT: {} })] {
        assert!(matches!(ask(Reply::data(&data)).await, Err(ApiError::Malformed(_))), "{data}");
    }
}

/// A service by GraphQL's rule: an error on a non-null leaf nulls everything.
fn strict(bad_leaf: &'static str) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        let query = asked.body["query"].as_str().unwrap();
        let size = asked.body["variables"]["pageSize"].as_u64().unwrap();
        let row = if size > 3 { 3 } else { 0 };
        let is_asked = query.contains(&format!("    {bad_leaf}\n"));
        let is_reached = asked.body["variables"]["pageToken"] == "t3" || size > 3;
        if is_asked && is_reached {
            let error = error(&json!([ROOT, "items", row, bad_leaf]));
            return Reply::json(200, &json!({ "data": null, "errors": [error] }));
        }
        let items = json!([{ "login": "a" }, { "login": "b" }]);
        Reply::data(&json!({ ROOT: { "items": items, "pageToken": "t3" } }))
    }
}

#[tokio::test]
async fn a_leaf_that_nulls_the_page_is_left_out() {
    let fake = Fake::computed(strict("providers")).await;
    let page = fake.client().fetch_end_users(500, None).await.unwrap();
    assert_eq!(logins(&page), ["a", "b"]);
    assert_eq!(fake.queries_asked().len(), 2);
}

#[tokio::test]
async fn a_row_that_nulls_the_page_leaves_those_before_it() {
    let fake = Fake::computed(strict("login")).await;
    let client = fake.client();
    let page = client.fetch_end_users(8, None).await.unwrap();
    assert_eq!((logins(&page), page.next.as_deref()), (vec!["a", "b"], Some("t3")));
}

#[tokio::test]
async fn a_row_that_nulls_the_page_alone_is_skipped_and_the_listing_goes_on() {
    let fake = Fake::computed(|asked| {
        // A null row nulls the page even when no field of it is requested.
        if asked.body["query"].as_str().unwrap().contains("items") {
            let error = error(&json!([ROOT, "items", 0]));
            return Reply::json(200, &json!({ "data": null, "errors": [error] }));
        }
        Reply::data(&json!({ ROOT: { "pageToken": "t4" } }))
    })
    .await;
    let page = fake.client().fetch_end_users(8, Some("t3")).await.unwrap();
    assert_eq!((page.users.len(), page.skipped, page.next.as_deref()), (0, 1, Some("t4")));
    // 8, 4, 2, 1, and the token alone.
    assert_eq!(fake.queries_asked().len(), 5);
}

#[tokio::test]
async fn no_row_is_skipped_beside_others_that_were_not_asked_for() {
    let error = error(&json!([ROOT, "items", 3, "login"]));
    let refusal = Reply::json(200, &json!({ "data": null, "errors": [error] }));
    let fake = Fake::computed(move |_| refusal.clone()).await;
    assert!(fake.client().fetch_end_users(2, None).await.is_err());
    assert_eq!(fake.queries_asked().len(), 2);
}

#[tokio::test]
async fn a_row_that_cannot_be_told_at_all_ends_the_listing_with_its_reason() {
    let error = error(&json!([ROOT, "items", 0]));
    let refusal = Reply::json(200, &json!({ "data": null, "errors": [error] }));
    let fake = Fake::computed(move |_| refusal.clone()).await;
    let error = fake.client().fetch_end_users(2, Some("t3")).await.unwrap_err();
    assert!(error.to_string().contains("listEndUsers.items[0]"), "{error}");
    assert_eq!(fake.queries_asked().len(), 3);
}

/// A listing of rows `a` to `z`, in which the row `m` holds a value that cannot
/// be read, unless only logins are requested.
fn with_bad_value(asked: &Asked) -> Reply {
    let variables = &asked.body["variables"];
    let from = variables["pageToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let size = usize::try_from(variables["pageSize"].as_u64().unwrap()).unwrap();
    let logins: Vec<_> = ('a'..='z').skip(from).take(size).collect();
    let next = from + logins.len();
    if logins.contains(&'m') && asked.body["query"].as_str().unwrap().contains("status") {
        let body = r#"{"data":{"listEndUsers":{"items":[{"login":"m","lastActive":1e999}]}}}"#;
        return Reply::Http(200, vec![], body.to_owned());
    }
    let items: Vec<_> = logins.iter().map(|login| json!({ "login": login })).collect();
    let token = (next < 26).then(|| next.to_string());
    Reply::data(&json!({ ROOT: { "items": items, "pageToken": token } }))
}

#[tokio::test]
async fn a_value_that_cannot_be_read_does_not_stop_a_listing() {
    let fake = Fake::computed(with_bad_value).await;
    let client = fake.client();
    let (mut found, mut token) = (String::new(), None::<String>);
    loop {
        let page = client.fetch_end_users(16, token.as_deref()).await.unwrap();
        found.extend(page.users.iter().map(|user| user.login.as_str()));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, ('a'..='z').collect::<String>());
    assert!(fake.queries_asked().len() < 30, "{}", fake.queries_asked().len());
}

#[tokio::test]
async fn a_list_is_never_a_subject_that_is_not_found() {
    let error = json!({ "path": [ROOT], "errorType": "NotFound", "message": "User not found" });
    let reply = Reply::json(200, &json!({ "data": null, "errors": [error] }));
    assert!(!ask(reply).await.unwrap_err().is_not_found());
}
