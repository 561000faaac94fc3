use serde_json::json;

use super::*;
use crate::cii::{
    HttpError, PathSegment, TokenError,
    fake::{Fake, Reply, SECRET, hangs_up_after},
    graphql::Answer,
};

const QUERY: &str = "query { getEndUserState(login: \"a\") { id } }";

async fn ask(client: &Client) -> Result<Answer, ApiError> {
    let understand = |answer: Answer| {
        if answer.is_empty() { Err(ApiError::Graphql(answer.errors.into())) } else { Ok(answer) }
    };
    client.execute(Operation::GetEndUserState, QUERY, json!({ "login": "a" }), understand).await
}

fn counted(fake: &Fake, result: &str) -> u64 {
    fake.meters.request_count(Operation::GetEndUserState, result)
}

fn answered() -> Reply {
    Reply::data(&json!({ "getEndUserState": { "id": "1" } }))
}

fn failed(error_type: &str, data: &Value) -> Reply {
    let error = json!({
        "path": ["getEndUserState", "ipAddresses", 2],
        "errorType": error_type,
        "message": "no\nluck",
    });
    Reply::json(200, &json!({ "data": data, "errors": [error] }))
}

#[tokio::test]
async fn a_question_carries_query_variables_token_and_name() {
    let fake = Fake::api(vec![answered()]).await;
    let client = fake.client();
    let answer = ask(&client).await.unwrap();
    assert_eq!(answer.data["getEndUserState"]["id"], "1");
    ask(&client.clone()).await.unwrap();
    let asked = fake.queries_asked();
    assert_eq!(asked[0].body, json!({ "query": QUERY, "variables": { "login": "a" } }));
    assert_eq!(asked[0].headers["authorization"], "Bearer token-1");
    assert_eq!(asked[1].headers["authorization"], "Bearer token-1");
    assert_eq!(asked[0].headers["user-agent"], USER_AGENT);
    assert_eq!((fake.tokens_asked().len(), counted(&fake, "ok")), (1, 2));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    for refusal in [Reply::status(401), failed("UnauthorizedException", &Value::Null)] {
        let fake = Fake::api(vec![refusal, answered()]).await;
        ask(&fake.client()).await.unwrap();
        let tokens: Vec<_> = fake
            .queries_asked()
            .iter()
            .map(|asked| asked.headers["authorization"].clone())
            .collect();
        assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
        assert_eq!((counted(&fake, "unauthorized"), counted(&fake, "ok")), (1, 1));
    }
}

#[tokio::test]
async fn two_refused_tokens_are_enough() {
    let fake = Fake::api(vec![Reply::status(401)]).await;
    let error = ask(&fake.client()).await.unwrap_err();
    assert_eq!((&error, error.is_transient()), (&ApiError::Unauthorized, false));
    assert_eq!((fake.queries_asked().len(), counted(&fake, "unauthorized")), (2, 2));
}

#[tokio::test]
async fn without_a_token_the_api_is_not_asked() {
    let fake = Fake::start(vec![Reply::status(404)], vec![answered()]).await;
    let error = ask(&fake.client()).await.unwrap_err();
    let expected = TokenError::Http(HttpError::Client { status: 404 });
    assert_eq!((error.result_label(), error), ("client_error", ApiError::Token(expected)));
    assert!(fake.queries_asked().is_empty());
    assert_eq!(fake.meters.request_count(Operation::Token, "client_error"), 1);
}

#[tokio::test]
async fn partial_data_comes_with_its_errors() {
    let data = json!({ "getEndUserState": { "id": "1", "ipAddresses": null } });
    for error_type in ["Forbidden", "UnauthorizedException"] {
        let fake = Fake::api(vec![failed(error_type, &data)]).await;
        let answer = ask(&fake.client()).await.unwrap();
        let error = &answer.errors[0];
        let path = ["getEndUserState", "ipAddresses"].map(|name| PathSegment::Field(name.into()));
        assert_eq!((&error.path[..2], &error.path[2]), (&path[..], &PathSegment::Index(2)));
        assert_eq!(
            error.to_string(),
            format!("getEndUserState.ipAddresses[2]: {error_type}: no luck")
        );
        assert_eq!((fake.queries_asked().len(), counted(&fake, "partial")), (1, 1));
    }
}

