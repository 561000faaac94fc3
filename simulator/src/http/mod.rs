//! The listener: the API, its token endpoint, and the controls of the simulator.

mod control;
mod graphql;
mod misbehave;
mod token;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    graphql::{Schema, schema},
    service::Service,
};

/// What the routes share.
#[derive(Clone)]
pub(crate) struct App {
    service: Arc<Service>,
    schema: Schema,
}

/// Serves until told to stop.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>, stop: CancellationToken) {
    let app = App { schema: schema(service.clone()), service };
    let router = Router::new()
        .route("/graphql", post(graphql::answer))
        .route("/oauth/token", post(token::answer))
        .route("/_simulator/state", get(control::state))
        .route("/_simulator/faults", post(control::add_fault))
        .route("/_simulator/faults", delete(control::clear_faults))
        .route("/_simulator/checks", post(control::rename_check))
        .route("/_simulator/failing", post(control::set_failing))
        .route("/_simulator/tick", post(control::tick))
        .route("/_simulator/revoke-tokens", post(control::revoke_tokens))
        .route("/_simulator/deliver", post(control::deliver))
        .with_state(app);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    // It ends when it is told to; a listener that fails shows in whoever uses it.
    let _ = served.await;
}
