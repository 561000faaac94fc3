//! The style and the script, out of the binary.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

use crate::build_info;

/// Their addresses name the build, so that a new one is fetched at once.
pub(super) fn asset_url(name: &str) -> String {
    format!("/assets/{name}?build={}", build_info::REVISION)
}

pub(super) async fn style() -> Response {
    asset_response("text/css; charset=utf-8", include_str!("../assets/page.css"))
}

pub(super) async fn script() -> Response {
    asset_response("text/javascript; charset=utf-8", include_str!("../assets/page.js"))
}

pub(super) async fn icon() -> Response {
    asset_response("image/svg+xml", include_str!("../assets/icon.svg"))
}

fn asset_response(content_type: &'static str, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "max-age=86400")];
    (headers, text).into_response()
}
