//! What the webhook listener answers while a start waits for the database.

use axum::{Router, routing::get};

use super::{answer::Answer, show_liveness};

/// The routes until deliveries can be recorded: each is answered with 503 and `Retry-After`.
pub fn starting_routes() -> Router {
    Router::new().route("/-/healthy", get(show_liveness)).fallback(async || Answer::Unavailable)
}
