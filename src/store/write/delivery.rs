//! A webhook delivery, with all that it changes.

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, check, event, failures, listing, refusal, watch};
use crate::{
    domain::{
        CheckId, Delivery, DeliveryKind, Login, Timestamp, Unchanged, WatchPolicy,
        event::delivery_filtered, failure,
    },
    store::{Store, StoreError, moment::to_micros},
};

/// A delivery to record.
#[derive(Debug)]
pub struct RecordDelivery {
    /// What it says.
    pub delivery: Delivery,
    /// Its body as received, unpacked.
    pub body: Vec<u8>,
    /// Whether the operator wants to hear of its check.
    pub admitted: bool,
    /// Whether the users it names are watched from now on.
    pub policy: WatchPolicy,
    /// When it is recorded: later than it came, when it is replayed.
    pub recorded_at: Timestamp,
    /// The number of the refused delivery that this one replays.
    pub replays: Option<i64>,
}

/// A delivery that was recorded, or was recorded before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedDelivery {
    /// Our own number; that of the first one when it is a duplicate.
    pub number: i64,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// Why it opened no failure, when it opened none.
    pub unchanged: Option<Unchanged>,
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

impl DeliveryOutcome {
    /// The outcome's word, as the metric `cii_webhook_requests_total` has it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Duplicate => "duplicate",
            Self::Filtered => "filtered",
            Self::Test => "test",
        }
    }
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
    ) -> Result<RecordedDelivery, StoreError> {
        self.write_unless_busy(record).await
    }
}

impl Transact for RecordDelivery {
    type Outcome = RecordedDelivery;

