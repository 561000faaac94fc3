use serde_json::json;

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::cii::fake::{Fake, Reply, SECRET};

fn source(fake: &Fake, audience: Option<&str>) -> TokenSource {
    let credentials = Credentials {
        client_id: "the-client".into(),
        client_secret: SECRET.into(),
        audience: audience.map(str::to_owned),
    };
    let url = fake.config().token_url;
    let http = reqwest::Client::new();
    TokenSource::new(http, url, credentials, fake.config().token_request, fake.meters.clone())
}

fn granting(lifetime: &Value) -> Reply {
    Reply::json(200, &json!({ "access_token": "a", "expires_in": lifetime }))
}

#[test]
fn a_token_is_renewed_a_tenth_or_five_minutes_before_its_end() {
    let kept = |seconds| use_time(Duration::from_secs(seconds)).as_secs();
    assert_eq!([kept(0), kept(100), kept(3000), kept(36_000)], [30, 90, 2700, 35_700]);
}

#[tokio::test]
async fn everybody_uses_one_token_and_one_request() {
    let fake = Fake::start(vec![Reply::token("a"), Reply::token("b")], vec![]).await;
    let source = source(&fake, None);
    let (a, b, c) = tokio::join!(source.bearer(), source.bearer(), source.bearer());
    let later = source.bearer().await.unwrap();
    for bearer in [a, b, c] {
        assert!(bearer.unwrap().is_same(&later));
    }
    assert_eq!(later.expose(), "a");
    assert_eq!(fake.tokens_asked().len(), 1);
    assert_eq!(fake.meters.request_count(Operation::Token, "ok"), 1);
}

#[tokio::test]
async fn those_who_wait_share_a_failure_and_the_next_tries_anew() {
    let fake = Fake::start(vec![Reply::status(503), Reply::token("a")], vec![]).await;
    let source = source(&fake, None);
    let (a, b, c) = tokio::join!(source.bearer(), source.bearer(), source.bearer());
    let failure =
        TokenError::Http(crate::cii::HttpError::Server { status: 503, retry_after: None });
    for bearer in [a, b, c] {
        assert_eq!(bearer.unwrap_err(), failure);
    }
    assert_eq!(source.bearer().await.unwrap().expose(), "a");
    assert_eq!(fake.tokens_asked().len(), 2);
    assert_eq!(fake.meters.request_count(Operation::Token, "server_error"), 1);
}

#[tokio::test]
async fn a_caller_who_gives_up_leaves_the_others_working() {
    let fake = Fake::start(vec![Reply::Hang, Reply::token("a")], vec![]).await;
    let source = source(&fake, None);
    let first_request = async {
        while fake.tokens_asked().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let impatient = async {
        tokio::select! {
            _ = source.bearer() => unreachable!("the first request hangs"),
            () = first_request => {}
        }
    };
    let ((), patient) = tokio::join!(impatient, source.bearer());
    assert_eq!(patient.unwrap().expose(), "a");
}

#[tokio::test]
async fn only_the_token_in_use_is_invalidated() {
    let fake = Fake::start(["a", "b", "c"].map(Reply::token).into(), vec![]).await;
    let source = source(&fake, None);
    let first = source.bearer().await.unwrap();
    source.invalidate(&first).await;
    assert!(fake.meters.token_expiry().abs() < 1.0);
    let second = source.bearer().await.unwrap();
    source.invalidate(&first).await;
    assert!(source.bearer().await.unwrap().is_same(&second));
    assert_eq!(fake.tokens_asked().len(), 2);
}

#[tokio::test]
async fn a_token_that_expires_at_once_is_used_for_a_while() {
    for lifetime in [json!(0), json!(-5), json!("0"), json!(3)] {
        let fake = Fake::start(vec![granting(&lifetime)], vec![]).await;
        let source = source(&fake, None);
        source.bearer().await.unwrap();
        tokio::time::pause();
        // Some of the 30 seconds may have passed before time stood still.
        tokio::time::advance(Duration::from_secs(15)).await;
        source.bearer().await.unwrap();
        assert_eq!(fake.tokens_asked().len(), 1, "{lifetime}");
        tokio::time::advance(Duration::from_secs(16)).await;
        tokio::time::resume();
        source.bearer().await.unwrap();
        assert_eq!(fake.tokens_asked().len(), 2, "{lifetime}");
    }
}

/// Which form each request for a token had.
fn forms(fake: &Fake) -> Vec<&'static str> {
    let form = |asked: &crate::cii::fake::Asked| match (
        asked.headers["content-type"].to_str().unwrap(),
        &asked.body,
    ) {
        ("application/json", Value::Object(_)) => "json",
        ("application/x-www-form-urlencoded", Value::String(_)) => "form",
        other => panic!("{other:?}"),
    };
    fake.tokens_asked().iter().map(form).collect()
}

