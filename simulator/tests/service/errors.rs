//! Errors in the forms of `AppSync`.

use cii_simulator::{AppsyncError, Fault, Kind, Leaves, Options};
use serde_json::{Value, json};

use crate::caller::Caller;

const TWO: &str = "{
    a: getEndUserState(login: \"alice@example.com\") { login ipAddresses { ipAddress } }
    b: getEndUserState(login: \"hrms.serviceuser\") { login ipAddresses { ipAddress } }
}";

#[tokio::test]
async fn an_outage_strikes_every_alias_or_one_and_takes_all_data_when_strict() {
    let caller = Caller::new(Options::default()).await;
    let outage = || AppsyncError::timed_out().telling(json!({ "retry": true }), json!([1]));
    let answer = caller.under(Fault::graphql(Kind::Error(outage())), TWO).await;
    assert_eq!(answer["data"], json!({ "a": null, "b": null }));
    assert_eq!(answer["errors"].as_array().unwrap().len(), 2);
    assert_eq!(answer["errors"][1]["path"], json!(["b"]));
    assert_eq!(answer["errors"][1]["errorType"], "Lambda:Unhandled");
    assert_eq!(answer["errors"][1]["message"], "Task timed out after 30.00 seconds");
    assert_eq!(answer["errors"][1]["errorInfo"]["retry"], true);
    assert_eq!(answer["errors"][1]["data"], json!([1]));

    let one = Fault::graphql(Kind::Error(outage())).about("hrms.serviceuser");
    let answer = caller.under(one.clone(), TWO).await;
    assert_eq!(answer["data"]["a"]["login"], "alice@example.com");
    assert_eq!(
        (&answer["data"]["b"], answer["errors"].as_array().unwrap().len()),
        (&json!(null), 1)
    );
    let strict = Fault { kind: Kind::Error(outage().strictly()), ..one };
    let answer = caller.under(strict, TWO).await;
    assert_eq!((&answer["data"], &answer["errors"][0]["path"]), (&json!(null), &json!(["b"])));
}

#[tokio::test]
async fn an_error_at_a_leaf_leaves_null_or_an_empty_list_or_the_value() {
    let caller = Caller::new(Options::default()).await;
    let at = || AppsyncError::name_not_resolved().at_field("ipAddresses");
    for (leaves, is_right) in [
        (Leaves::Null, Value::is_null as fn(&Value) -> bool),
        (Leaves::EmptyList, |value| *value == json!([])),
        (Leaves::Value, |value| !value.as_array().unwrap().is_empty()),
    ] {
        let fault = Fault::graphql(Kind::Error(at().leaving(leaves))).about("alice@example.com");
        let answer = caller.under(fault, TWO).await;
        assert!(is_right(&answer["data"]["a"]["ipAddresses"]), "{leaves:?}: {answer}");
        assert_eq!(answer["errors"][0]["path"], json!(["a", "ipAddresses"]));
        assert!(answer["data"]["b"]["ipAddresses"].is_array());
    }
}

#[tokio::test]
async fn an_error_counts_only_where_its_place_is_asked_for() {
    let caller = Caller::new(Options::default()).await;
    let fault = Fault::graphql(Kind::Error(AppsyncError::timed_out().at_field("usedFactors")));
    let answer = caller.under(fault.times(1), TWO).await;
    assert!(answer.get("errors").is_none(), "{answer}");
    assert_eq!(caller.simulator.faults().list().len(), 1);
    let query = "{ getEndUserState(login: \"alice@example.com\") { usedFactors } }";
    assert!(caller.ask(query, json!({})).await.1["errors"].is_array());
    assert!(caller.simulator.faults().list().is_empty());
}

#[tokio::test]
async fn an_unknown_login_is_told_in_other_words_and_nothing_else_is() {
    let caller = Caller::new(Options::default()).await;
    let query = "{ a: getEndUserState(login: \"nobody\") { login } b: ping }";
    let fault = Fault::graphql(Kind::unknown_login("Lambda:Unhandled", "User not found"));
    let answer = caller.under(fault, query).await;
    assert_eq!(answer["errors"][0]["errorType"], "Lambda:Unhandled");
    assert_eq!(answer["errors"][0]["message"], "User not found");
    assert_eq!(answer["errors"][0]["path"], json!(["a"]));
}

#[tokio::test]
async fn a_right_that_is_missing_and_very_many_errors() {
    let caller = Caller::new(Options::default()).await;
    let refused = Kind::Error(AppsyncError::unauthorized("getIntegrationsStatus"));
    let query = "{ getIntegrationsStatus { status } }";
    let answer = caller.under(Fault::graphql(refused).of("getIntegrationsStatus"), query).await;
    assert_eq!(
        answer["errors"][0]["message"],
        "Not Authorized to access getIntegrationsStatus on type Query"
    );
    let answer = caller.under(Fault::graphql(Kind::ManyErrors(5_000)), "{ ping }").await;
    assert_eq!(
        (&answer["data"]["ping"], answer["errors"].as_array().unwrap().len()),
        (&json!(true), 5_000)
    );
}
