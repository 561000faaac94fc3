//! Sends token requests, in the form that the token endpoint accepts.

use reqwest::{StatusCode, Url, header::CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use super::grant::{Grant, read_grant};
use crate::{
    cii::{error::TokenError, exchange::Exchange},
    config::TokenRequest,
};

const MAX_CODE_CHARS: usize = 40;

/// Most bytes of an answer, far more than a token needs.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// The credentials and the endpoint of token requests.
#[derive(Debug)]
pub(in crate::cii) struct Credentials {
    pub(in crate::cii) client_id: String,
    pub(in crate::cii) client_secret: SecretString,
    pub(in crate::cii) audience: Option<String>,
}

/// A form of the request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON, as in the service's documentation.
    Json,
    /// Form-encoded, as in OAuth 2.0 (RFC 6749, 4.4.2).
    Encoded,
}

impl Form {
    pub(super) const fn from_setting(setting: TokenRequest) -> Self {
        match setting {
            TokenRequest::Auto | TokenRequest::Json => Self::Json,
            TokenRequest::Form => Self::Encoded,
        }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::Json => Self::Encoded,
            Self::Encoded => Self::Json,
        }
    }
}

#[derive(Serialize)]
struct Fields<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'a str>,
}

/// Sends one token request.
pub(super) async fn request_token(
    http: &reqwest::Client,
    url: &Url,
    credentials: &Credentials,
    form: Form,
) -> Result<Grant, TokenError> {
    let secret = credentials.client_secret.expose_secret();
    let fields = Fields {
        client_id: &credentials.client_id,
        client_secret: secret,
        grant_type: "client_credentials",
        audience: credentials.audience.as_deref(),
    };
    let request = http.post(url.clone());
    let request = match form {
        Form::Json => request.json(&fields),
        Form::Encoded => request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encode_form(&fields)),
    };
    let answer = Exchange::send(request, MAX_ANSWER_BYTES).await?;
    let refusals = [
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    ];
    if refusals.contains(&answer.status) {
        let code = error_code(&answer.body).filter(|code| code != secret);
        return Err(TokenError::Refused { status: answer.status.as_u16(), code });
    }
    read_grant(&answer.into_success_body()?)
}

/// Whether a refusal may be about the form of the request, not the client. Status 400 can mean
/// either.
pub(super) fn may_be_form_refusal(error: &TokenError) -> bool {
    matches!(error, TokenError::Refused { status: 400 | 415, .. })
}

/// Selects the refusal to report of both forms: the other may only say that its form is not
/// supported.
pub(super) fn plainer_error(first: TokenError, second: TokenError) -> TokenError {
    let is_of_form = |error: &TokenError| match error {
        TokenError::Refused { status: 415, .. } => true,
        TokenError::Refused { status: 400, code } => {
            matches!(code.as_deref(), None | Some("invalid_request" | "unsupported_media_type"))
        }
        _ => false,
    };
    if !is_of_form(&first) && is_of_form(&second) { first } else { second }
}

fn encode_form(fields: &Fields<'_>) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("grant_type", fields.grant_type);
    body.append_pair("client_id", fields.client_id);
    body.append_pair("client_secret", fields.client_secret);
    if let Some(audience) = fields.audience {
        body.append_pair("audience", audience);
    }
    body.finish()
}

/// OAuth's `error` code, if it is a valid one. Nothing else of a refusal is used, because servers
/// echo requests, which contain the secret.
fn error_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body.get("error")?.as_str()?;
    let is_code = !code.is_empty()
        && code.len() <= MAX_CODE_CHARS
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_code.then(|| code.to_owned())
}