#[tokio::test]
async fn errors_without_data_are_a_failure() {
    for (error_type, transient) in [("NotFound", false), ("ThrottlingException", true)] {
        for data in [Value::Null, json!({ "getEndUserState": null })] {
            let fake = Fake::api(vec![failed(error_type, &data)]).await;
            let error = ask(&fake.client()).await.unwrap_err();
            assert!(matches!(&error, ApiError::Graphql(errors) if errors.len() == 1));
            let result = if transient { "throttled" } else { "graphql_error" };
            assert_eq!((error.is_transient(), counted(&fake, result)), (transient, 1));
        }
    }
}

#[tokio::test]
async fn a_throttled_question_says_how_long_to_wait() {
    let at = |seconds| chrono::TimeDelta::seconds(seconds);
    let date =
        |moment: crate::domain::Timestamp| moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let (soon, past) = (date(crate::clock::now() + at(600)), date(crate::clock::now() - at(60)));
    for (header, expected) in [
        ("17", 17..=17),
        (soon.as_str(), 500..=600),
        (past.as_str(), 0..=0),
        ("99999999999", 900..=900),
        ("99999999999999999999999", 900..=900),
    ] {
        let fake = Fake::api(vec![Reply::status(429).with("retry-after", header)]).await;
        let error = ask(&fake.client()).await.unwrap_err();
        assert!(expected.contains(&error.retry_after().unwrap().as_secs()), "{header}");
        assert!(error.is_transient());
        assert_eq!((fake.queries_asked().len(), counted(&fake, "throttled")), (1, 1));
    }
    let fake = Fake::api(vec![Reply::status(429).with("retry-after", "soon")]).await;
    let expected = ApiError::Http(HttpError::Throttled { retry_after: None });
    assert_eq!(ask(&fake.client()).await.unwrap_err(), expected);
}

#[tokio::test]
async fn a_status_that_is_no_success_is_a_failure() {
    let elsewhere = "http://127.0.0.1:9/";
    for (reply, result, transient) in [
        (Reply::status(500), "server_error", true),
        (Reply::status(503).with("retry-after", "3"), "server_error", true),
        (Reply::status(403), "client_error", false),
        (Reply::status(307).with("location", elsewhere), "client_error", false),
    ] {
        let fake = Fake::api(vec![reply]).await;
        let error = ask(&fake.client()).await.unwrap_err();
        assert_eq!((error.result_label(), error.is_transient()), (result, transient));
        assert_eq!((fake.queries_asked().len(), counted(&fake, result)), (1, 1));
    }
}

#[tokio::test]
async fn what_is_no_graphql_answer_is_malformed() {
    for body in [
        "<!doctype html><title>Sign in</title>",
        "",
        "[]",
        "{}",
        r#"{"data":null,"errors":[]}"#,
        r#"{"data":7}"#,
        r#"{"data":{},"errors":"none"}"#,
    ] {
        let fake = Fake::api(vec![Reply::Http(200, vec![], body.to_owned())]).await;
        let error = ask(&fake.client()).await.unwrap_err();
        assert!(matches!(error, ApiError::Malformed(_)), "{body}: {error}");
        assert!(!error.to_string().contains("Sign in"));
        assert_eq!(counted(&fake, "malformed"), 1);
    }
}

