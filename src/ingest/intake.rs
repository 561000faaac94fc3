//! Parses and records a body, of a new delivery or of a replay.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{
    Meters, Rules,
    budget::{Budget, NoRoom, SMALL, Share},
    encoding::Encoding,
    unpack::{self, Unusable},
};
use crate::{
    cii::webhook::{self, Malformed},
    clock,
    domain::{CheckId, OtherTenant, SkippedLogins, TenantId, Timestamp},
    ledger::change::{DeliveryOutcome, RecordDelivery, RecordedDelivery},
    store::{Store, StoreError, pack_body},
};

/// Parses and records bodies of authorized requests.
#[derive(Debug, Clone)]
pub struct Intake {
    store: Store,
    meters: Meters,
    budget: Budget,
    /// Tenants other than the recorded one that were already logged.
    other_tenants: Arc<Mutex<BTreeSet<TenantId>>>,
}

/// Most other tenants that are logged: a sender can invent any number.
const MOST_TENANTS: usize = 16;

/// Why a body was not recorded.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is no delivery. The body is returned.
    Malformed(Malformed, Vec<u8>),
    /// The store could not commit it, or not in time.
    Unavailable,
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// `accepted`, `duplicate`, `filtered`, `test`, or `refused`.
    pub result: &'static str,
    /// The number of the delivery that was recorded, or of which it is a duplicate.
    pub number: Option<i64>,
    /// Number of users for whom it opened a failure.
    pub newly_failing: usize,
    /// Why it was refused again, or opened no failure.
    pub reason: Option<String>,
}