#[tokio::test]
async fn an_endpoint_that_refuses_json_is_asked_in_the_other_form_from_then_on() {
    for refusal in [Reply::status(415), Reply::status(400), Reply::json(400, &json!({}))] {
        let replies = vec![refusal, Reply::token("a"), Reply::token("b")];
        let fake = Fake::start(replies, vec![]).await;
        let source = source(&fake, Some("an audience"));
        let first = source.bearer().await.unwrap();
        source.invalidate(&first).await;
        assert_eq!(source.bearer().await.unwrap().expose(), "b");
        assert_eq!(forms(&fake), ["json", "form", "form"]);
        let expected = format!(
            "grant_type=client_credentials&client_id=the-client&client_secret={SECRET}\
             &audience=an+audience"
        );
        assert_eq!(fake.tokens_asked()[1].body, expected);
    }
}

#[tokio::test]
async fn a_refusal_that_is_not_of_the_form_is_not_asked_again() {
    for refusal in [Reply::status(401), Reply::status(403), Reply::status(503)] {
        let fake = Fake::start(vec![refusal], vec![]).await;
        source(&fake, None).bearer().await.unwrap_err();
        assert_eq!(forms(&fake), ["json"]);
    }
}

#[tokio::test]
async fn wrong_credentials_are_one_error_whatever_the_form() {
    let refused = |status, code: &str| Reply::json(status, &json!({ "error": code }));
    for replies in [
        [refused(400, "invalid_client"), Reply::status(415)],
        [refused(415, "unsupported_media_type"), refused(401, "invalid_client")],
        [refused(400, "invalid_request"), refused(400, "invalid_client")],
    ] {
        let fake = Fake::start(replies.into(), vec![]).await;
        let error = source(&fake, None).bearer().await.unwrap_err();
        assert!(error.to_string().contains("invalid_client"), "{error}");
    }
}

#[tokio::test]
async fn a_form_that_is_set_is_the_only_one() {
    for (setting, form) in [(TokenRequest::Json, "json"), (TokenRequest::Form, "form")] {
        let fake = Fake::start(vec![Reply::status(400)], vec![]).await;
        let source = TokenSource { setting, ..source(&fake, None) };
        source.state.lock().await.form = Form::from_setting(setting);
        source.bearer().await.unwrap_err();
        assert_eq!(forms(&fake), [form]);
    }
}

#[tokio::test]
async fn the_expiry_is_shown_whatever_form_the_lifetime_has() {
    for (lifetime, seconds) in [
        (json!(36_000), 36_000),
        (json!("7200"), 7200),
        (Value::Null, 3600),
        (json!(-1), 30),
        (json!(0), 30),
        (json!(7200.0), 7200),
        (json!(true), 3600),
        (json!(u64::MAX), 30 * 24 * 3600),
    ] {
        let fake = Fake::start(vec![granting(&lifetime)], vec![]).await;
        let before = clock::now().timestamp();
        source(&fake, None).bearer().await.unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "the gauge holds whole seconds")]
        let shown = fake.meters.token_expiry() as i64;
        let expected = before + seconds..=clock::now().timestamp() + seconds;
        assert!(expected.contains(&shown), "{lifetime}");
    }
}

#[tokio::test]
async fn the_request_is_json_and_names_an_audience_only_when_there_is_one() {
    for audience in [None, Some("https://old.example")] {
        let fake = Fake::start(vec![Reply::token("a")], vec![]).await;
        source(&fake, audience).bearer().await.unwrap();
        let mut expected = json!({
            "client_id": "the-client",
            "client_secret": SECRET,
            "grant_type": "client_credentials",
        });
        if let Some(audience) = audience {
            expected["audience"] = json!(audience);
        }
        let asked = &fake.tokens_asked()[0];
        assert_eq!(asked.body, expected);
        assert_eq!(asked.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_refusal_tells_its_code_and_nothing_else() {
    for (status, body, code) in [
        (
            401,
            json!({ "error": "access_denied", "error_description": SECRET }),
            Some("access_denied"),
        ),
        (400, json!({ "error": "Ask <admin>" }), None),
        (401, json!({ "error": SECRET }), None),
        (403, json!({ "error": { "is": "odd" } }), None),
        (401, json!({ "error": "x".repeat(99) }), None),
    ] {
        let fake = Fake::start(vec![Reply::json(status, &body)], vec![]).await;
        let error = source(&fake, None).bearer().await.unwrap_err();
        assert_eq!(error, TokenError::Refused { status, code: code.map(str::to_owned) });
        // 400 may also be of the form, so the other is tried.
        let requests = if status == 400 { 2 } else { 1 };
        assert_eq!(fake.meters.request_count(Operation::Token, "unauthorized"), requests);
    }
}

#[tokio::test]
async fn an_answer_without_a_usable_token_is_refused() {
    for body in [
        "<html>".to_owned(),
        "[]".to_owned(),
        json!({ "access_token": "" }).to_string(),
        json!({ "access_token": 5 }).to_string(),
        json!({ "access_token": "two\nlines" }).to_string(),
        json!({ "access_token": "a", "token_type": "mac" }).to_string(),
    ] {
        let fake = Fake::start(vec![Reply::Http(200, vec![], body.clone())], vec![]).await;
        let error = source(&fake, None).bearer().await.unwrap_err();
        assert!(matches!(error, TokenError::Malformed(_)), "{body}");
        assert_eq!(fake.meters.request_count(Operation::Token, "malformed"), 1);
    }
}
