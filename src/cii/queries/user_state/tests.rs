use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::{
    cii::fake::{Asked, Fake, Reply},
    domain::{Place, UserField, UserState},
};

fn user() -> Value {
    json!({
        "id": "1",
        "displayName": "Alice",
        "status": "ACTIVE",
        "employeeId": ["17", "18"],
        "phoneNumber": "+49 30 1",
        "userTypeClassification": "INTERNAL",
        "managerLogin": "",
        "referenceUrl": null,
        "ipAddresses": [
            { "ipAddress": "2001:DB8:0::1", "location": null },
            { "ipAddress": "2001:db8::1",
              "location": { "city": "Brno", "state": "", "country": "CZ" } },
            { "ipAddress": "not an address", "location": null },
            { "ipAddress": "", "location": null },
        ],
        "unusedApplications": ["Miro", "", "Miro"],
        "usedApplications": [],
        "usedFactors": null,
        "registeredLocationDetails": { "city": null, "state": null, "country": null },
        "workingLocationDetails": [
            { "location": { "city": "Brno", "state": null, "country": "CZ" },
              "userLocationPrevalence": 66.666 },
        ],
    })
}

fn told(user: &Value, errors: &[Value]) -> Reply {
    Reply::json(200, &json!({ "data": { ROOT: user }, "errors": errors }))
}

fn error(path: &[Value]) -> Value {
    json!({ "path": path, "errorType": "Forbidden", "message": "no" })
}

async fn ask(reply: Reply) -> Result<UserObservation, ApiError> {
    let alice = Login::new("alice").unwrap();
    Fake::api(vec![reply])
        .await
        .client()
        .fetch_user_states(&[alice])
        .await
        .remove(0)
        .map(|a| a.value)
}

fn brno() -> Place {
    Place { city: Some("Brno".into()), state: None, country: Some("CZ".into()) }
}

#[tokio::test]
async fn an_answer_is_understood() {
    let set = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    let observation = ask(told(&user(), &[])).await.unwrap();
    assert_eq!(
        observation,
        UserObservation {
            login: None,
            state: UserState {
                id: "1".into(),
                display_name: "Alice".into(),
                status: "ACTIVE".into(),
                user_type: Some("INTERNAL".into()),
                manager_login: None,
                reference_url: None,
                ip_addresses: Some(BTreeMap::from([
                    ("2001:db8::1".to_owned(), brno()),
                    ("not an address".to_owned(), Place::default()),
                ])),
                unused_applications: set(&["Miro"]),
                used_applications: set(&[]),
                used_factors: set(&[]),
                registered_location: Some(BTreeSet::new()),
                working_locations: Some(BTreeSet::from([brno()])),
                prevalence: BTreeSet::from([(brno(), 6667)]),
                employee_ids: set(&["17", "18"]),
                phone_number: Some("+49 30 1".into()),
            },
            untold: BTreeSet::new(),
            null_lists: BTreeSet::from([UserField::UsedFactors]),
        }
    );
}

#[tokio::test]
async fn the_login_is_a_variable() {
    let fake = Fake::api(vec![told(&user(), &[])]).await;
    let odd = r#"a") { id } } #"#;
    fake.client().fetch_user_states(&[Login::new(odd).unwrap()]).await.remove(0).unwrap();
    let asked = &fake.queries_asked()[0].body;
    assert_eq!(
        (&asked["variables"], &asked["query"]),
        (&json!({ "login": odd }), &json!(QUESTION.query(1, &BTreeSet::new())))
    );
}

