//! What the ops listener answers while a start waits for the database.

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use tokio::sync::watch;

use super::{
    health::{self, Condition},
    problem::Problem,
};

/// The routes until there is a store. `/-/ready` returns the reason in `why`. `/metrics` and all pages
/// return 503: nothing is known yet, and a failed scrape shows that as `up` 0.
pub fn starting_routes(why: watch::Receiver<String>) -> Router {
    Router::new()
        .route("/-/healthy", get(health::show_health))
        .route("/-/ready", get(not_ready))
        .fallback(async || {
            Problem::unavailable("the exporter starts, and waits for its database; see /-/ready")
        })
        .with_state(why)
}

async fn not_ready(State(why): State<watch::Receiver<String>>, headers: HeaderMap) -> Response {
    Condition::without_store(&why.borrow()).into_response(&headers)
}
