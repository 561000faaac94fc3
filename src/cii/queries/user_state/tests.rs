use serde_json::{Value, json};

use super::*;
use crate::{
    cii::fake::{Fake, Reply},
    domain::UserField,
};

fn user() -> Value {
    json!({
        "id": "1",
        "displayName": "Alice",
        "status": "ACTIVE",
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
            { "location": { "city": "Brno", "state": null, "country": "CZ" } },
            { "location": null },
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
    Fake::api(vec![reply]).await.client().user_states(&[alice]).await.remove(0).map(|a| a.value)
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
            },
            untold: BTreeSet::new(),
            null_lists: BTreeSet::new(),
        }
    );
}

#[tokio::test]
async fn the_login_is_a_variable() {
    let fake = Fake::api(vec![told(&user(), &[])]).await;
    let odd = r#"a") { id } } #"#;
    fake.client().user_states(&[Login::new(odd).unwrap()]).await.remove(0).unwrap();
    let asked = &fake.queries_asked()[0].body;
    assert_eq!(
        (&asked["variables"], &asked["query"]),
        (&json!({ "login": odd }), &json!(QUESTION.query(1)))
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
        (vec![json!("phoneNumber")], vec![]),
        (vec![], vec![UserField::ReferenceUrl, UserField::UsedFactors]),
    ] {
        let path: Vec<_> = std::iter::once(root.clone()).chain(path).collect();
        let observation = ask(told(&user(), &[error(&path)])).await.unwrap();
        assert_eq!(observation.untold, untold.into_iter().collect(), "{path:?}");
    }
}

#[tokio::test]
async fn an_error_without_a_path_leaves_the_null_fields_in_doubt() {
    let observation = ask(told(&user(), &[json!({ "message": "no" })])).await.unwrap();
    let expected = BTreeSet::from([UserField::ReferenceUrl, UserField::UsedFactors]);
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
        (told(&json!({ "id": "1" }), &[]), "malformed"),
        (told(&json!({ "id": "1" }), &errors), "graphql_error"),
        (told(&json!("alice"), &[]), "malformed"),
        (told(&json!({ "id": 1, "displayName": "A", "status": "S" }), &[]), "malformed"),
    ] {
        assert_eq!(ask(reply).await.unwrap_err().result(), result);
    }
}
