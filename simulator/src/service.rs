//! What all parts of the simulated service share.

use std::sync::{Mutex, PoisonError};

use crate::{
    clock,
    faults::Faults,
    ids,
    options::Options,
    requests::Requests,
    target::{Registered, Target},
    tenant::Tenant,
    tokens::Tokens,
};

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) options: Options,
    pub(crate) faults: Faults,
    pub(crate) requests: Requests,
    pub(crate) tokens: Tokens,
    tenant: Mutex<Tenant>,
    targets: Mutex<Vec<Registered>>,
}

impl Service {
    pub(crate) fn new(options: Options) -> Self {
        let tenant = Tenant::seeded(options.seed, options.users, clock::now());
        let targets = options.webhook_targets.iter().cloned().map(Registered::new).collect();
        Self {
            options,
            faults: Faults::default(),
            requests: Requests::default(),
            tokens: Tokens::default(),
            tenant: Mutex::new(tenant),
            targets: Mutex::new(targets),
        }
    }

    /// Looks at the tenant, or changes it.
    pub(crate) fn tenant<T>(&self, look: impl FnOnce(&mut Tenant) -> T) -> T {
        look(&mut self.tenant.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a webhook target; returns its id.
    pub(crate) fn add_target(&self, target: Target) -> String {
        let registered = Registered::new(target);
        let id = registered.id.clone();
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).push(registered);
        id
    }

    /// Removes a webhook target; whether there was one.
    pub(crate) fn remove_target(&self, id: &str) -> bool {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let before = targets.len();
        targets.retain(|target| target.id != id);
        targets.len() < before
    }

    pub(crate) fn targets(&self) -> Vec<Registered> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A name with the random suffix that the service gives it.
    pub(crate) fn suffixed(name: &str) -> String {
        format!("{name}-{}", ids::hex(6))
    }
}
