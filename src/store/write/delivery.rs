//! A webhook delivery, with all that it changes.

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Transact, Write, event, watch};
use crate::{
    domain::{
        CheckDefinition, CheckId, Delivery, DeliveryKind, Login, Severity, Timestamp, WatchPolicy,
        event::delivery_filtered, failure,
    },
    store::{
        Store, StoreError,
        moment::{from_micros, to_micros},
        writer::Reply,
    },
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
            save_definition(tx, &check.id, definition, self.received_at)?;
            count_failures(tx, &check.id, &definition.severity, decision.opened.len())?;
            for login in &decision.opened {
                self.open_failure(tx, seq, &check.id, login)?;
            }
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
        let mut known = failure::CheckContext {
            definition: load_definition(tx, &check.id)?,
            ..failure::CheckContext::default()
        };
        for user in &self.delivery.failing {
            if is_open.exists(params![check.id.as_str(), user.login.as_str()])? {
                known.open.insert(user.login.clone());
            }
        }
        Ok(known)
    }

    fn open_failure(
        &self,
        tx: &Savepoint<'_>,
        delivery_seq: i64,
        check_id: &CheckId,
        login: &Login,
    ) -> Result<(), StoreError> {
        let opened_at = self.delivery.published_at.unwrap_or(self.received_at);
        tx.prepare_cached(
            "INSERT INTO failure (check_id, login, opened_at, observed_at, delivery_seq)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            check_id.as_str(),
            login.as_str(),
            to_micros(opened_at),
            to_micros(self.received_at),
            delivery_seq,
        ])?;
        Ok(())
    }
}

fn load_definition(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
) -> Result<Option<CheckDefinition>, StoreError> {
    let row = tx
        .prepare_cached(
            "SELECT title, severity, description, recommended_actions, as_of
             FROM check_definition WHERE check_id = ?1",
        )?
        .query_row([check_id.as_str()], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, i64>(4)?,
            ))
        })
        .optional()?;
    let Some((title, severity, description, recommended_actions, as_of)) = row else {
        return Ok(None);
    };
    let sentences = |json: &str| {
        serde_json::from_str::<Vec<String>>(json)
            .map_err(|_| StoreError::Corrupt("check definition"))
    };
    Ok(Some(CheckDefinition {
        title,
        severity: Severity::new(severity.as_deref()),
        description: sentences(&description)?,
        recommended_actions: sentences(&recommended_actions)?,
        as_of: from_micros(as_of)?,
    }))
}

fn save_definition(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
    definition: &CheckDefinition,
    at: Timestamp,
) -> Result<(), StoreError> {
    let json = |sentences: &[String]| {
        serde_json::to_string(sentences).map_err(|_| StoreError::Corrupt("check definition"))
    };
    tx.prepare_cached(
        "INSERT OR REPLACE INTO check_definition
            (check_id, title, severity, description, recommended_actions, as_of, last_event_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        check_id.as_str(),
        definition.title,
        definition.severity.text(),
        json(&definition.description)?,
        json(&definition.recommended_actions)?,
        to_micros(definition.as_of),
        to_micros(at),
    ])?;
    Ok(())
}

fn count_failures(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
    severity: &Severity,
    opened: usize,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO check_total (check_id, severity, failures) VALUES (?1, ?2, ?3)
         ON CONFLICT (check_id, severity) DO UPDATE SET failures = failures + excluded.failures",
    )?
    .execute(params![
        check_id.as_str(),
        severity.label(),
        i64::try_from(opened).unwrap_or(0)
    ])?;
    Ok(())
}
