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
    unfriendly::Unfriendly,
};

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) options: Options,
    pub(crate) faults: Faults,
    pub(crate) requests: Requests,
    pub(crate) tokens: Tokens,
    tenant: Mutex<Tenant>,
    targets: Mutex<Vec<Registered>>,
    unfriendly: Option<Unfriendly>,
}

impl Service {
    pub(crate) fn new(options: Options) -> Self {
        let mut tenant = Tenant::seeded(options.seed, options.users, clock::now());
        let targets = options.webhook_targets.iter().cloned().map(Registered::new).collect();
        let unfriendly = options.unfriendly.map(Unfriendly::new);
        let mut faults = options.faults.clone();
        if let Some(unfriendly) = &unfriendly {
            faults.extend(unfriendly.standing(&mut tenant));
        }
        Self {
            options,
            unfriendly,
            faults: Faults::of(faults),
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

    /// The faults of the next request alone, if the service is unfriendly.
    pub(crate) fn passing_faults(&self) -> Faults {
        self.unfriendly.as_ref().map(Unfriendly::of_request).unwrap_or_default()
    }

    /// The faults of the next delivery alone, if the service is unfriendly.
    pub(crate) fn delivery_faults(&self) -> Faults {
        self.unfriendly.as_ref().map(Unfriendly::of_delivery).unwrap_or_default()
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
