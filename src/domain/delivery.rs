//! A parsed webhook delivery.

use std::{collections::BTreeMap, fmt};

use super::{AttributeValue, CheckDefinition, CheckId, Login, TenantId, Timestamp};

/// The kind of a delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeliveryKind {
    /// Users who newly fail a check: the daily list, or a direct message.
    FailedCheck,
    /// The test message that the console sends when a webhook target is created.
    Test,
    /// A delivery that names no failing user. It is stored for readers of the log.
    #[default]
    Other,
}

/// A delivery whose envelope was parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The envelope's id, the same on every repeat; a hash of the body when the envelope has no
    /// usable id.
    pub id: String,
    /// The kind, from its `detail-type` and fields.
    pub kind: DeliveryKind,
    /// `detail-type` as sent; empty in older deliveries.
    pub detail_type: String,
    /// When it was first received.
    pub received_at: Timestamp,
    /// The envelope's `time`.
    pub sent_at: Option<Timestamp>,
    /// When it was published, or else the envelope's time; none when it has neither.
    pub published_at: Option<Timestamp>,
    /// The envelope's `source`: the tenant's id, two underscores, eight digits.
    pub source: Option<String>,
    /// The AWS account of the sender.
    pub account: Option<String>,
    /// The AWS region of the sender.
    pub region: Option<String>,
    /// `detail.id`.
    pub detail_id: Option<String>,
    /// The check it is about.
    pub check: Option<ReportedCheck>,
    /// `detail.frameworks` as sent: texts, or one text of JSON.
    pub frameworks: Option<AttributeValue>,
    /// Details, as JSON, that belong to no single user.
    pub explanation: Option<String>,
    /// The users it names as failing, each once.
    pub failing: Vec<FailingUser>,
    /// The logins that cannot be used.
    pub skipped: SkippedLogins,
    /// Notes about values in an unusual form, and how they were read.
    pub notes: Vec<String>,
}

/// How late a delivery can arrive: senders of this kind give up after a day.
const LATEST: chrono::TimeDelta = chrono::TimeDelta::hours(48);

impl Delivery {
    /// When the delivery reported a failure, for the comparison with answers of the API: when it
    /// was published. A time in the future is not trusted; then it is when the delivery was
    /// received.
    #[must_use]
    pub fn reported_at(&self, received_at: Timestamp) -> Timestamp {
        self.published_at.filter(|published| *published <= received_at).unwrap_or(received_at)
    }

    /// Whether it was published so long before it was received that no sender would still retry it:
    /// it was sent again by hand, or a clock is wrong.
    #[must_use]
    pub fn is_old(&self, received_at: Timestamp) -> bool {
        received_at - self.reported_at(received_at) > LATEST
    }

    /// When the reported event happened: when the delivery was published.
    #[must_use]
    pub fn happened_at(&self) -> Timestamp {
        self.published_at.unwrap_or(self.received_at)
    }

    /// The tenant in its `source`, if there is one.
    #[must_use]
    pub fn tenant_id(&self) -> Option<TenantId> {
        TenantId::of_source(self.source.as_deref()?)
    }
}

/// A check as one delivery describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedCheck {
    /// Its id.
    pub id: CheckId,
    /// The definition in the delivery.
    pub definition: CheckDefinition,
}

/// A user whom a delivery names as failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingUser {
    /// The user's login.
    pub login: Login,
    /// The explanation, as JSON, if the delivery has one.
    pub explanation: Option<String>,
}

/// Logins that cannot be used, counted by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedLogins(BTreeMap<&'static str, usize>);

impl SkippedLogins {
    /// Counts one more login.
    pub fn add(&mut self, why: &'static str) {
        *self.0.entry(why).or_default() += 1;
    }

    /// The number of logins.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.values().sum()
    }
}

impl fmt::Display for SkippedLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (why, count)) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{count} {why}")?;
        }
        Ok(())
    }
}

/// Why an accepted delivery opened no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// It was recorded before, under this number.
    Duplicate(i64),
    /// `webhook.check_ids` does not contain its check.
    Filtered,
    /// Its type is not known, and it names neither a check nor a user.
    UnknownType,
    /// It names users but no check.
    NoCheck,
    /// It names a check but no usable user.
    NoUser {
        /// Logins that cannot be used.
        skipped: usize,
    },
    /// None of its users newly fails the check.
    NothingNew {
        /// Users who are known to fail it.
        known: usize,
        /// Users whom a more recent API answer cleared.
        cleared: usize,
        /// Users whose failure is not opened because the delivery is too old.
        too_old: usize,
    },
}

impl fmt::Display for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(number) => write!(f, "duplicate of delivery {number}"),
            Self::Filtered => f.write_str("filtered: webhook.check_ids leaves the check out"),
            Self::UnknownType => f.write_str("its type is not known"),
            Self::NoCheck => f.write_str("names no check"),
            Self::NoUser { skipped: 0 } => f.write_str("names no user"),
            Self::NoUser { skipped } => {
                write!(f, "names no user; logins that cannot be used: {skipped}")
            }
            Self::NothingNew { cleared: 0, too_old: 0, .. } => {
                f.write_str("every named user is known to fail already")
            }
            Self::NothingNew { known: 0, too_old: 0, .. } => {
                f.write_str("an API answer newer than the delivery cleared every named user")
            }
            Self::NothingNew { known: 0, cleared: 0, .. } => f.write_str(
                "it was published more than 48 hours before it came, and opens only what an \
                 answer of the API lists",
            ),
            Self::NothingNew { known, cleared, too_old: 0 } => write!(
                f,
                "named users known to fail already: {known}; cleared by an API answer newer than \
                 the delivery: {cleared}"
            ),
            Self::NothingNew { known, cleared, too_old } => write!(
                f,
                "named users known to fail already: {known}; cleared by an API answer newer than \
                 the delivery: {cleared}; not listed by an answer, and the delivery is more than \
                 48 hours old: {too_old}"
            ),
        }
    }
}

/// The filter of checks that an operator configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckFilter(std::collections::BTreeSet<CheckId>);

impl CheckFilter {
    /// A filter that admits these checks; without any id it admits every check.
    #[must_use]
    pub fn new(ids: impl IntoIterator<Item = CheckId>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Whether the filter admits a delivery. A delivery without a check is always admitted.
    #[must_use]
    pub fn admits(&self, delivery: &Delivery) -> bool {
        let Some(check) = &delivery.check else { return true };
        delivery.kind == DeliveryKind::Test || self.admits_check(&check.id)
    }

    /// Whether the filter admits a check.
    #[must_use]
    pub fn admits_check(&self, id: &CheckId) -> bool {
        self.0.is_empty() || self.0.contains(id)
    }
}
