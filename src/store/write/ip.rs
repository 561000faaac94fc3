//! A snapshot of an address, with all that it changes.

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, event};
use crate::{
    domain::{
        EventName, IpAddress, IpUsers, Timestamp,
        event::{ip_changed, ip_first_seen},
        ip_users,
    },
    store::{Store, StoreError, moment::to_micros},
};

/// A complete answer about an address to record.
#[derive(Debug)]
pub struct RecordIp {
    /// The address that was asked about.
    pub ip: IpAddress,
    /// Everyone who uses it.
    pub users: IpUsers,
    /// Whether some rows could not be read: who is absent is not gone then.
    pub is_partial: bool,
    /// When the answer came.
    pub observed_at: Timestamp,
}

impl Store {
    /// Records what the service answered about an address.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_ip(&self, record: RecordIp) -> Result<(), StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordIp {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Ip(self, reply)
    }

    fn apply(mut self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let old = load_users(tx, self.ip)?;
        if self.is_partial {
            for (login, user) in old.iter().flatten() {
                self.users.entry(login.clone()).or_insert_with(|| user.clone());
            }
        }
        let events = match old {
            None => vec![ip_first_seen(self.ip, self.observed_at)],
            Some(old) => ip_users::changes(&old, &self.users)
                .iter()
                .map(|change| ip_changed(self.ip, change, self.observed_at))
                .collect(),
        };
        for entry in &events {
            event::append(tx, entry)?;
        }
        let new_users = events.iter().filter(|entry| entry.name == EventName::IpUserNew).count();
        self.save(tx, new_users)
    }
}

impl RecordIp {
    fn save(&self, tx: &Savepoint<'_>, new_users: usize) -> Result<(), StoreError> {
        let json =
            serde_json::to_string(&self.users).map_err(|_| StoreError::Corrupt("IP snapshot"))?;
        tx.prepare_cached(
            "INSERT INTO ip_snapshot (ip, users, first_observed_at, observed_at)
             VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT (ip) DO UPDATE SET
                users = excluded.users,
                observed_at = excluded.observed_at,
                new_users = new_users + ?4,
                last_new_user_at = iif(?4 > 0, excluded.observed_at, last_new_user_at)",
        )?
        .execute(params![
            self.ip.to_string(),
            json,
            to_micros(self.observed_at),
            i64::try_from(new_users).unwrap_or(0),
        ])?;
        Ok(())
    }
}

fn load_users(tx: &Savepoint<'_>, ip: IpAddress) -> Result<Option<IpUsers>, StoreError> {
    tx.prepare_cached("SELECT users FROM ip_snapshot WHERE ip = ?1")?
        .query_row([ip.to_string()], |row| row.get::<_, String>(0))
        .optional()?
        .map(|json| serde_json::from_str(&json).map_err(|_| StoreError::Corrupt("IP snapshot")))
        .transpose()
}
