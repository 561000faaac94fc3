//! A webhook delivery, as far as its meaning is known.

use super::{CheckDefinition, CheckId, Login, Timestamp};

/// What a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryKind {
    /// Users who newly fail a check: the daily list, or a direct message.
    FailedCheck,
    /// The message that the console sends when a webhook target is made.
    Test,
    /// Something that names no failing user; kept for whoever understands it.
    Other,
}

/// A delivery whose envelope was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The envelope's id, the same on every repeat.
    pub id: String,
    /// What its `detail-type` and fields make it.
    pub kind: DeliveryKind,
    /// `detail-type` as sent; empty in older deliveries.
    pub detail_type: String,
    /// When it was published, else the envelope's time, when either is given.
    pub published_at: Option<Timestamp>,
    /// The AWS account of the sender.
    pub account: Option<String>,
    /// The AWS region of the sender.
    pub region: Option<String>,
    /// The check it is about.
    pub check: Option<ReportedCheck>,
    /// The users it names as failing, each once.
    pub failing: Vec<FailingUser>,
}

/// What a delivery may be late by: senders of its kind give up after a day.
const LATEST: chrono::TimeDelta = chrono::TimeDelta::hours(48);

impl Delivery {
    /// The moment that the delivery's word on a failure is of, as it is held
    /// against answers of the API: when it was published. A time from the future,
    /// or from before any delivery could be on its way, is no time to trust; then
    /// it is when the delivery came.
    #[must_use]
    pub fn reported_at(&self, received_at: Timestamp) -> Timestamp {
        self.published_at
            .filter(|published| (received_at - LATEST..=received_at).contains(published))
            .unwrap_or(received_at)
    }
}

/// A check in the words of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedCheck {
    /// Its id.
    pub id: CheckId,
    /// What the delivery says of it; `as_of` is the delivery's time.
    pub definition: CheckDefinition,
}

/// A user whom a delivery names as failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingUser {
    /// Who.
    pub login: Login,
    /// Why, as JSON, when the delivery explains it.
    pub explanation: Option<String>,
}

/// Which checks an operator wants to hear of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckFilter(std::collections::BTreeSet<CheckId>);

impl CheckFilter {
    /// A filter that lets these checks through; none at all means every check.
    #[must_use]
    pub fn new(ids: impl IntoIterator<Item = CheckId>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Whether a delivery is wanted. One that is about no check always is.
    #[must_use]
    pub fn admits(&self, delivery: &Delivery) -> bool {
        let Some(check) = &delivery.check else { return true };
        delivery.kind == DeliveryKind::Test || self.admits_check(&check.id)
    }

    /// Whether a check is wanted.
    #[must_use]
    pub fn admits_check(&self, id: &CheckId) -> bool {
        self.0.is_empty() || self.0.contains(id)
    }
}
