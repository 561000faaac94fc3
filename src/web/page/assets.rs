//! The style sheet, the script and the icon, embedded in the binary.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

use crate::build_info;

/// The URL of an asset. It names the build, so that browsers fetch the assets of a new one in spite
/// of their cache.
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
