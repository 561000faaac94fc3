use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::{
    cii::{
        PathSegment,
        fake::{Asked, Fake, Reply},
        meters::Operation,
    },
    config::ApiConfig,
};

const ROOT: Root = Root {
    operation: Operation::GetEndUserState,
    argument: "login",
    shared: None,
    type_name: "EndUserState",
    around: ("", ""),
    depth: 1,
    fields: &[Field::leaf("id"), Field::leaf("status")],
    needed: &["id"],
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
    let understand = |mut answer: Answer| {
        Ok(answer.take_root("getEndUserState")?["id"].as_str().unwrap().to_owned())
    };
    let answers = fake.client().query_each(&ROOT, logins, None, understand).await;
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
    let answer = Answer::parse(body.to_string().as_bytes(), false, "token", 100).unwrap();
    let sorted = sort_answer(&ROOT, &["a", "b"], &BTreeSet::new(), answer);
    let parts: Vec<_> = sorted.parts.iter().map(|(_, part)| part.as_ref().unwrap()).collect();
    assert_eq!((parts[0].errors.len(), parts[1].errors.len()), (0, 1));
    assert_eq!(parts[1].errors[0].path[0], PathSegment::Field("getEndUserState".into()));
    assert!(sorted.others.is_empty());
}

/// An answer of nothing but errors: for each of `logins`, its type and message.
fn errors(
    asked: &Asked,
    error: impl Fn(&str) -> Option<(Vec<Value>, &'static str, String)>,
) -> Option<Reply> {
    let variables = asked.body["variables"].as_object().unwrap();
    let errors: Vec<_> = variables
        .iter()
        .filter_map(|(variable, login)| {
            let key = match variable.strip_prefix("login") {
                Some("") | None => "getEndUserState".to_owned(),
                Some(position) => format!("u{position}"),
            };
            let (below, error_type, message) = error(login.as_str().unwrap())?;
            let path: Vec<_> = std::iter::once(json!(key)).chain(below).collect();
            Some(json!({ "path": path, "errorType": error_type, "message": message }))
        })
        .collect();
    (!errors.is_empty()).then(|| Reply::json(200, &json!({ "data": null, "errors": errors })))
}

fn logins(asked: &Asked) -> Vec<&str> {
    asked.body["variables"].as_object().unwrap().values().map(|v| v.as_str().unwrap()).collect()
}

async fn ask_with(fake: &Fake, retries: u32, logins: &[&str]) -> Vec<Result<String, ApiError>> {
    let config = ApiConfig { retries, ..fake.config() };
    let client = Client::new(&config, fake.meters.clone()).unwrap();
    let understand = |mut answer: Answer| {
        Ok(answer.take_root("getEndUserState")?["id"].as_str().unwrap().to_owned())
    };
    client.query_each(&ROOT, logins, None, understand).await
}

#[tokio::test]
async fn an_outage_of_some_is_asked_again_for_these_alone() {
    let healthy = service(&[], true);
    let times = std::sync::atomic::AtomicUsize::new(0);
    let fake = Fake::computed(move |asked| {
        let is_down = times.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2;
        let timed_out = |login: &str| {
            let is_hit = is_down && login != "b";
            is_hit.then(|| (vec![], "Lambda:Unhandled", "Task timed out".to_owned()))
        };
        errors(asked, timed_out).unwrap_or_else(|| healthy(asked))
    })
    .await;
    let answers = ask_with(&fake, 3, &["a", "b", "c"]).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let asked = fake.queries_asked();
    assert_eq!(asked.iter().filter(|asked| logins(asked).contains(&"b")).count(), 2);
    let answers = {
        let fake = Fake::computed(|asked| {
            errors(asked, |_| Some((vec![], "Lambda:Unhandled", "Task timed out".to_owned())))
                .unwrap()
        })
        .await;
        ask_with(&fake, 0, &["a", "b", "c"]).await
    };
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err().is_transient()));
}

#[tokio::test]
async fn a_right_that_is_missing_for_all_is_missing() {
    let refuse = |logins: &'static [&'static str]| {
        let healthy = service(&[], true);
        move |asked: &Asked| {
            let refused = |login: &str| {
                let message = "Not Authorized to access getEndUserState on type Query".to_owned();
                (logins.is_empty() || logins.contains(&login)).then_some((
                    vec![],
                    "Unauthorized",
                    message,
                ))
            };
            errors(asked, refused).unwrap_or_else(|| healthy(asked))
        }
    };
    let fake = Fake::computed(refuse(&[])).await;
    let answers = ask_with(&fake, 3, &["a", "b", "c", "d", "e"]).await;
    let expected = Err(ApiError::NoRight { field: "getEndUserState" });
    assert!(answers.iter().all(|answer| *answer == expected), "{answers:?}");
    assert_eq!(fake.queries_asked().len(), 1);
    // If only some are refused, it is about them; also when one is requested alone.
    let fake = Fake::computed(refuse(&["b", "d"])).await;
    let answers = ask_with(&fake, 3, &["a", "b", "c", "d"]).await;
    assert!(matches!(&answers[1], Err(ApiError::Graphql(_))), "{answers:?}");
    assert!(matches!(&answers[3], Err(ApiError::Graphql(_))), "{answers:?}");
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(fake.meters.is_right_missing(Operation::GetEndUserState), 0);
}

