//! The service itself: integrations, administrators, daily counts.

use rusqlite::{Savepoint, params};

use super::{Reply, Transact, Write, event};
use crate::{
    domain::{Admin, Event, Integration, Timestamp, service},
    store::{Store, StoreError, moment::to_micros, read},
};

/// What was seen of the service, to record; what was not seen stays as it is.
#[derive(Debug, Default)]
pub struct RecordService {
    /// Its integrations.
    pub integrations: Option<Vec<Integration>>,
    /// Whether some of them could not be read: those known before stay then.
    pub integrations_are_partial: bool,
    /// Its administrators.
    pub admins: Option<Vec<Admin>>,
    /// The same of them.
    pub admins_are_partial: bool,
    /// The newest day's count of failing checks; `Some(None)` when the service
    /// has none.
    pub daily_failures: Option<Option<u64>>,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Records what was seen of the service.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_service(&self, record: RecordService) -> Result<(), StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordService {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Service(self, reply)
    }

    fn apply(mut self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let mut events = Vec::new();
        if let (Some(now), true) = (&mut self.integrations, self.integrations_are_partial) {
            let known = read::service::integrations(tx)?;
            service::keep_unread(now, known, |integration| integration.id.clone());
        }
        if let (Some(now), true) = (&mut self.admins, self.admins_are_partial) {
            let known = read::service::admins(tx)?.unwrap_or_default();
            service::keep_unread(now, known, |admin| admin.login.clone());
        }
        if let Some(now) = &self.integrations {
            let before = read::service::integrations(tx)?;
            events.extend(service::on_integrations(&before, now, self.at));
            save_integrations(tx, now)?;
            self.seen(tx, "integrations", None)?;
        }
        if let Some(now) = &self.admins {
            let before = read::service::admins(tx)?;
            events.extend(service::on_admins(before.as_deref(), now, self.at));
            save_admins(tx, now)?;
            self.seen(tx, "admins", None)?;
        }
        if let Some(number) = self.daily_failures {
            self.seen(tx, "daily_failures", number)?;
        }
        events.push(Event::service_observed(self.at));
        for entry in &events {
            event::append(tx, entry)?;
        }
        Ok(())
    }
}

impl RecordService {
    fn seen(&self, tx: &Savepoint<'_>, part: &str, number: Option<u64>) -> Result<(), StoreError> {
        let number = number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        tx.prepare_cached(
            "INSERT OR REPLACE INTO service_seen (part, seen_at, number) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![part, to_micros(self.at), number])?;
        Ok(())
    }
}

fn save_integrations(tx: &Savepoint<'_>, integrations: &[Integration]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM integration", [])?;
    let mut insert = tx.prepare_cached(
        "INSERT OR REPLACE INTO integration (id, name, status, date, error)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for Integration { id, name, status, date, error } in integrations {
        // 0 stands for a date that was not told.
        insert.execute(params![id, name, status, date.map_or(0, to_micros), error])?;
    }
    Ok(())
}

fn save_admins(tx: &Savepoint<'_>, admins: &[Admin]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM admin", [])?;
    let mut insert = tx.prepare_cached(
        "INSERT OR REPLACE INTO admin (login, display_name, last_sign_in_at)
         VALUES (?1, ?2, ?3)",
    )?;
    for Admin { login, display_name, last_sign_in } in admins {
        insert.execute(params![login.as_str(), display_name, last_sign_in.map(to_micros)])?;
    }
    Ok(())
}
