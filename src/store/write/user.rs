//! A snapshot of a user, with all that it changes.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, event, null_memory};
use crate::{
    domain::{
        EventName, ListField, Login, Timestamp, UserField, UserObservation, UserState,
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
        let Self { login, mut observation, observed_at } = self;
        for (field, size) in list_sizes(&observation.state) {
            let Some(list) = ListField::of(field) else { continue };
            if observation.null_lists.contains(&field) {
                null_memory::note_null(tx, &login, list, observed_at)?;
            } else if !observation.untold.contains(&field) {
                null_memory::note_list(tx, &login, list, size == 0, observed_at)?;
            }
        }
        // Not told for now: the end of the run says whether null means none.
        let null_lists = std::mem::take(&mut observation.null_lists);
        observation.untold.extend(null_lists);
        let old = load_state(tx, &login)?;
        let new = observation.onto(old.as_ref());
        change(tx, &login, old.as_ref(), &new, observed_at)
    }
}

/// Empties lists of a snapshot whose null turned out to mean none.
pub(super) fn empty_lists(
    tx: &Savepoint<'_>,
    login: &Login,
    fields: &BTreeSet<UserField>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(old) = load_state(tx, login)? else { return Ok(()) };
    let new = UserState {
        ip_addresses: Some(BTreeMap::new()),
        unused_applications: Some(BTreeSet::new()),
        used_applications: Some(BTreeSet::new()),
        used_factors: Some(BTreeSet::new()),
        working_locations: Some(BTreeSet::new()),
        employee_ids: Some(BTreeSet::new()),
        ..old.clone()
    };
    let lists = list_sizes(&old).map(|(field, _)| field);
    let untold = lists.into_iter().filter(|field| !fields.contains(field)).collect();
    let observation = UserObservation { state: new, untold, null_lists: BTreeSet::new() };
    let new = observation.onto(Some(&old));
    if new == old { Ok(()) } else { change(tx, login, Some(&old), &new, at) }
}

/// The sizes of a snapshot's lists.
fn list_sizes(state: &UserState) -> [(UserField, usize); 6] {
    let size = |set: &Option<BTreeSet<String>>| set.as_ref().map_or(0, BTreeSet::len);
    [
        (UserField::IpAddresses, state.ip_addresses.as_ref().map_or(0, BTreeMap::len)),
        (UserField::UnusedApplications, size(&state.unused_applications)),
        (UserField::UsedApplications, size(&state.used_applications)),
        (UserField::UsedFactors, size(&state.used_factors)),
        (UserField::EmployeeIds, size(&state.employee_ids)),
        (UserField::WorkingLocations, state.working_locations.as_ref().map_or(0, BTreeSet::len)),
    ]
}

/// Makes a state the latest snapshot, with the events of what changed.
fn change(
    tx: &Savepoint<'_>,
    login: &Login,
    old: Option<&UserState>,
    new: &UserState,
    at: Timestamp,
) -> Result<(), StoreError> {
    let context = UserContext { login, state: new, at };
    let events: Vec<_> = match old {
        None => vec![user_first_seen(context)],
        Some(old) => {
            user::changes(old, new).iter().map(|change| user_changed(context, change)).collect()
        }
    };
    for entry in &events {
        event::append(tx, entry)?;
    }
    let new_ips = events.iter().filter(|entry| entry.name == EventName::UserIpNew).count();
    save_state(tx, login, new, new_ips, at)?;
    if old.is_none_or(|old| applications(old) != applications(new)) {
        save_applications(tx, login, new)?;
    }
    Ok(())
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