#[tokio::test]
async fn an_endless_answer_is_given_up() {
    let body = " ".repeat((1 << 20) + 1);
    let fake = Fake::api(vec![Reply::Http(200, vec![], body)]).await;
    let error = ask(&fake.client()).await.unwrap_err();
    assert_eq!(error, ApiError::Http(HttpError::TooLarge { max_bytes: 1 << 20 }));
    assert!(error.to_string().contains("api.max_answer_bytes"), "{error}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_cut() {
    for beginning in ["HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"data\"", ""] {
        let fake = Fake::api(vec![]).await;
        let url = format!("http://{}/", hangs_up_after(beginning));
        let config = ApiConfig { url: url.parse().unwrap(), ..fake.config() };
        let client = Client::new(&config, fake.meters.clone()).unwrap();
        let error = ask(&client).await.unwrap_err();
        assert_eq!((&error, error.is_transient()), (&ApiError::Http(HttpError::Cut), true));
        assert_eq!(counted(&fake, "connect_error"), 1);
    }
}

#[tokio::test]
async fn nobody_there_is_told_as_the_system_tells_it() {
    let fake = Fake::api(vec![]).await;
    // No port that programs get by chance.
    let url = "http://127.0.0.1:1/".parse().unwrap();
    let config = ApiConfig { url, ..fake.config() };
    let client = Client::new(&config, fake.meters.clone()).unwrap();
    let text = ask(&client).await.unwrap_err().to_string();
    assert!(text.contains("cannot be reached") && text.contains("refused"), "{text}");
    assert_eq!(counted(&fake, "connect_error"), 1);
}

#[tokio::test]
async fn a_server_that_hangs_is_not_waited_for() {
    let fake = Fake::api(vec![Reply::Hang]).await;
    let client = fake.client();
    let asking = tokio::spawn(async move { ask(&client).await });
    while fake.queries_asked().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::pause(); // time now jumps to the next timer: the request's own
    assert_eq!(asking.await.unwrap().unwrap_err(), ApiError::Http(HttpError::Timeout));
    assert_eq!(counted(&fake, "timeout"), 1);
}

#[tokio::test]
async fn no_text_holds_a_secret_or_a_token() {
    let token = "the-access-token";
    let echo = json!({ "error": SECRET, "message": [SECRET, token] });
    let told = json!({ "data": null, "errors": [{
        "errorType": token, "message": format!("Bearer {token} is odd"), "path": [token],
    }] });
    let mut texts = Vec::new();
    for reply in [
        Reply::json(401, &echo),
        Reply::json(400, &echo),
        Reply::json(500, &echo),
        Reply::json(200, &echo),
        Reply::json(200, &told),
    ] {
        for (tokens, api) in [
            (vec![Reply::token(token)], vec![reply.clone()]),
            (vec![reply.clone()], vec![answered()]),
        ] {
            let fake = Fake::start(tokens, api).await;
            let client = fake.client();
            let error = ask(&client).await.unwrap_err();
            texts.push(format!("{error} {error:?} {client:?} {:?}", fake.config()));
            if let Ok(bearer) = client.shared.tokens.bearer().await {
                texts.push(format!("{bearer:?} {:?}", bearer.header()));
            }
        }
    }
    for text in texts {
        assert!(!text.contains(SECRET) && !text.contains(token), "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_understood_counts_as_such() {
    let fake = Fake::api(vec![answered()]).await;
    let refuse = |_| Err::<(), _>(ApiError::Malformed("odd".into()));
    let asked = fake.client().execute(Operation::GetEndUserState, QUERY, json!({}), refuse).await;
    asked.unwrap_err();
    assert_eq!((counted(&fake, "ok"), counted(&fake, "malformed")), (0, 1));
}

fn patient(fake: &Fake, retries: u32) -> Client {
    Client::new(&ApiConfig { retries, ..fake.config() }, fake.meters.clone()).unwrap()
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_what_cannot_is_not() {
    let fake = Fake::api(vec![Reply::status(502), Reply::status(429), answered()]).await;
    ask(&patient(&fake, 3)).await.unwrap();
    assert_eq!(fake.queries_asked().len(), 3);
    for reply in [Reply::status(403), failed("NotFound", &Value::Null)] {
        let fake = Fake::api(vec![reply, answered()]).await;
        ask(&patient(&fake, 3)).await.unwrap_err();
        assert_eq!(fake.queries_asked().len(), 1);
    }
}

#[tokio::test]
async fn a_service_that_wants_rest_is_not_asked_by_anybody() {
    let fake = Fake::api(vec![Reply::status(503).with("retry-after", "600"), answered()]).await;
    let client = patient(&fake, 3);
    for _ in 0..2 {
        assert!(ask(&client.clone()).await.unwrap_err().retry_after().unwrap().as_secs() > 500);
    }
    assert_eq!(fake.queries_asked().len(), 1);
}

#[tokio::test]
async fn a_service_that_is_down_is_left_alone_and_found_again_by_a_ping() {
    let mut replies = vec![Reply::status(503); 6];
    replies.push(Reply::data(&json!({ "ping": true })));
    replies.push(answered());
    let fake = Fake::api(replies).await;
    let client = fake.client();
    for _ in 0..5 {
        ask(&client).await.unwrap_err();
    }
    let error = ask(&client).await.unwrap_err();
    assert!(matches!(&error, ApiError::Resting { cause } if cause.contains("503")), "{error}");
    assert_eq!(fake.queries_asked().len(), 5);
    // The first ping fails, too.
    client.wait_until_recovered().await;
    ask(&client).await.unwrap();
    let queries: Vec<_> =
        fake.queries_asked()[5..].iter().map(|a| a.body["query"].clone()).collect();
    assert_eq!(queries, ["query { ping }", "query { ping }", QUERY]);
}

#[tokio::test]
async fn an_answer_of_too_many_items_says_which_setting_allows_more() {
    let fake = Fake::api(vec![]).await;
    let config = ApiConfig { max_answer_items: 2, ..fake.config() };
    let error = json!({ "message": "x" });
    for body in [
        json!({ "data": null, "errors": [error, error, error] }),
        json!({ "data": { "getEndUserState": { "a": [{ "b": [1, 2, 3] }] } } }),
    ] {
        let answer = Answer::parse(body.to_string().as_bytes(), false, "", 2);
        let error = answer.and_then(|mut answer| answer.take_root("getEndUserState")).unwrap_err();
        assert!(error.to_string().contains("2 that api.max_answer_items allows"), "{error}");
        assert_eq!(error.result_label(), "malformed");
    }
    assert_eq!(Client::new(&config, fake.meters.clone()).unwrap().max_items(), 2);
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_cut_and_a_bad_value_is_not() {
    let parse = |body: &[u8], is_html| Answer::parse(body, is_html, "", 10).unwrap_err();
    let cut = parse(br#"{"data":{"a":"#, false);
    assert_eq!(
        (cut.is_transient(), cut.result_label(), cut.is_bad_value()),
        (true, "malformed", false)
    );
    assert!(parse(br#"{"data":{"a":1e999}}"#, false).is_bad_value());
    assert!(parse(br#"{"data":{"a":"\x"}}"#, false).is_bad_value());
    let deep = format!("{{\"data\":{}", "[".repeat(200));
    assert!(parse(deep.as_bytes(), false).is_bad_value());
    for (body, is_html) in [("<html>", false), ("{oops", true), ("", false), ("oops", false)] {
        let error = parse(body.as_bytes(), is_html);
        assert!(matches!(error, ApiError::Malformed(_)) && !error.is_bad_value(), "{body}");
    }
}

fn throttled() -> Reply {
    let error = json!({ "path": null, "errorType": "ThrottlingException", "message": "" });
    Reply::json(200, &json!({ "data": null, "errors": [error] }))
}

#[tokio::test]
async fn throttling_in_the_body_slows_everybody_and_is_counted_as_such() {
    for reply in [throttled(), Reply::status(429)] {
        let fake = Fake::api(vec![reply, answered()]).await;
        let client = fake.client();
        ask(&client).await.unwrap_err();
        assert_eq!(counted(&fake, "throttled"), 1);
        // How long it rests is random, and can be no time at all.
        assert!(client.shared.budget.rest_count() > 0);
    }
}

#[tokio::test]
async fn an_outage_in_the_body_is_asked_again() {
    let outage = || {
        let message = "2025-11-25T12:00:00Z 7 Task timed out after 30.00 seconds";
        let error = json!({ "path": ["getEndUserState"], "errorType": "Lambda:Unhandled",
            "message": message });
        Reply::json(200, &json!({ "data": null, "errors": [error] }))
    };
    let fake = Fake::api(vec![outage(), outage(), answered()]).await;
    ask(&patient(&fake, 3)).await.unwrap();
    assert_eq!((fake.queries_asked().len(), counted(&fake, "graphql_error")), (3, 2));
    let fake = Fake::api(vec![outage()]).await;
    assert!(ask(&fake.client()).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn an_operation_without_the_right_is_not_sent_again() {
    let message = "Not Authorized to access getEndUserState on type Query";
    let error =
        json!({ "path": ["getEndUserState"], "errorType": "Unauthorized", "message": message });
    let refused = Reply::json(200, &json!({ "data": null, "errors": [error] }));
    let fake = Fake::api(vec![refused]).await;
    let client = patient(&fake, 3);
    for _ in 0..3 {
        let expected = ApiError::NoRight { field: "getEndUserState" };
        assert_eq!(ask(&client).await.unwrap_err(), expected);
    }
    assert_eq!((fake.queries_asked().len(), fake.tokens_asked().len()), (1, 1));
    assert_eq!(fake.meters.is_right_missing(Operation::GetEndUserState), 1);
}

#[tokio::test]
async fn a_bad_value_is_mended_where_it_can_be() {
    let body = r#"{"data":{"getEndUserState":{"id":"1","displayName":"Zo\ud83d"}}}"#;
    let fake = Fake::api(vec![Reply::Http(200, vec![], format!("\u{feff}{body}"))]).await;
    let answer = ask(&fake.client()).await.unwrap();
    assert_eq!(answer.data["getEndUserState"]["displayName"], "Zo\u{fffd}");
}
