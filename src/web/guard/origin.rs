//! Checks the origin of requests that change state, against cross-site request forgery: a page of
//! another site can send a request from the browser of a user who reaches the listener.

use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::{Access, Refusal};

pub(super) fn check_origin(access: &Access, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
    let is_own_site = |site: &header::HeaderValue| {
        [&b"same-origin"[..], b"none"].iter().any(|own| site.as_bytes().eq_ignore_ascii_case(own))
    };
    let host = uri.authority().map(axum::http::uri::Authority::as_str);
    let host = host.or_else(|| headers.get(header::HOST)?.to_str().ok());
    let is_own_origin = |origin: &header::HeaderValue| {
        let Ok(origin) = origin.to_str() else { return false };
        let origin = origin.to_ascii_lowercase();
        if access.public_origin.as_ref() == Some(&origin) {
            return true;
        }
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == host.map(str::to_ascii_lowercase).as_deref()
    };
    if headers.get_all("sec-fetch-site").iter().all(is_own_site)
        && headers.get_all(header::ORIGIN).iter().all(is_own_origin)
    {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "a page of another site may not change anything here; where the listener is behind a \
         proxy, set ops.public_url to the URL of its pages",
    ))
}
