//! The JSON API over the store's content.

mod changes;
mod checks;
mod deliveries;
mod entry;
mod events;
mod follow;
mod ips;
mod jobs;
mod openapi;
mod otlp;
mod page;
mod resolution;
mod users;
mod watch;
mod webhook;
mod webhook_targets;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post},
};

use super::{Ops, problem::Problem};

/// The routes below `/api/v1`. An unknown path or method there is answered with a JSON problem,
/// too.
pub(super) fn routes() -> Router<Arc<Ops>> {
    Router::new()
        .route("/checks", get(checks::list))
        .route("/checks/{id}", get(checks::show).delete(checks::forget))
        .route("/checks/{id}/users", get(checks::list_users))
        .route("/users", get(users::show_user_by_query))
        .route("/users/{login}", get(users::show_user))
        .route("/ips/{ip}", get(ips::show))
        .route("/jobs", get(jobs::list))
        .route("/events", get(events::serve_events))
        .route("/watch", get(watch::list).post(watch::add))
        .route("/watch/{kind}/{subject}", delete(watch::remove))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}", get(deliveries::show))
        .route("/deliveries/{id}/replay", post(deliveries::replay))
        .route("/webhook", get(webhook::show))
        .route("/webhook-targets", get(webhook_targets::list).post(webhook_targets::keep))
        .route("/webhook-targets/{id}", delete(webhook_targets::forget))
        .route("/otlp", get(otlp::show_status))
        .route("/otlp/retry", post(otlp::retry))
        .route("/otlp/backfill", post(otlp::backfill))
        .route("/changes", get(changes::stream_changes))
        .route("/openapi.json", get(openapi::document))
        .fallback(unknown_path)
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
}

/// Routes whose answers are small and slow. They take no turn ([`Turns`](super::turns::Turns)),
/// because quick requests would wait behind them.
pub(super) fn slow_routes() -> Router<Arc<Ops>> {
    Router::new().route("/api/v1/users/{login}", delete(users::purge))
}

async fn unknown_path() -> Problem {
    Problem::not_found("there is no such path; /api/v1/openapi.json lists the paths")
}
