//! Which requests must be those of a user, where a listener has users.

use std::sync::Arc;

use tokio::sync::watch;

use super::listener::{Proof, Proofs};
use crate::{ingest::Ingest, web::Access};

/// Those to the webhook's path that prove nothing else, and are not refused anyhow.
pub(super) fn of_deliveries(ingest: Arc<Ingest>) -> Proofs {
    Arc::new(
        move |request| {
            if ingest.needs_user(request) { Proof::UserOrRoutes } else { Proof::NotNeeded }
        },
    )
}

/// All without the token that lets its bearer change things.
pub(super) fn of_operators(access: watch::Receiver<Arc<Access>>) -> Proofs {
    Arc::new(move |request| {
        let has_token = access.borrow().has_token(request.headers());
        if has_token { Proof::NotNeeded } else { Proof::User }
    })
}