#[tokio::test]
async fn what_an_error_leaves_in_doubt_is_untold() {
    let root = json!(ROOT);
    for (path, untold) in [
        (vec![json!("usedFactors")], vec![UserField::UsedFactors]),
        (vec![json!("usedFactors"), json!(0)], vec![UserField::UsedFactors]),
        (vec![json!("unusedApplications"), json!(1)], vec![UserField::UnusedApplications]),
        (vec![json!("ipAddresses"), json!(0), json!("location")], vec![]),
        (vec![json!("ipAddresses"), json!(1), json!("location"), json!("state")], vec![]),
        (vec![json!("ipAddresses"), json!(2)], vec![UserField::IpAddresses]),
        (
            vec![json!("registeredLocationDetails"), json!("city")],
            vec![UserField::RegisteredLocation],
        ),
        (
            vec![json!("workingLocationDetails"), json!(1), json!("location")],
            vec![UserField::WorkingLocations],
        ),
        (vec![json!("managerLogin")], vec![UserField::ManagerLogin]),
        (vec![json!("phoneNumber")], vec![UserField::PhoneNumber]),
        (vec![json!("employeeId"), json!(0)], vec![UserField::EmployeeIds]),
        (vec![json!("status")], vec![UserField::Status]),
        (vec![json!("somethingElse")], vec![]),
        // An empty list with an error may be a missing one.
        (
            vec![],
            vec![UserField::ReferenceUrl, UserField::UsedApplications, UserField::UsedFactors],
        ),
        (vec![json!("usedApplications")], vec![UserField::UsedApplications]),
    ] {
        let path: Vec<_> = std::iter::once(root.clone()).chain(path).collect();
        let observation = ask(told(&user(), &[error(&path)])).await.unwrap();
        assert_eq!(observation.untold, untold.into_iter().collect(), "{path:?}");
    }
}

#[tokio::test]
async fn an_error_without_a_path_leaves_the_null_fields_in_doubt() {
    let observation = ask(told(&user(), &[json!({ "message": "no" })])).await.unwrap();
    let expected =
        [UserField::ReferenceUrl, UserField::UsedApplications, UserField::UsedFactors].into();
    assert_eq!(observation.untold, expected);
}

#[tokio::test]
async fn an_address_whose_list_failed_is_untold() {
    let mut user = user();
    user["ipAddresses"] = Value::Null;
    let path = [json!(ROOT), json!("ipAddresses"), json!(1), json!("location")];
    let observation = ask(told(&user, &[error(&path)])).await.unwrap();
    assert_eq!(observation.untold, BTreeSet::from([UserField::IpAddresses]));
}

#[tokio::test]
async fn a_field_that_is_not_in_the_answer_is_untold() {
    let mut user = user();
    user.as_object_mut().unwrap().remove("ipAddresses");
    let observation = ask(told(&user, &[])).await.unwrap();
    assert_eq!(observation.untold, BTreeSet::from([UserField::IpAddresses]));
}

#[tokio::test]
async fn no_user_is_an_error() {
    let errors = [error(&[json!(ROOT)])];
    for (reply, result) in [
        (told(&Value::Null, &errors), "graphql_error"),
        (told(&Value::Null, &[]), "malformed"),
        (Reply::data(&json!({ "other": 1 })), "malformed"),
        (told(&json!({ "id": null }), &errors), "graphql_error"),
        (told(&json!("alice"), &[]), "malformed"),
    ] {
        assert_eq!(ask(reply).await.unwrap_err().result_label(), result);
    }
}

#[tokio::test]
async fn a_field_of_another_type_is_untold_unless_its_reading_is_plain() {
    for (name, value, untold) in [
        ("id", json!(7), vec![]),
        ("id", json!({}), vec![UserField::Id]),
        ("displayName", json!(null), vec![UserField::DisplayName]),
        ("status", json!(["ACTIVE"]), vec![UserField::Status]),
        ("managerLogin", json!(true), vec![UserField::ManagerLogin]),
        ("phoneNumber", json!(49), vec![]),
        ("employeeId", json!("17"), vec![]),
        ("employeeId", json!(17), vec![]),
        ("employeeId", json!({}), vec![UserField::EmployeeIds]),
        ("ipAddresses", json!("203.0.113.7"), vec![UserField::IpAddresses]),
        ("ipAddresses", json!([null]), vec![UserField::IpAddresses]),
        ("ipAddresses", json!([{ "location": null }]), vec![UserField::IpAddresses]),
        ("ipAddresses", json!([{ "ipAddress": "1.1.1.1", "location": 3 }]), vec![]),
        ("usedFactors", json!("PUSH"), vec![UserField::UsedFactors]),
        ("usedFactors", json!(["PUSH", null]), vec![UserField::UsedFactors]),
        ("usedApplications", json!([["Slack"]]), vec![UserField::UsedApplications]),
        ("registeredLocationDetails", json!("Brno"), vec![UserField::RegisteredLocation]),
        ("registeredLocationDetails", json!({ "city": 1 }), vec![]),
        ("workingLocationDetails", json!([null]), vec![UserField::WorkingLocations]),
        (
            "workingLocationDetails",
            json!([{ "location": null }]),
            vec![UserField::WorkingLocations],
        ),
    ] {
        let mut user = user();
        user[name] = value.clone();
        let observation = ask(told(&user, &[])).await.unwrap();
        assert_eq!(observation.untold, untold.into_iter().collect(), "{name}: {value}");
    }
}