/// Why a delivery cannot be replayed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReplayError {
    /// No delivery has the number.
    #[error("no delivery has the number {0}; `cii-exporter deliveries` lists them")]
    Unknown(i64),
    /// No body is kept.
    #[error(
        "of delivery {number} no body is kept (answered with {status}); only the sender can send \
         it again"
    )]
    NoBody {
        /// Its number.
        number: i64,
        /// The status of its answer.
        status: u16,
    },
    /// Only the beginning of the body is kept.
    #[error(
        "of delivery {0} only the begin of the body is kept; only the sender can send it again"
    )]
    Cut(i64),
    /// It cannot be recorded now.
    #[error("the delivery cannot be recorded now; try again later")]
    Unavailable,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Intake {
    /// Creates an intake that records into this store.
    #[must_use]
    pub fn new(store: Store, meters: Meters) -> Self {
        let budget = Budget::new(meters.clone());
        Self { store, meters, budget, other_tenants: Arc::default() }
    }

    /// At shutdown, closes the budget: deliveries that wait for room are answered with 503. Those
    /// in the queue of the store are still committed.
    ///
    /// # Errors
    /// Never.
    pub async fn close_when_stopped(self, stop: CancellationToken) -> Result<(), Infallible> {
        stop.cancelled().await;
        self.budget.close();
        Ok(())
    }

    pub(super) const fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(super) const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Parses and records a kept delivery again, with its first time of receipt.
    ///
    /// `limit` is `webhook.max_body_bytes`.
    ///
    /// # Errors
    /// When there is no such delivery, its body is not kept completely, or the store fails.
    pub async fn replay(
        &self,
        number: i64,
        rules: &Rules,
        limit: usize,
    ) -> Result<Replayed, ReplayError> {
        let found = self.store.read(move |reader| reader.delivery(number)).await?;
        let record = found.ok_or(ReplayError::Unknown(number))?;
        if record.body_is_cut {
            return Err(ReplayError::Cut(number));
        }
        let received_at = record.kept.received_at;
        let replays = record.kept.is_refused().then_some(number);
        let again = |reason: String| Replayed {
            result: "refused",
            number: None,
            newly_failing: 0,
            reason: Some(reason),
        };
        let status = record.kept.status;
        let body = record.body.ok_or(ReplayError::NoBody { number, status })?;
        let encoding = if record.body_is_packed { Encoding::Gzip } else { Encoding::Identity };
        let unpacked = async {
            let mut share = self.budget.take_share()?;
            share.grow(body.len()).await?;
            unpack::unpack_body(encoding, body, limit, share).await
        };
        let (body, share) = match unpacked.await {
            Ok(unpacked) => unpacked,
            Err(Unusable::TooLarge) => {
                return Ok(again("too large when unpacked (webhook.max_body_bytes)".to_owned()));
            }
            Err(Unusable::Damaged(_)) => return Ok(again(super::answer::DAMAGED.to_owned())),
            Err(Unusable::NoRoom) => return Err(ReplayError::Unavailable),
        };
        tracing::info!(number, "a webhook delivery is replayed");
        match self.record_body(body, received_at, replays, rules, share).await {
            Ok(recorded) => Ok(Replayed {
                result: recorded.outcome.as_str(),
                number: Some(recorded.number),
                newly_failing: match recorded.outcome {
                    DeliveryOutcome::Accepted { opened, .. } => opened,
                    _ => 0,
                },
                reason: recorded.unchanged.map(|unchanged| unchanged.to_string()),
            }),
            Err(Refused::Malformed(malformed, _)) => Ok(again(malformed.to_string())),
            Err(Refused::Unavailable) => Err(ReplayError::Unavailable),
        }
    }

    /// Parses and records a body. `replays` is the number of the refused delivery that it came
    /// from.
    pub(super) async fn record_body(
        &self,
        body: Vec<u8>,
        received_at: Timestamp,
        replays: Option<i64>,
        rules: &Rules,
        mut share: Share,
    ) -> Result<RecordedDelivery, Refused> {
        share.wait_to_parse(body.len()).await.map_err(|NoRoom| Refused::Unavailable)?;
        let is_small = body.len() <= SMALL;
        let parse = move || match webhook::parse(&body, received_at) {
            Ok(delivery) => Ok((delivery, pack_body(body))),
            Err(malformed) => Err((malformed, body)),
        };
        let (parsed, share) = if is_small {
            (parse(), share)
        } else {
            share.compute(parse).await.map_err(|NoRoom| Refused::Unavailable)?
        };
        let (delivery, body) = match parsed {
            Ok(understood) => understood,
            Err((malformed, body)) => {
                tracing::warn!(
                    reason = %malformed,
                    "a webhook delivery cannot be understood; `cii-exporter deliveries \
                     --refused` shows it"
                );
                return Err(Refused::Malformed(malformed, body));
            }
        };
        let check = delivery.check.as_ref().map(|check| check.id.clone());
        let skipped = delivery.skipped.clone();
        let record = RecordDelivery {
            admitted: rules.filter.admits(&delivery),
            delivery,
            body,
            policy: rules.policy,
            answers: rules.answers,
            recorded_at: clock::now(),
            replays,
        };
        let patience = share.patience();
        // The share moves into the commit: its bytes are counted until the store has dropped them,
        // also after a timeout here.
        let commit = self.store.commit_unless_busy_holding(record, share);
        match tokio::time::timeout(patience, commit).await {
            Ok(Ok(recorded)) => {
                self.log_outcome(&recorded, check.as_ref(), &skipped);
                self.warn_other_tenant(recorded.other_tenant);
                Ok(recorded)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "a webhook delivery cannot be recorded");
                Err(Refused::Unavailable)
            }
            Err(_) => {
                self.budget.count_timeout();
                tracing::error!("a webhook delivery waits too long for the database");
                Err(Refused::Unavailable)
            }
        }
    }

    /// Logs once for each other tenant that its deliveries arrive here.
    fn warn_other_tenant(&self, found: Option<OtherTenant>) {
        let Some(OtherTenant { known, other }) = found else { return };
        let mut reported = self.other_tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.len() < MOST_TENANTS && reported.insert(other) {
            tracing::warn!(
                %known,
                %other,
                "a webhook delivery is from another tenant than those before it; it counts, and \
                 the known id stays: run an exporter with a database of its own for each tenant"
            );
        }
    }

    fn log_outcome(
        &self,
        recorded: &RecordedDelivery,
        check: Option<&CheckId>,
        skipped: &SkippedLogins,
    ) {
        let check = check.map(tracing::field::display);
        let number = recorded.number;
        let reason = recorded.unchanged.map(tracing::field::display);
        match recorded.outcome {
            DeliveryOutcome::Accepted { opened, past_limit } => {
                tracing::info!(
                    number,
                    check,
                    newly_failing = opened,
                    reason,
                    "webhook delivery recorded"
                );
                if past_limit > 0 {
                    tracing::warn!(
                        users = past_limit,
                        "no snapshots are taken of failing users: watch.max_users is reached; their failures are followed"
                    );
                }
            }
            DeliveryOutcome::Duplicate => {
                tracing::info!(number, check, reason, "webhook delivery changes nothing");
                return;
            }
            DeliveryOutcome::Filtered => {
                tracing::info!(number, check, reason, "webhook delivery changes nothing");
            }
            DeliveryOutcome::Test => tracing::info!(number, "the webhook's test message came in"),
        }
        if skipped.count() > 0 {
            self.meters.count_skipped(skipped.count());
            tracing::warn!(
                number,
                logins = skipped.count(),
                why = %skipped,
                "a webhook delivery names logins that cannot be used; the others count"
            );
        }
    }
}
