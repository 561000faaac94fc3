//! HTML pages: rendered on the server, complete without a script; a small script refreshes them.

mod assets;
mod case;
mod causes;
mod chart;
mod check;
mod checks;
mod deliveries;
mod delivery;
mod events;
mod failers;
mod find;
mod glyph;
mod health;
mod home;
mod ip;
mod known;
mod layout;
mod listing;
mod lists;
mod overview;
mod parts;
mod polls;
mod reasons;
mod sentence;
mod start;
mod strips;
mod tiles;
mod trend;
mod trust;
mod user;
mod watched;
mod words;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};

use super::{Ops, problem::Problem};

/// Content security policy: only the exporter's own style and script, nothing from other origins,
/// no framing. It is a second barrier: text from outside is escaped anyway.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// The routes of the pages, lists and assets.
pub(super) fn routes() -> Router<Arc<Ops>> {
    Router::new()
        .route("/", get(home::page))
        .route("/checks.csv", get(lists::stream_checks))
        .route("/checks", get(check::page_by_query))
        .route("/checks/{id}", get(check::page))
        .route("/checks/{id}/users.csv", get(lists::stream_check_users))
        .route("/events.csv", get(lists::stream_events))
        .route("/users", get(user::page_by_query))
        .route("/users.csv", get(lists::stream_failing_users))
        .route("/users/{login}", get(user::page))
        .route("/users/{login}/checks.csv", get(lists::stream_user_failures))
        .route("/ips", get(ip::page_by_query))
        .route("/ips/{ip}", get(ip::page))
        .route("/watched", get(watched::page))
        .route("/watched.csv", get(lists::stream_watched))
        .route("/health", get(health::page))
        .route("/find", get(find::page))
        .route("/deliveries", get(deliveries::page))
        .route("/deliveries.csv", get(lists::stream_deliveries))
        .route("/deliveries/{id}", get(delivery::page))
        .route("/assets/page.css", get(assets::style))
        .route("/assets/page.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
        .fallback(unknown_path)
        .layer(middleware::map_response(set_security_headers))
}

/// Answers an unknown path: with a page, or below `/api` with a JSON problem.
async fn unknown_path(uri: Uri) -> Response {
    let problem = Problem::not_found(format!("there is nothing at {}", uri.path()));
    if uri.path().starts_with("/api") {
        problem.into_response()
    } else {
        Failure(problem).into_response()
    }
}

async fn set_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Paths contain logins, which no other site may learn from the referrer.
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response.into_response()
}

/// A problem that is answered with an error page.
struct Failure(Problem);

impl<E: Into<Problem>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, detail) = self.0.into_parts();
        (status, layout::render_failure(status, &detail)).into_response()
    }
}
