//! Decides which requests must be from a user, for listeners with users.

use std::sync::Arc;

use tokio::sync::watch;

use super::listener::{Proof, Proofs};
use crate::{ingest::Ingest, web::Access};

/// Requests to the webhook's path without another credential, unless they are refused in any case.
pub(super) fn of_deliveries(ingest: Arc<Ingest>) -> Proofs {
    Arc::new(
        move |request| {
            if ingest.needs_user(request) { Proof::UserOrRoutes } else { Proof::NotNeeded }
        },
    )
}

/// All requests without a write token.
pub(super) fn of_operators(access: watch::Receiver<Arc<Access>>) -> Proofs {
    Arc::new(move |request| {
        let has_token = access.borrow().has_token(request.headers());
        if has_token { Proof::NotNeeded } else { Proof::User }
    })
}
