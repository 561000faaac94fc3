//! Faults on demand.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /oauth/token`
    Token,
    /// `POST /graphql`
    Graphql,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// This HTTP status; 429 and 503 carry `Retry-After` with these seconds.
    Status(u16, Option<u64>),
    /// The connection is accepted and nothing ever comes.
    Hang,
    /// The answer comes this many milliseconds late.
    SlowMillis(u64),
    /// The connection breaks in the middle of the answer.
    Cut,
    /// The answer ends in the middle of its JSON, as if that were all.
    MalformedJson,
    /// The answer has no body.
    EmptyBody,
    /// The answer is a page of a proxy.
    HtmlPage,
    /// The root field fails with an error of this type.
    RootError(String),
    /// This field of the answer is null, with an error.
    FieldError(String),
}

/// A rule: what goes wrong, where, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where.
    pub endpoint: Endpoint,
    /// What.
    pub kind: Kind,
    /// Only for requests of this root field.
    #[serde(default)]
    pub operation: Option<String>,
    /// Only for requests about this login or address.
    #[serde(default)]
    pub subject: Option<String>,
    /// How many requests it strikes; without a number, all until cleared.
    #[serde(default)]
    pub times: Option<usize>,
}

impl Fault {
    /// A fault of the GraphQL endpoint that strikes every request.
    #[must_use]
    pub const fn graphql(kind: Kind) -> Self {
        Self { endpoint: Endpoint::Graphql, kind, operation: None, subject: None, times: None }
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

    /// The faults that strike a request; each counts it.
    pub(crate) fn strike(
        &self,
        endpoint: Endpoint,
        operations: &[String],
        subjects: &[String],
    ) -> Vec<Kind> {
        let mut faults = self.lock();
        let mut struck = Vec::new();
        for fault in faults.iter_mut() {
            let concerns = fault.endpoint == endpoint
                && fault.operation.as_ref().is_none_or(|wanted| operations.contains(wanted))
                && fault.subject.as_ref().is_none_or(|wanted| subjects.contains(wanted));
            if concerns && fault.times != Some(0) {
                fault.times = fault.times.map(|times| times - 1);
                struck.push(fault.kind.clone());
            }
        }
        faults.retain(|fault| fault.times != Some(0));
        struck
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
