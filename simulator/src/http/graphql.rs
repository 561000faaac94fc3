//! `POST /graphql`: answers, and errors, in the form of AWS `AppSync`.

use async_graphql::{PathSegment, ServerError, Variables};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, misbehave};
use crate::{
    answer::{Answer, Root, is_of_circle, render, roots},
    faults::{self, Endpoint, Kind},
    graphql::{Conditions, error_type},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    query: String,
    #[serde(default)]
    variables: Value,
    operation_name: Option<String>,
}

pub(super) async fn answer(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_authorized(&app, &headers) {
        let problem = problem("UnauthorizedException", "You are not authorized to make this call.");
        return (StatusCode::UNAUTHORIZED, misbehave::json(problem)).into_response();
    }
    let Ok(question) = serde_json::from_slice::<Question>(&body) else {
        let problem = problem("MalformedHttpRequestException", "Unable to parse GraphQL query.");
        return (StatusCode::BAD_REQUEST, misbehave::json(problem)).into_response();
    };
    let roots = roots(&question.query, &question.variables);
    let operations: Vec<String> = roots.iter().map(|root| root.operation.clone()).collect();
    let subjects = texts(&question.variables);
    let _in_hand = app.service.requests.begin(&operations, &question.variables);
    let passing = app.service.passing_faults();
    let mut struck = app.service.faults.strike(Endpoint::Graphql, &operations, &subjects);
    struck.extend(passing.strike(Endpoint::Graphql, &operations, &subjects));
    tokio::time::sleep(app.service.options.latency + faults::delay(&struck)).await;
    let mut answer = execute(&app, question, roots, &struck).await;
    answer.edit(&app.service.faults);
    answer.edit(&passing);
    let right = render(&answer.into_json());
    match misbehave::instead(&struck, &right).await {
        Some(response) => response,
        None => misbehave::json(right),
    }
}

fn is_authorized(app: &App, headers: &HeaderMap) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .is_some_and(|token| app.service.tokens.is_good(token))
}

async fn execute(app: &App, mut question: Question, roots: Vec<Root>, struck: &[Kind]) -> Answer {
    leave_circles(&mut question.variables);
    let mut request = async_graphql::Request::new(question.query)
        .variables(Variables::from_json(question.variables))
        .data(Conditions::new(struck));
    if let Some(name) = question.operation_name {
        request = request.operation_name(name);
    }
    let response = app.schema.execute(request).await;
    let mut data = response.data.into_json().unwrap_or(Value::Null);
    // Every root field is non-null, so by GraphQL's rule one that fails leaves
    // no data at all; the library keeps what the others gave.
    let is_lost = |error: &ServerError| match error.path.first() {
        Some(PathSegment::Field(key)) => data.get(key).is_none_or(Value::is_null),
        _ => true,
    };
    let is_lost = response.errors.iter().any(is_lost);
    let mut errors: Vec<Value> = response.errors.iter().map(appsync).collect();
    for kind in struck {
        if let Kind::FieldError(field) = kind {
            lose(&mut data, field, &mut errors);
        }
    }
    Answer { roots, data, errors, is_lost }
}

/// Makes a field null in every root field that has it, with an error.
fn lose(data: &mut Value, field: &str, errors: &mut Vec<Value>) {
    for (key, root) in data.as_object_mut().into_iter().flatten() {
        if let Some(value) = root.get_mut(field) {
            *value = Value::Null;
            errors.push(json!({
                "path": [key, field],
                "errorType": "InternalFailure",
                "message": "a fault on demand",
                "errorInfo": null,
                "data": null,
                "locations": null,
            }));
        }
    }
}

/// An error in the form of `AppSync`.
fn appsync(error: &ServerError) -> Value {
    let path: Vec<Value> = error
        .path
        .iter()
        .map(|segment| match segment {
            PathSegment::Field(name) => json!(name),
            PathSegment::Index(index) => json!(index),
        })
        .collect();
    let locations: Vec<Value> = error
        .locations
        .iter()
        .map(|place| json!({ "line": place.line, "column": place.column, "sourceName": null }))
        .collect();
    json!({
        "path": if path.is_empty() { Value::Null } else { json!(path) },
        "errorType": error_type(error),
        "message": error.message,
        "errorInfo": null,
        "data": null,
        "locations": locations,
    })
}

fn problem(error_type: &str, message: &str) -> String {
    json!({ "errors": [{ "errorType": error_type, "message": message }] }).to_string()
}

/// Puts the first page in place of a token of a circle, which the listing itself does not know.
fn leave_circles(variables: &mut Value) {
    for value in variables.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if value.as_str().is_some_and(is_of_circle) {
            *value = Value::Null;
        }
    }
}

/// Every text among the variables: logins and addresses.
fn texts(variables: &Value) -> Vec<String> {
    match variables {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
