//! Both listeners while a start waits for the database. A probe learns that the process is alive and
//! why it is not ready, and a delivery is answered with 503 and `Retry-After`.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Version, header::CONNECTION},
    middleware::{self, Next},
};
use prometheus::Registry;
use tokio::sync::watch;

use super::{
    EndedEarly, StartError,
    listener::{BoundSockets, Listeners, Proof, Proofs},
    proofs, rules,
    tasks::{Stage, Tasks},
};
use crate::{config::Config, ingest, web};

/// The listeners, bound until [`close`](Self::close).
pub(super) struct WaitingRoom {
    why: watch::Sender<String>,
    sockets: BoundSockets,
    tasks: Tasks,
}

impl WaitingRoom {
    /// Binds both listeners and serves them. `why` is what the start waits for.
    ///
    /// # Errors
    /// When an address cannot be bound, or a file of a listener is wrong. The daemon would fail for
    /// the same reason later.
    pub(super) async fn open(config: &Config, why: String) -> Result<Self, StartError> {
        // A registry of its own: there is no scrape before there is a store.
        let mut listeners = Listeners::new(&Registry::new(), BoundSockets::default())?;
        let (webhook, _) = listeners.bind_webhook(&config.webhook).await?;
        let (ops, _) = listeners.bind_ops(&config.ops).await?;
        let sockets = BoundSockets {
            webhook: webhook.duplicate_socket().ok(),
            ops: ops.duplicate_socket().ok(),
        };
        let (why, current_why) = watch::channel(why);
        let mut tasks = Tasks::default();
        // Every delivery gets the same 503, so the sender need not be known.
        let anybody: Proofs = Arc::new(|_| Proof::NotNeeded);
        let routes = end_connections(ingest::starting_routes());
        tasks.spawn(Stage::Listeners, "webhook listener", |stop| {
            webhook.serve(routes, anybody, stop)
        });
        let (_, access) = watch::channel(Arc::new(rules::access(config)));
        let operators = proofs::of_operators(access);
        let routes = end_connections(web::starting_routes(current_why));
        tasks.spawn(Stage::Listeners, "ops listener", |stop| ops.serve(routes, operators, stop));
        Ok(Self { why, sockets, tasks })
    }

    /// Replaces the reason that `/-/ready` returns.
    pub(super) fn set_reason(&self, why: &str) {
        self.why.send_replace(why.to_owned());
    }

    /// Waits until a listener fails, which a panic causes.
    pub(super) async fn wait_for_failure(&mut self) -> EndedEarly {
        self.tasks.wait_for_end().await
    }

    /// Finishes the requests in hand, and stops both listeners. New connections wait in the returned
    /// sockets.
    pub(super) async fn close(self) -> BoundSockets {
        self.tasks.stop().await;
        self.sockets
    }
}

/// Ends each HTTP/1.1 connection by its answer: one that stayed open would be closed by the waiting
/// room's end, perhaps while the client sends its next request. HTTP/2 has a frame for this.
fn end_connections(routes: Router) -> Router {
    routes.layer(middleware::from_fn(async |request: Request, next: Next| {
        let version = request.version();
        let mut response = next.run(request).await;
        if version <= Version::HTTP_11 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }))
}

#[cfg(test)]
impl WaitingRoom {
    /// One whose listener fails at once.
    pub(super) fn of_failing_listener() -> Self {
        let mut tasks = Tasks::default();
        tasks.spawn(Stage::Listeners, "webhook listener", async |_| Err("a request panicked"));
        Self { why: watch::Sender::new(String::new()), sockets: BoundSockets::default(), tasks }
    }
}
