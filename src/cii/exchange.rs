//! Sends one HTTP request and reads its whole answer.

use std::{error::Error, time::Duration};

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};

use super::error::HttpError;
use crate::{clock, domain};

/// The longest `Retry-After` that is honoured.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_mins(15);

/// A completely read answer of any status.
pub(super) struct Exchange {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    /// Whether the content type is HTML.
    pub(super) is_html: bool,
    retry_after: Option<Duration>,
}

impl Exchange {
    /// Sends `request` and reads the answer, at most `max_bytes`.
    pub(super) async fn send(
        request: reqwest::RequestBuilder,
        max_bytes: usize,
    ) -> Result<Self, HttpError> {
        let mut response = request.send().await.map_err(|error| send_error(&error))?;
        Ok(Self {
            status: response.status(),
            retry_after: retry_after(response.headers()),
            is_html: is_html(response.headers()),
            body: read_body(&mut response, max_bytes).await?,
        })
    }

    /// Returns the body of a successful answer.
    pub(super) fn into_success_body(self) -> Result<Vec<u8>, HttpError> {
        let Self { status, body, retry_after, .. } = self;
        if status.is_success() {
            Ok(body)
        } else if status == StatusCode::TOO_MANY_REQUESTS {
            Err(HttpError::Throttled { retry_after })
        } else if status.is_server_error() {
            Err(HttpError::Server { status: status.as_u16(), retry_after })
        } else {
            Err(HttpError::Client { status: status.as_u16() })
        }
    }
}

async fn read_body(response: &mut Response, max_bytes: usize) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| read_error(&error))? {
        if body.len() + chunk.len() > max_bytes {
            return Err(HttpError::TooLarge { max_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
}

fn send_error(error: &reqwest::Error) -> HttpError {
    if error.is_timeout() {
        HttpError::Timeout
    } else if error.is_connect() {
        HttpError::Connect(innermost_cause(error))
    } else {
        HttpError::Cut
    }
}

fn read_error(error: &reqwest::Error) -> HttpError {
    if error.is_timeout() { HttpError::Timeout } else { HttpError::Cut }
}

/// The innermost cause of a failed connection: the error of the system or of TLS. The outer errors
/// only add the URL.
fn innermost_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The `Retry-After`, at most [`MAX_RETRY_AFTER`].
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    domain::retry_after(text, clock::now()).map(|wait| wait.min(MAX_RETRY_AFTER))
}
