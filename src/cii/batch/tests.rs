use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cii::fake::{Asked, Fake, Reply};

const ROOT: Root = Root {
    operation: Operation::GetEndUserState,
    argument: "login",
    shared: None,
    type_name: "EndUserState",
    selection: "id",
};

/// A service that knows users by their logins, and fails for the bad ones as
/// the published schema's rules have it.
fn service(bad: &'static [&'static str], names_them: bool) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        let variables = asked.body["variables"].as_object().unwrap().clone();
        let key = |variable: &str| match variable.strip_prefix("login") {
            Some("") | None => "getEndUserState".to_owned(),
            Some(position) => format!("u{position}"),
        };
        let is_bad = |login: &Value| bad.contains(&login.as_str().unwrap());
        let errors: Vec<_> = variables
            .iter()
            .filter(|(_, login)| is_bad(login))
            .map(|(variable, login)| {
                let path = if names_them { json!([key(variable)]) } else { Value::Null };
                json!({ "path": path, "errorType": "NotFound", "message": format!("no {login}") })
            })
            .collect();
        if !errors.is_empty() {
            return Reply::json(200, &json!({ "data": null, "errors": errors }));
        }
        let users: Map<_, _> = variables
            .iter()
            .map(|(variable, login)| (key(variable), json!({ "id": login })))
            .collect();
        Reply::data(&users.into())
    }
}

async fn ask(fake: &Fake, logins: &[&str]) -> Vec<Option<String>> {
    let understand =
        |mut answer: Answer| Ok(answer.root("getEndUserState")?["id"].as_str().unwrap().to_owned());
    let answers = fake.client().ask_each(&ROOT, logins, None, understand).await;
    answers.into_iter().map(Result::ok).collect()
}

#[tokio::test]
async fn several_share_a_request_and_whoever_fails_fails_alone() {
    for (names_them, requests) in [(true, 3), (false, 6)] {
        let fake = Fake::computed(service(&["bad"], names_them)).await;
        let answers = ask(&fake, &["a", "bad", "c", "d", "e"]).await;
        let expected = [Some("a"), None, Some("c"), Some("d"), Some("e")];
        assert_eq!(answers, expected.map(|login| login.map(str::to_owned)));
        assert_eq!(fake.queries_asked().len(), requests);
    }
}

#[tokio::test]
async fn a_request_that_is_too_much_is_asked_in_halves() {
    let service = service(&[], true);
    let fake = Fake::computed(move |asked| {
        if asked.body["variables"].as_object().unwrap().len() > 1 {
            return Reply::status(400);
        }
        service(asked)
    })
    .await;
    assert!(ask(&fake, &["a", "b", "c"]).await.iter().all(Option::is_some));
}

#[tokio::test]
async fn the_service_being_down_is_told_of_everybody_after_one_request() {
    let fake = Fake::api(vec![Reply::status(500)]).await;
    assert_eq!(ask(&fake, &["a", "b", "c"]).await, [None, None, None]);
    assert_eq!(fake.queries_asked().len(), 1);
}

#[test]
fn an_error_inside_a_part_is_that_part_s() {
    let body = json!({
        "data": { "u0": { "id": "1" }, "u1": { "id": null } },
        "errors": [{ "path": ["u1", "id"], "message": "x" }],
    });
    let answer = Answer::parse(body.to_string().as_bytes(), "token").unwrap();
    let Sorted { parts, again } = sort(&ROOT, &[7, 9], Ok(answer));
    let (first, second) = (parts[0].1.as_ref().unwrap(), parts[1].1.as_ref().unwrap());
    assert_eq!((parts[0].0, first.errors.len(), parts[1].0), (7, 0, 9));
    assert_eq!(second.errors[0].path[0], PathSegment::Field("getEndUserState".into()));
    assert!(again.is_empty());
}

proptest! {
    #[test]
    fn every_subject_gets_exactly_one_answer(
        count in 1_usize..9,
        named in prop::collection::btree_set(0_usize..12, 0..9),
    ) {
        // Whatever aliases an answer names, groups shrink until all have an answer.
        let mut waiting = vec![(0..count).collect::<Vec<_>>()];
        let mut answered = vec![0; count];
        let mut rounds = 0;
        while let Some(group) = waiting.pop() {
            rounds += 1;
            prop_assert!(rounds < 100);
            let errors = named.iter().map(|position| GraphqlError {
                path: vec![PathSegment::Field(format!("u{position}"))],
                error_type: None,
                message: String::new(),
                error_info: None,
                data: None,
            });
            let ended = Err(ApiError::Graphql(errors.collect::<Vec<_>>().into()));
            let Sorted { parts, again } = sort(&ROOT, &group, ended);
            for (position, _) in parts {
                answered[position] += 1;
            }
            prop_assert!(again.iter().all(|next| next.len() < group.len()));
            waiting.extend(again);
        }
        prop_assert!(answered.iter().all(|times| *times == 1));
    }
}
