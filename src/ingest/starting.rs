//! What the webhook listener answers while a start waits for the database.

use axum::{Router, extract::Request, routing::get};

use super::{answer::Answer, body, show_liveness};

/// The routes until deliveries can be recorded: each is answered with 503 and `Retry-After`.
pub fn starting_routes() -> Router {
    Router::new().route("/-/healthy", get(show_liveness)).fallback(put_off)
}

/// Puts a delivery off. Its body is drained, because a sender that writes all of it first would see a
/// reset connection instead of the answer.
async fn put_off(request: Request) -> Answer {
    let (head, body) = request.into_parts();
    body::drain_body(&head.headers, body, body::BRIEFLY).await;
    Answer::Unavailable
}
