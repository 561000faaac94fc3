//! Lists with rows and page tokens that nobody expects.

use cii_simulator::{AppsyncError, Fault, Kind, Oddity, Options};
use serde_json::{Value, json};

use crate::caller::Caller;

const USERS: &str = "{ listEndUsers(input: {}, pageSize: 6) {
    items { login lastSignIn { timestamp } providers failingChecks } pageToken
} }";

fn rows(answer: &Value) -> Vec<Value> {
    answer["data"]["listEndUsers"]["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_row_is_odd_or_comes_on_top() {
    let caller = Caller::new(Options::default()).await;
    let first = rows(&caller.ask(USERS, json!({})).await.1);
    for (oddity, is_right) in [
        (Oddity::Null, Value::is_null as fn(&Value) -> bool),
        (Oddity::NullWithError, Value::is_null),
        (Oddity::EmptyLogin, |row| row["login"] == ""),
        (Oddity::LongLogin, |row| row["login"].as_str().unwrap().len() == 600),
        (Oddity::RefusedLogin, |row| row["login"].is_null()),
        (Oddity::Set("providers".to_owned(), json!(null)), |row| row["providers"].is_null()),
    ] {
        let answer = caller.under(Fault::graphql(Kind::OddRow(3, oddity.clone())), USERS).await;
        let odd = rows(&answer);
        assert!(odd.len() == 6 && is_right(&odd[3]), "{oddity:?}: {answer}");
        assert_eq!((&odd[..3], &odd[4..]), (&first[..3], &first[4..]));
        let answer = caller.under(Fault::graphql(Kind::ExtraRow(3, oddity)), USERS).await;
        let more = rows(&answer);
        assert!(more.len() == 7 && is_right(&more[3]), "{answer}");
        assert_eq!((&more[..3], &more[4..]), (&first[..3], &first[3..]));
    }
    let fault = Fault::graphql(Kind::OddRow(3, Oddity::NullWithError));
    let answer = caller.under(fault, USERS).await;
    assert_eq!(answer["errors"][0]["path"], json!(["listEndUsers", "items", 3]));
}

#[tokio::test]
async fn every_list_can_have_an_odd_row() {
    let caller = Caller::new(Options::default()).await;
    for (query, list) in [
        ("{ getIntegrationsStatus { integrationId } }", "/data/getIntegrationsStatus"),
        ("{ listAdminLogins { items { login } } }", "/data/listAdminLogins/items"),
        (
            "{ getEndUsersByIp(ipAddress: \"203.0.113.7\") { items { login } } }",
            "/data/getEndUsersByIp/items",
        ),
    ] {
        let answer = caller.under(Fault::graphql(Kind::OddRow(1, Oddity::EmptyLogin)), query).await;
        let row = &answer.pointer(list).unwrap()[1];
        assert!(row["login"] == "" || row["integrationId"] == "", "{answer}");
    }
}

#[tokio::test]
async fn a_fault_about_a_login_strikes_its_row() {
    let caller = Caller::new(Options::default()).await;
    let first = rows(&caller.ask(USERS, json!({})).await.1);
    let login = first[2]["login"].as_str().unwrap();
    let fault = Fault::graphql(Kind::null("failingChecks")).about(login);
    let nulls = rows(&caller.under(fault, USERS).await);
    assert!(nulls[2]["failingChecks"].is_null() && nulls[1]["failingChecks"].is_array());
    let error = AppsyncError::timed_out().at_field("lastSignIn");
    let answer = caller.under(Fault::graphql(Kind::Error(error)).about(login), USERS).await;
    assert_eq!(answer["errors"][0]["path"], json!(["listEndUsers", "items", 2, "lastSignIn"]));
    let each = AppsyncError::timed_out().at([json!("items"), json!("*"), json!("lastSignIn")]);
    let answer = caller.under(Fault::graphql(Kind::Error(each)), USERS).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn empty_lists_are_null_on_demand_and_others_stay() {
    let caller = Caller::new(Options::default()).await;
    let before = rows(&caller.ask(USERS, json!({})).await.1);
    let after = rows(&caller.under(Fault::graphql(Kind::NullForEmpty), USERS).await);
    for (before, after) in before.iter().zip(&after) {
        let was_empty = before["failingChecks"] == json!([]);
        assert_eq!(after["failingChecks"].is_null(), was_empty);
    }
}

#[tokio::test]
async fn page_tokens_go_in_a_circle_or_expire() {
    let caller = Caller::new(Options::default()).await;
    let query = "query($token: String) {
        listEndUsers(input: {}, pageSize: 5, pageToken: $token) { items { login } pageToken }
    }";
    for pages in [1, 2, 3] {
        caller.simulator.faults().clear();
        caller.simulator.faults().add(Fault::graphql(Kind::PageCircle(pages)));
        let (mut token, mut seen) = (Value::Null, Vec::new());
        for _ in 0..2 * pages {
            let answer = caller.ask(query, json!({ "token": token })).await.1;
            token = answer["data"]["listEndUsers"]["pageToken"].clone();
            seen.push(token.as_str().unwrap().to_owned());
        }
        assert_eq!(seen[..pages], seen[pages..]);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), pages);
    }
    caller.simulator.faults().clear();
    let first = caller.ask(query, json!({})).await.1;
    caller.simulator.faults().add(Fault::graphql(Kind::ExpiredPage));
    let token = first["data"]["listEndUsers"]["pageToken"].clone();
    let answer = caller.ask(query, json!({ "token": token })).await.1;
    assert_eq!(answer["errors"][0]["message"], "The page token has expired.");
    assert!(caller.ask(query, json!({})).await.1.get("errors").is_none());
}
