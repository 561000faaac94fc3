//! A webhook delivery, with all that it changes.

use rusqlite::{Savepoint, params};

use super::{Reply, Transact, Write, check, event, failures, tenant, watch};
use crate::{
    domain::{
        CheckId, Delivery, DeliveryKind, Timestamp, WatchPolicy, event::delivery_filtered, failure,
    },
    store::{Store, StoreError, moment::to_micros},
};

/// A delivery to record.
#[derive(Debug)]
pub struct RecordDelivery {
    /// What it says.
    pub delivery: Delivery,
    /// Its body as received.
    pub body: String,
    /// Whether the operator wants to hear of its check.
    pub admitted: bool,
    /// Whether the users it names are watched from now on.
    pub policy: WatchPolicy,
    /// When it came.
    pub received_at: Timestamp,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Recorded, with this many failures opened, and this many users not
    /// watched because the limit is reached.
    Accepted {
        /// Failures opened.
        opened: usize,
        /// Users that the limit keeps off the watch list.
        unwatched: usize,
    },
    /// Seen before; nothing changed.
    Duplicate,
    /// The operator does not want to hear of its check.
    Filtered,
    /// The console's test message.
    Test,
}

impl Store {
    /// Records a delivery. It is on the disk when this returns.
    ///
    /// # Errors
    /// `Busy` at once when too many writes wait; otherwise when the database
    /// cannot commit.
    pub async fn record_delivery(
        &self,
        record: RecordDelivery,
    ) -> Result<DeliveryOutcome, StoreError> {
        self.write_unless_busy(record).await
    }
}

impl Transact for RecordDelivery {
    type Outcome = DeliveryOutcome;

    fn with(self, reply: Reply<DeliveryOutcome>) -> Write {
        Write::Delivery(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<DeliveryOutcome, StoreError> {
        let outcome = match (self.admitted, self.delivery.kind) {
            (false, _) => "filtered",
            (true, DeliveryKind::Test) => "test",
            (true, _) => "accepted",
        };
        let Some(seq) = self.insert(tx, outcome)? else {
            return Ok(DeliveryOutcome::Duplicate);
        };
        if !self.admitted {
            event::append(tx, &delivery_filtered(&self.delivery, self.received_at))?;
            return Ok(DeliveryOutcome::Filtered);
        }
        let known = self.known(tx)?;
        let decision = failure::on_delivery(&self.delivery, &known, self.received_at);
        if let (Some(check), Some(definition)) = (&self.delivery.check, &decision.definition) {
            check::save(tx, &check.id, definition, self.received_at)?;
            check::count(tx, &check.id, &definition.severity, decision.opened.len(), 0)?;
            for login in &decision.opened {
                let opened_at = self.delivery.published_at.unwrap_or(self.received_at);
                let reported_at = self.reported_at();
                failures::open(tx, (&check.id, login), opened_at, reported_at, Some(seq))?;
            }
            self.confirm(tx, &check.id, &known)?;
        }
        for entry in &decision.events {
            event::append(tx, entry)?;
        }
        if self.delivery.kind == DeliveryKind::Test {
            return Ok(DeliveryOutcome::Test);
        }
        let named = self.delivery.failing.iter().map(|user| &user.login);
        let unwatched = watch::admit_failing(tx, named, self.policy, self.received_at)?;
        Ok(DeliveryOutcome::Accepted { opened: decision.opened.len(), unwatched })
    }
}

impl RecordDelivery {
    /// Keeps the delivery; `None` when its id was seen before.
    fn insert(&self, tx: &Savepoint<'_>, outcome: &str) -> Result<Option<i64>, StoreError> {
        let delivery = &self.delivery;
        let inserted = tx
            .prepare_cached(
                "INSERT OR IGNORE INTO delivery
                    (id, received_at, published_at, detail_type, outcome, check_id, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                delivery.id,
                to_micros(self.received_at),
                delivery.published_at.map(to_micros),
                delivery.detail_type,
                outcome,
                delivery.check.as_ref().map(|check| check.id.as_str()),
                self.admitted.then_some(&self.body),
            ])?;
        Ok((inserted == 1).then(|| tx.last_insert_rowid()))
    }

    fn known(&self, tx: &Savepoint<'_>) -> Result<failure::CheckContext, StoreError> {
        let Some(check) = &self.delivery.check else {
            return Ok(failure::CheckContext::default());
        };
        let mut is_open = tx.prepare_cached(
            "SELECT 1 FROM failure WHERE check_id = ?1 AND login = ?2 AND resolved_at IS NULL",
        )?;
        let mut acquitted = tx.prepare_cached(
            "SELECT 1 FROM failure_answer WHERE login = ?1 AND as_of > ?2 AND as_of <= ?3",
        )?;
        let (reported, received) =
            (to_micros(self.reported_at()), to_micros(self.received_at + failure::CLOCK_ERROR));
        let is_listed_later = |login| -> Result<bool, StoreError> {
            let as_of = tenant::verdict_as_of(tx, login)?;
            Ok(as_of.is_some_and(|as_of| as_of > reported && as_of <= received))
        };
        let mut known = failure::CheckContext {
            definition: check::load(tx, &check.id)?,
            ..failure::CheckContext::default()
        };
        for user in &self.delivery.failing {
            let login = &user.login;
            if is_open.exists(params![check.id.as_str(), login.as_str()])? {
                known.open.insert(login.clone());
            } else if is_listed_later(login)?
                || acquitted.exists(params![login.as_str(), reported, received])?
            {
                known.acquitted.insert(login.clone());
            }
        }
        Ok(known)
    }

    fn reported_at(&self) -> Timestamp {
        self.delivery.reported_at(self.received_at)
    }

    /// The failures that go on were reported once more.
    fn confirm(
        &self,
        tx: &Savepoint<'_>,
        check_id: &CheckId,
        known: &failure::CheckContext,
    ) -> Result<(), StoreError> {
        for login in &known.open {
            failures::confirm(tx, check_id, login, self.reported_at())?;
        }
        Ok(())
    }
}
