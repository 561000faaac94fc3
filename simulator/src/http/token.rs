//! `POST /oauth/token`: OAuth2 client credentials, with a JSON body unless a fault wants a form.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{App, misbehave};
use crate::{
    faults::{self, Endpoint, Kind},
    service::Service,
};

#[derive(Deserialize)]
struct Credentials {
    client_id: String,
    client_secret: String,
    grant_type: String,
    audience: Option<String>,
}

/// A body that the endpoint takes, and the status that another body gets.
#[derive(Debug, Clone, Copy)]
struct Taken {
    is_json: bool,
    otherwise: StatusCode,
}

pub(super) async fn answer(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let operations = ["token".to_owned()];
    let _in_hand = app.service.requests.begin(&operations, &Value::Null);
    let struck = app.service.faults.strike(Endpoint::Token, &operations, &[]);
    tokio::time::sleep(faults::delay(&struck)).await;
    let (status, mut right) = grant(&app.service, &headers, &body, Taken::new(&struck));
    for kind in &struck {
        if let (Kind::ExpiresIn(wanted), Value::Object(granted)) = (kind, &mut right)
            && granted.remove("expires_in").is_some()
            && !wanted.is_null()
        {
            granted.insert("expires_in".to_owned(), wanted.clone());
        }
    }
    // A byte order mark goes before whatever the answer is, with its status.
    let text = right.to_string();
    let Some(mut response) = misbehave::instead(&struck, &text).await else {
        return (status, misbehave::json(text)).into_response();
    };
    if struck.contains(&Kind::ByteOrderMark) && response.status().is_success() {
        *response.status_mut() = status;
    }
    response
}

impl Taken {
    fn new(struck: &[Kind]) -> Self {
        let wanted = struck.iter().find_map(|kind| match kind {
            Kind::JsonOnly(status) => Some((true, *status)),
            Kind::FormOnly(status) => Some((false, *status)),
            _ => None,
        });
        let (is_json, status) = wanted.unwrap_or((true, 400));
        Self { is_json, otherwise: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST) }
    }

    fn content_type(self) -> &'static str {
        if self.is_json { "application/json" } else { "application/x-www-form-urlencoded" }
    }

    /// The credentials in a body of the form that is taken.
    fn read(self, body: &[u8]) -> Option<Credentials> {
        if self.is_json {
            return serde_json::from_slice(body).ok();
        }
        let fields: Map<String, Value> = form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), Value::from(value)))
            .collect();
        serde_json::from_value(Value::Object(fields)).ok()
    }
}

fn grant(service: &Service, headers: &HeaderMap, body: &[u8], taken: Taken) -> (StatusCode, Value) {
    let is_taken = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with(taken.content_type()));
    let refuse = |status, error: &str, description: &str| {
        (status, json!({ "error": error, "error_description": description }))
    };
    if !is_taken {
        let description = format!("the body must be {}", taken.content_type());
        return refuse(taken.otherwise, "invalid_request", &description);
    }
    let Some(credentials) = taken.read(body) else {
        let description = "client_id, client_secret and grant_type are needed";
        return refuse(StatusCode::BAD_REQUEST, "invalid_request", description);
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
