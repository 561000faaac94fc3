//! Faults on demand.

mod appsync_error;
mod kind;
mod oddity;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub use appsync_error::{AppsyncError, Leaves};
pub use kind::Kind;
pub use oddity::Oddity;

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /oauth/token`
    Token,
    /// `POST /graphql`
    Graphql,
    /// The deliveries to the webhook's targets.
    Webhook,
}

/// A rule: what goes wrong, where, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where.
    pub endpoint: Endpoint,
    /// What.
    pub kind: Kind,
    /// Only for requests of this root field, or deliveries about this check.
    #[serde(default)]
    pub operation: Option<String>,
    /// Only for requests about this login, address or page token; in a list, only for the
    /// row of this login.
    #[serde(default)]
    pub subject: Option<String>,
    /// How many answers or deliveries it strikes; without a number, all until cleared.
    #[serde(default)]
    pub times: Option<usize>,
}

impl Fault {
    /// A fault of the GraphQL endpoint that strikes every request.
    #[must_use]
    pub const fn graphql(kind: Kind) -> Self {
        Self { endpoint: Endpoint::Graphql, kind, operation: None, subject: None, times: None }
    }

    /// A fault that strikes every delivery of the webhook.
    #[must_use]
    pub const fn webhook(kind: Kind) -> Self {
        Self { endpoint: Endpoint::Webhook, kind, operation: None, subject: None, times: None }
    }

    /// A fault of the token endpoint that strikes every request.
    #[must_use]
    pub const fn token(kind: Kind) -> Self {
        Self { endpoint: Endpoint::Token, kind, operation: None, subject: None, times: None }
    }

    /// The same, for one root field only.
    #[must_use]
    pub fn of(self, operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..self }
    }

    /// The same, for one login or address only.
    #[must_use]
    pub fn about(self, subject: &str) -> Self {
        Self { subject: Some(subject.to_owned()), ..self }
    }

    /// The same, for so many requests only.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// These faults in force.
    pub(crate) const fn of(faults: Vec<Fault>) -> Self {
        Self(Mutex::new(faults))
    }

    /// Puts a fault in force.
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Ends all faults.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The faults in force.
    #[must_use]
    pub fn list(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// The faults that strike a request; each counts it. Edits of the answer are not among
    /// them: see [`Self::edit`].
    pub(crate) fn strike(
        &self,
        endpoint: Endpoint,
        operations: &[String],
        subjects: &[String],
    ) -> Vec<Kind> {
        let mut struck = Vec::new();
        self.each(|fault| {
            let concerns = fault.endpoint == endpoint
                && !fault.kind.is_edit()
                && fault.operation.as_ref().is_none_or(|wanted| operations.contains(wanted))
                && fault.subject.as_ref().is_none_or(|wanted| subjects.contains(wanted));
            if concerns {
                struck.push(fault.kind.clone());
            }
            concerns
        });
        struck
    }

    /// Lets each fault that edits answers edit one. `edit` says whether it did; only then does
    /// it count.
    pub(crate) fn edit(&self, mut edit: impl FnMut(&Fault) -> bool) {
        self.each(|fault| {
            fault.endpoint == Endpoint::Graphql && fault.kind.is_edit() && edit(fault)
        });
    }

    /// Calls `strikes` with every fault in force, and ends those that struck often enough.
    fn each(&self, mut strikes: impl FnMut(&Fault) -> bool) {
        let mut faults = self.lock();
        for fault in faults.iter_mut() {
            if fault.times != Some(0) && strikes(fault) {
                fault.times = fault.times.map(|times| times - 1);
            }
        }
        faults.retain(|fault| fault.times != Some(0));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the faults delay an answer.
pub(crate) fn delay(struck: &[Kind]) -> Duration {
    struck
        .iter()
        .map(|kind| match kind {
            Kind::SlowMillis(millis) => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        })
        .sum()
}
