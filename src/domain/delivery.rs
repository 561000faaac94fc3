//! A webhook delivery, as far as its meaning is known.

use std::{collections::BTreeMap, fmt};

use super::{AttributeValue, CheckDefinition, CheckId, Login, TenantId, Timestamp};

/// What a delivery is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeliveryKind {
    /// Users who newly fail a check: the daily list, or a direct message.
    FailedCheck,
    /// The message that the console sends when a webhook target is made.
    Test,
    /// Something that names no failing user; kept for whoever understands it.
    #[default]
    Other,
}

/// A delivery whose envelope was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The envelope's id, the same on every repeat; a hash of the body when the
    /// envelope has none that can be used.
    pub id: String,
    /// What its `detail-type` and fields make it.
    pub kind: DeliveryKind,
    /// `detail-type` as sent; empty in older deliveries.
    pub detail_type: String,
    /// When it first came.
    pub received_at: Timestamp,
    /// The envelope's `time`.
    pub sent_at: Option<Timestamp>,
    /// When it was published, else the envelope's time, when either is given.
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
    /// Details, as JSON, that belong to no single one of its users.
    pub explanation: Option<String>,
    /// The users it names as failing, each once.
    pub failing: Vec<FailingUser>,
    /// The logins in it that cannot be used.
    pub skipped: SkippedLogins,
    /// What in it was written in another form than usual, and how it was read.
    pub notes: Vec<String>,
}

/// What a delivery may be late by: senders of its kind give up after a day.
const LATEST: chrono::TimeDelta = chrono::TimeDelta::hours(48);

impl Delivery {
    /// The moment of the delivery's report on a failure, for the comparison with
    /// answers of the API: when it was published. A time in the future is not trusted;
    /// then it is when the delivery came.
    #[must_use]
    pub fn reported_at(&self, received_at: Timestamp) -> Timestamp {
        self.published_at.filter(|published| *published <= received_at).unwrap_or(received_at)
    }

    /// Whether it was published so long before it came that it was on no usual way: sent
    /// again by hand, or by a clock that is wrong.
    #[must_use]
    pub fn is_old(&self, received_at: Timestamp) -> bool {
        received_at - self.reported_at(received_at) > LATEST
    }

    /// When it happened what it tells of: when it was published.
    #[must_use]
    pub fn happened_at(&self) -> Timestamp {
        self.published_at.unwrap_or(self.received_at)
    }

    /// The tenant that it is from, when its `source` says so.
    #[must_use]
    pub fn tenant_id(&self) -> Option<TenantId> {
        TenantId::of_source(self.source.as_deref()?)
    }
}

/// A check in the words of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedCheck {
    /// Its id.
    pub id: CheckId,
    /// What the delivery says of it.
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

/// Logins that cannot be used, counted by why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedLogins(BTreeMap<&'static str, usize>);

impl SkippedLogins {
    /// Counts one more.
    pub fn add(&mut self, why: &'static str) {
        *self.0.entry(why).or_default() += 1;
    }

    /// How many there are.
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

/// Why a delivery that was taken opened no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// It was recorded before, under this number.
    Duplicate(i64),
    /// `webhook.check_ids` leaves its check out.
    Filtered,
    /// Its type is not known, and it names neither a check nor a user.
    UnknownType,
    /// It names users and no check.
    NoCheck,
    /// It names a check and no user; so many logins in it cannot be used.
    NoUser {
        /// Logins that cannot be used.
        skipped: usize,
    },
    /// None of its users fails the check newly.
    NothingNew {
        /// Users who are known to fail it already.
        known: usize,
        /// Users whom an API answer newer than the delivery cleared.
        cleared: usize,
        /// Users whose failure it is too old to open.
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

/// Which checks an operator admits.
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
