//! Both listeners while a start waits for the database: a probe is told that the process lives and
//! why it is not ready, and who delivers is asked to send again later.

use std::sync::Arc;

use prometheus::Registry;
use tokio::sync::watch;

use super::{
    StartError,
    listener::{Listeners, Proof, Proofs},
    tasks::{Stage, Tasks},
};
use crate::{config::Config, ingest, web};

/// The listeners, and what they say. Closed, it leaves the addresses to those of the daemon.
pub(super) struct WaitingRoom {
    why: watch::Sender<String>,
    tasks: Tasks,
}

impl WaitingRoom {
    /// Binds both listeners and serves them. `why` is what the start waits for.
    ///
    /// # Errors
    /// When an address cannot be had, or a file of a listener is wrong: nor could the daemon have it
    /// later.
    pub(super) async fn open(config: &Config, why: String) -> Result<Self, StartError> {
        // Nobody scrapes it: there are no metrics before there is a store.
        let listeners = Listeners::new(&Registry::new())?;
        let (webhook, _) = listeners.bind_webhook(&config.webhook).await?;
        let (ops, _) = listeners.bind_ops(&config.ops).await?;
        let (why, current_why) = watch::channel(why);
        let mut tasks = Tasks::default();
        // A delivery is refused unread, whoever sent it.
        let anybody: Proofs = Arc::new(|_| Proof::NotNeeded);
        let routes = ingest::starting_routes();
        tasks.spawn(Stage::Listeners, "webhook listener", |stop| {
            webhook.serve(routes, anybody, stop)
        });
        let users: Proofs = Arc::new(|_| Proof::User);
        let routes = web::starting_routes(current_why);
        tasks.spawn(Stage::Listeners, "ops listener", |stop| ops.serve(routes, users, stop));
        Ok(Self { why, tasks })
    }

    /// Has another reason told.
    pub(super) fn set_reason(&self, why: &str) {
        self.why.send_if_modified(|before| {
            let is_other = *before != why;
            if is_other {
                why.clone_into(before);
            }
            is_other
        });
    }

    /// Answers what is in hand, and closes both listeners.
    pub(super) async fn close(self) {
        self.tasks.stop().await;
    }
}
