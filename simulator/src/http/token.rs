//! `POST /oauth/token`: OAuth2 client credentials, with a JSON body.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, misbehave};
use crate::{
    faults::{self, Endpoint},
    service::Service,
};

#[derive(Deserialize)]
struct Credentials {
    client_id: String,
    client_secret: String,
    grant_type: String,
    audience: Option<String>,
}

pub(super) async fn answer(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let operations = ["token".to_owned()];
    let _in_hand = app.service.requests.begin(&operations, &Value::Null);
    let struck = app.service.faults.strike(Endpoint::Token, &operations, &[]);
    tokio::time::sleep(faults::delay(&struck)).await;
    let (status, right) = grant(&app.service, &headers, &body);
    if let Some(response) = misbehave::instead(&struck, &right.to_string()).await {
        return response;
    }
    (status, Json(right)).into_response()
}

fn grant(service: &Service, headers: &HeaderMap, body: &[u8]) -> (StatusCode, Value) {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    let refuse = |status, error: &str, description: &str| {
        (status, json!({ "error": error, "error_description": description }))
    };
    let bad = |description| refuse(StatusCode::BAD_REQUEST, "invalid_request", description);
    if !is_json {
        return bad("the body must be JSON");
    }
    let Ok(credentials) = serde_json::from_slice::<Credentials>(body) else {
        return bad("client_id, client_secret and grant_type are needed");
    };
    if credentials.grant_type != "client_credentials" {
        let description = "only client_credentials is granted";
        return refuse(StatusCode::FORBIDDEN, "unsupported_grant_type", description);
    }
    let options = &service.options;
    let is_known = credentials.client_id == options.client_id
        && credentials.client_secret == options.client_secret;
    let is_meant = options.audience.is_none() || credentials.audience == options.audience;
    if !is_known || !is_meant {
        return refuse(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized");
    }
    let token = service.tokens.issue(options.token_lifetime);
    let seconds = options.token_lifetime.as_secs();
    let granted = json!({ "access_token": token, "token_type": "Bearer", "expires_in": seconds });
    (StatusCode::OK, granted)
}
