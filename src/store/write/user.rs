//! A snapshot of a user, with all that it changes.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, event};
use crate::{
    domain::{
        EventName, Login, Timestamp, UserObservation, UserState,
        event::{UserContext, user_changed, user_first_seen},
        user,
    },
    store::{Store, StoreError, moment::to_micros},
};

/// An answer about a user to record.
#[derive(Debug)]
pub struct RecordUser {
    /// The login that was asked about.
    pub login: Login,
    /// What the answer says.
    pub observation: UserObservation,
    /// When it came.
    pub observed_at: Timestamp,
}

impl Store {
    /// Records what the service answered about a user.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_user(&self, record: RecordUser) -> Result<(), StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordUser {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::User(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let old = load_state(tx, &self.login)?;
        let new = self.observation.onto(old.as_ref());
        let context = UserContext { login: &self.login, state: &new, at: self.observed_at };
        let events = match &old {
            None => vec![user_first_seen(context)],
            Some(old) => user::changes(old, &new)
                .iter()
                .map(|change| user_changed(context, change))
                .collect(),
        };
        for entry in &events {
            event::append(tx, entry)?;
        }
        let new_ips = events.iter().filter(|entry| entry.name == EventName::UserIpNew).count();
        save_state(tx, &self.login, &new, new_ips, self.observed_at)?;
        if old.is_none_or(|old| applications(&old) != applications(&new)) {
            save_applications(tx, &self.login, &new)?;
        }
        Ok(())
    }
}

fn load_state(tx: &Savepoint<'_>, login: &Login) -> Result<Option<UserState>, StoreError> {
    tx.prepare_cached("SELECT state FROM user_snapshot WHERE login = ?1")?
        .query_row([login.as_str()], |row| row.get::<_, String>(0))
        .optional()?
        .map(|json| serde_json::from_str(&json).map_err(|_| StoreError::Corrupt("user snapshot")))
        .transpose()
}

fn save_state(
    tx: &Savepoint<'_>,
    login: &Login,
    state: &UserState,
    new_ips: usize,
    at: Timestamp,
) -> Result<(), StoreError> {
    let json = serde_json::to_string(state).map_err(|_| StoreError::Corrupt("user snapshot"))?;
    tx.prepare_cached(
        "INSERT INTO user_snapshot (login, state, first_observed_at, observed_at)
         VALUES (?1, ?2, ?3, ?3)
         ON CONFLICT (login) DO UPDATE SET
            state = excluded.state,
            observed_at = excluded.observed_at,
            new_ips = new_ips + ?4,
            last_new_ip_at = iif(?4 > 0, excluded.observed_at, last_new_ip_at)",
    )?
    .execute(params![
        login.as_str(),
        json,
        to_micros(at),
        i64::try_from(new_ips).unwrap_or(0)
    ])?;
    Ok(())
}

fn applications(state: &UserState) -> (Option<&BTreeSet<String>>, Option<&BTreeSet<String>>) {
    (state.unused_applications.as_ref(), state.used_applications.as_ref())
}

fn save_applications(
    tx: &Savepoint<'_>,
    login: &Login,
    state: &UserState,
) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM user_application WHERE login = ?1")?
        .execute([login.as_str()])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO user_application (login, application, used) VALUES (?1, ?2, ?3)",
    )?;
    for (used, names) in [(false, &state.unused_applications), (true, &state.used_applications)] {
        for name in names.iter().flatten() {
            insert.execute(params![login.as_str(), name, used])?;
        }
    }
    Ok(())
}