    fn with(self, reply: Reply<RecordedDelivery>) -> Write {
        Write::Delivery(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<RecordedDelivery, StoreError> {
        let recorded = match self.seen(tx)? {
            // One that was filtered out counts once its check is wanted.
            Some((number, true)) if self.admitted => {
                tx.execute("DELETE FROM delivery WHERE seq = ?1", [number])?;
                self.record(tx, Some(number))?
            }
            Some((number, _)) => self.repeat(tx, number)?,
            None => self.record(tx, None)?,
        };
        if let Some(refused) = self.replays {
            refusal::mark_replayed(tx, refused, recorded.number)?;
        }
        Ok(recorded)
    }
}

impl RecordDelivery {
    /// The number under which the envelope's id was recorded before, and whether
    /// that one was filtered out.
    fn seen(&self, tx: &Savepoint<'_>) -> Result<Option<(i64, bool)>, StoreError> {
        Ok(tx
            .prepare_cached(
                "SELECT seq, outcome = 'filtered' FROM delivery WHERE id = ?1 AND status = 200",
            )?
            .query_row([&self.delivery.id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    fn repeat(&self, tx: &Savepoint<'_>, number: i64) -> Result<RecordedDelivery, StoreError> {
        tx.prepare_cached(
            "UPDATE delivery SET repeats = repeats + 1, last_repeat_at = ?2 WHERE seq = ?1",
        )?
        .execute(params![number, to_micros(self.recorded_at)])?;
        Ok(RecordedDelivery {
            number,
            outcome: DeliveryOutcome::Duplicate,
            unchanged: Some(Unchanged::Duplicate(number)),
        })
    }

    /// Keeps the delivery, under `number` when that is given, and applies what it
    /// changes.
    fn record(
        &self,
        tx: &Savepoint<'_>,
        number: Option<i64>,
    ) -> Result<RecordedDelivery, StoreError> {
        if !self.admitted {
            let unchanged = Some(Unchanged::Filtered);
            let number = self.insert(
                tx,
                number,
                "filtered",
                &failure::CheckContext::default(),
                0,
                unchanged,
            )?;
            event::append(tx, &delivery_filtered(&self.delivery, self.recorded_at))?;
            return Ok(RecordedDelivery { number, outcome: DeliveryOutcome::Filtered, unchanged });
        }
        let known = self.known(tx)?;
        let decision = failure::on_delivery(&self.delivery, &known, self.recorded_at);
        let is_test = self.delivery.kind == DeliveryKind::Test;
        let word = if is_test { "test" } else { "accepted" };
        let opened = decision.opened.len();
        let number = self.insert(tx, number, word, &known, opened, decision.unchanged)?;
        if let (Some(check), Some(definition)) = (&self.delivery.check, &decision.definition) {
            check::save(tx, &check.id, definition, self.recorded_at)?;
            check::count(tx, &check.id, &definition.severity, opened, 0)?;
            for login in &decision.opened {
                let opened_at = self.delivery.happened_at();
                let reported_at = self.reported_at();
                failures::open(tx, (&check.id, login), opened_at, reported_at, Some(number))?;
            }
            self.confirm(tx, &check.id, &known)?;
        }
        for entry in &decision.events {
            event::append(tx, entry)?;
        }
        let outcome = if is_test {
            DeliveryOutcome::Test
        } else {
            let named = self.delivery.failing.iter().map(|user| &user.login);
            let unwatched = watch::admit_failing(tx, named, self.policy, self.recorded_at)?;
            DeliveryOutcome::Accepted { opened, unwatched }
        };
        Ok(RecordedDelivery { number, outcome, unchanged: decision.unchanged })
    }

    fn insert(
        &self,
        tx: &Savepoint<'_>,
        number: Option<i64>,
        outcome: &str,
        known: &failure::CheckContext,
        opened: usize,
        unchanged: Option<Unchanged>,
    ) -> Result<i64, StoreError> {
        let delivery = &self.delivery;
        let definition = delivery.check.as_ref().map(|check| &check.definition);
        tx.prepare_cached(
            "INSERT INTO delivery
                (seq, id, detail_id, received_at, sent_at, published_at, detail_type, source,
                 account, region, check_id, title, severity, outcome, status, reason, users,
                 new_users, known_users, cleared_users, skipped_logins, notes, size, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 200, ?15, ?16,
                     ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
        )?
        .execute(params![
            number,
            delivery.id,
            delivery.detail_id,
            to_micros(self.delivery.received_at),
            delivery.sent_at.map(to_micros),
            delivery.published_at.map(to_micros),
            delivery.detail_type,
            delivery.source,
            delivery.account,
            delivery.region,
            delivery.check.as_ref().map(|check| check.id.as_str()),
            definition.map(|definition| &definition.title),
            definition.and_then(|definition| definition.severity.text()),
            outcome,
            unchanged.map(|unchanged| unchanged.to_string()),
            delivery.failing.len(),
            opened,
            list(known.open.iter().map(Login::as_str))?,
            list(known.acquitted.iter().map(Login::as_str))?,
            delivery.skipped.count(),
            list(delivery.notes.iter().map(String::as_str))?,
            self.body.len(),
            refusal::kept(&self.body),
        ])?;
        Ok(tx.last_insert_rowid())
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
        // An answer from the future was dated by a clock that was ahead.
        let latest = to_micros(self.recorded_at + failure::CLOCK_ERROR);
        let reported = to_micros(self.reported_at());
        let is_listed_later = |login| -> Result<bool, StoreError> {
            let as_of = listing::verdict_as_of(tx, login)?;
            Ok(as_of.is_some_and(|as_of| as_of > reported && as_of <= latest))
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
                || acquitted.exists(params![login.as_str(), reported, latest])?
            {
                known.acquitted.insert(login.clone());
            }
        }
        Ok(known)
    }

    fn reported_at(&self) -> Timestamp {
        self.delivery.reported_at(self.delivery.received_at)
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

/// Texts as a JSON list.
fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Result<String, StoreError> {
    serde_json::to_string(&texts.collect::<Vec<_>>())
        .map_err(|_| StoreError::Corrupt("list of texts"))
}