#[tokio::test]
async fn a_list_that_is_null_without_an_error_is_noted() {
    for (name, field) in [
        ("ipAddresses", UserField::IpAddresses),
        ("unusedApplications", UserField::UnusedApplications),
        ("usedApplications", UserField::UsedApplications),
        ("usedFactors", UserField::UsedFactors),
        ("workingLocationDetails", UserField::WorkingLocations),
        ("employeeId", UserField::EmployeeIds),
    ] {
        let mut user = user();
        user["usedFactors"] = json!([]);
        user[name] = Value::Null;
        let observation = ask(told(&user, &[])).await.unwrap();
        assert_eq!((observation.null_lists.len(), observation.untold.len()), (1, 0), "{name}");
        assert!(observation.null_lists.contains(&field));
        for empty in [json!(null), json!([])] {
            user[name] = empty;
            let refused = error(&[json!(ROOT), json!(name)]);
            let observation = ask(told(&user, &[refused])).await.unwrap();
            assert_eq!(observation.null_lists, BTreeSet::new());
            assert_eq!(observation.untold, BTreeSet::from([field]), "{name}");
        }
    }
}

#[tokio::test]
async fn the_connector_s_spelling_of_the_employee_is_read() {
    let mut user = user();
    user.as_object_mut().unwrap().remove("employeeId");
    user["employeeID"] = json!("17");
    let observation = ask(told(&user, &[])).await.unwrap();
    assert_eq!(observation.state.employee_ids, Some(BTreeSet::from(["17".to_owned()])));
    assert_eq!(observation.untold, BTreeSet::new());
}

#[tokio::test]
async fn a_promised_field_that_nulls_the_user_is_untold_with_its_reason() {
    let fake = Fake::computed(|asked: &Asked| {
        if asked.body["query"].as_str().unwrap().contains("status") {
            let refused = error(&[json!(ROOT), json!("status")]);
            return Reply::json(200, &json!({ "data": null, "errors": [refused] }));
        }
        let mut user = user();
        user.as_object_mut().unwrap().remove("status");
        told(&user, &[])
    })
    .await;
    let alice = Login::new("alice").unwrap();
    let answered = fake.client().fetch_user_states(&[alice]).await.remove(0).unwrap();
    assert_eq!(answered.value.untold, BTreeSet::from([UserField::Status]));
    assert_eq!(answered.errors.to_string(), "getEndUserState.status: Forbidden: no");
}

#[tokio::test]
async fn how_much_of_the_work_is_done_from_a_place_is_read_leniently() {
    for (value, expected) in [
        (json!(100), Some(10_000)),
        (json!("12.5"), Some(1250)),
        (json!(0), Some(0)),
        (json!(-1), None),
        (json!(100.1), None),
        (json!(null), None),
        (json!("NaN"), None),
    ] {
        let mut user = user();
        user["workingLocationDetails"][0]["userLocationPrevalence"] = value.clone();
        let state = ask(told(&user, &[])).await.unwrap().state;
        assert_eq!(state.prevalence.first().map(|(_, share)| *share), expected, "{value}");
        assert_eq!(state.working_locations.unwrap().len(), 1);
    }
}
