//! What the webhook listener answers while a start waits for the database.

use axum::{Router, routing::get};

use super::{answer::Answer, healthy};

/// The routes until deliveries can be recorded: who sends one is asked to send it again later.
pub fn starting_routes() -> Router {
    Router::new().route("/-/healthy", get(healthy)).fallback(async || Answer::Unavailable)
}