#[tokio::test]
async fn a_leaf_that_nulls_the_answer_is_left_out_for_its_subject() {
    let healthy = service(&[], true);
    let fake = Fake::computed(move |asked| {
        let query = asked.body["query"].as_str().unwrap();
        let bad_leaf = |login: &str| {
            let is_hit = login == "b" && query.contains("status");
            is_hit.then(|| (vec![json!("status")], "Custom", "no".to_owned()))
        };
        errors(asked, bad_leaf).unwrap_or_else(|| healthy(asked))
    })
    .await;
    let client = fake.client();
    let understand = |answer: Answer| Ok(answer.errors.len());
    let answers = client.query_each(&ROOT, &["a", "b", "c"], None, understand).await;
    // The error says why the leaf is missing.
    assert_eq!(answers, [Ok(0), Ok(1), Ok(0)]);
    assert_eq!(fake.queries_asked().len(), 3);
}

/// A service whose answer about `bad` cannot be read.
fn unreadable(body: &'static str) -> impl Fn(&Asked) -> Reply {
    let healthy = service(&[], true);
    move |asked| {
        if logins(asked).contains(&"bad") {
            Reply::Http(200, vec![], body.to_owned())
        } else {
            healthy(asked)
        }
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_read_costs_its_own_subject_and_is_asked_alone_next_time() {
    let fake = Fake::computed(unreadable(r#"{"data":{"u0":{"id":1e999}}}"#)).await;
    let client = fake.client();
    let understand = |mut answer: Answer| {
        Ok(answer.take_root("getEndUserState")?["id"].as_str().unwrap().to_owned())
    };
    let mut before = 0;
    // The batch, its halves, the halves of one half, and the second batch; then
    // two batches and the one that is requested alone.
    for requests in [6, 3] {
        let answers =
            client.query_each(&ROOT, &["a", "bad", "c", "d", "e"], None, &understand).await;
        let is_bad: Vec<_> = answers.iter().map(Result::is_err).collect();
        assert_eq!(is_bad, [false, true, false, false, false]);
        let count = fake.queries_asked().len();
        assert_eq!(count - before, requests);
        before = count;
    }
}

#[tokio::test]
async fn a_page_or_a_cut_answer_is_not_asked_in_halves() {
    for body in ["<html>", "", r#"{"data":{"u0""#] {
        let fake = Fake::computed(unreadable(body)).await;
        let answers = ask_with(&fake, 0, &["a", "bad", "c"]).await;
        assert!(
            answers.iter().all(|a| a.as_ref().unwrap_err().result_label() == "malformed"),
            "{body}"
        );
        assert_eq!(fake.queries_asked().len(), 1);
    }
}

#[test]
fn errors_that_name_nobody_are_copied_in_bounds() {
    let error = json!({ "path": null, "message": "x" });
    let body = json!({ "data": { "u0": {}, "u1": {} }, "errors": vec![error; 5000] });
    let answer = Answer::parse(body.to_string().as_bytes(), false, "", 5000).unwrap();
    let sorted = sort_answer(&ROOT, &["a", "b"], &BTreeSet::new(), answer);
    assert!(sorted.parts.iter().all(|(_, part)| part.as_ref().unwrap().errors.len() == 100));
}

proptest! {
    #[test]
    fn every_subject_gets_exactly_one_answer(
        count in 1_usize..9,
        named in prop::collection::btree_set(0_usize..12, 0..9),
        answered in prop::collection::btree_set(0_usize..9, 0..4),
    ) {
        // Whatever aliases an answer names, groups shrink until all have an answer.
        let mut waiting = vec![(0..count).collect::<Vec<_>>()];
        let mut told = vec![0; count];
        let mut rounds = 0;
        while let Some(group) = waiting.pop() {
            rounds += 1;
            prop_assert!(rounds < 100);
            let errors: Vec<_> = named
                .iter()
                .map(|position| json!({ "path": [format!("u{position}")], "message": "" }))
                .chain(named.is_empty().then(|| json!({ "message": "" })))
                .collect();
            let data: Map<_, _> =
                answered.iter().map(|position| (format!("u{position}"), json!({}))).collect();
            let body = json!({ "data": data, "errors": errors }).to_string();
            let answer = Answer::parse(body.as_bytes(), false, "", 100).unwrap();
            let asked = vec!["x"; group.len()];
            let sorted = sort_answer(&ROOT, &asked, &BTreeSet::new(), answer);
            for (place, _) in sorted.parts {
                told[group[place]] += 1;
            }
            prop_assert!(sorted.passing.is_empty() && sorted.without.is_empty());
            let positions = sorted.others.into_iter().map(|place| group[place]).collect();
            let others = Group { positions, ..Group::default() };
            let again = if sorted.is_unnamed { others.halves() } else { vec![others] };
            for next in again.into_iter().filter(|next| !next.positions.is_empty()) {
                prop_assert!(next.positions.len() < group.len());
                waiting.push(next.positions);
            }
        }
        prop_assert!(told.iter().all(|times| *times == 1));
    }
}
