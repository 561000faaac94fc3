//! Access tokens: handed out, good for a while, and revocable.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::ids;

/// The tokens that are good.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<String, Instant>>);

impl Tokens {
    /// A new token.
    pub(crate) fn issue(&self, lifetime: Duration) -> String {
        let token = ids::hex(48);
        self.lock().insert(token.clone(), Instant::now() + lifetime);
        token
    }

    pub(crate) fn is_good(&self, token: &str) -> bool {
        self.lock().get(token).is_some_and(|end| *end > Instant::now())
    }

    /// All that were issued and not revoked.
    pub(crate) fn all(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Makes every token bad.
    pub(crate) fn revoke(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
