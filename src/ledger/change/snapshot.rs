//! The answer about a user's state.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    domain::{
        EventName, ListField, Login, Timestamp, UserField, UserObservation, UserState,
        WatchSubject,
        null_list::{FieldMemory, NullMeaning},
        user::{self, UserContext, user_changed, user_first_seen},
    },
    ledger::{Facts, Fault, Keys, NullList, Subject, UserSnapshot, WholeTable},
};

/// Adds the rows that [`record_state`] needs of a user.
pub(super) fn keys_of(login: &Login, keys: &mut Keys) {
    keys.users.insert(login.clone());
    keys.past.insert(WatchSubject::User(login.clone()));
    keys.nulls_of.insert(login.clone());
    keys.whole.insert(WholeTable::ListMemory);
}

/// Stores an answer as the newest snapshot, and appends an event for each difference.
pub(super) fn record_state(
    facts: &mut Facts,
    login: &Login,
    observation: &UserObservation,
    at: Timestamp,
) -> Result<(), Fault> {
    for (field, size) in list_sizes(&observation.state) {
        let Some(list) = ListField::of(field) else { continue };
        if observation.null_lists.contains(&field) {
            record_null(facts, login, list, at)?;
        } else if !observation.untold.contains(&field) {
            record_list(facts, login, list, size == 0, at)?;
        }
    }
    let mut observation = observation.clone();
    // A null list is unknown for now: the end of the run judges whether it means none.
    let null_lists = std::mem::take(&mut observation.null_lists);
    observation.untold.extend(null_lists);
    let old = facts.users.get(login)?.map(|snapshot| snapshot.state.clone());
    let new = observation.merge_onto(old.as_deref());
    replace_snapshot(facts, login, old, new, at)
}

/// Empties the lists of a snapshot whose null was judged to mean none.
pub(super) fn empty_lists(
    facts: &mut Facts,
    login: &Login,
    fields: &BTreeSet<UserField>,
    at: Timestamp,
) -> Result<(), Fault> {
    let Some(old) = facts.users.get(login)?.map(|snapshot| snapshot.state.clone()) else {
        return Ok(());
    };
    let state = UserState {
        ip_addresses: Some(BTreeMap::new()),
        unused_applications: Some(BTreeSet::new()),
        used_applications: Some(BTreeSet::new()),
        used_factors: Some(BTreeSet::new()),
        working_locations: Some(BTreeSet::new()),
        employee_ids: Some(BTreeSet::new()),
        ..(*old).clone()
    };
    let lists = list_sizes(&old).map(|(field, _)| field);
    let untold = lists.into_iter().filter(|field| !fields.contains(field)).collect();
    let observation = UserObservation { login: None, state, untold, null_lists: BTreeSet::new() };
    let new = observation.merge_onto(Some(&old));
    if new == *old { Ok(()) } else { replace_snapshot(facts, login, Some(old), new, at) }
}

/// Stores that the service gave a list for a user.
pub(super) fn record_list(
    facts: &mut Facts,
    login: &Login,
    field: ListField,
    is_empty: bool,
    at: Timestamp,
) -> Result<(), Fault> {
    let before = facts.list_memory.get(&field)?.copied().unwrap_or_default();
    let now = FieldMemory {
        last_list_at: before.last_list_at.max(Some(at)),
        gave_empty: before.gave_empty || is_empty,
    };
    if now != before {
        facts.list_memory.put(field, now);
    }
    let key = (login.clone(), field);
    if facts.nulls.get(&key)?.is_some() {
        facts.nulls.remove(&key);
    }
    Ok(())
}

/// Stores that a list is null for a user; returns since when.
pub(super) fn record_null(
    facts: &mut Facts,
    login: &Login,
    field: ListField,
    at: Timestamp,
) -> Result<Timestamp, Fault> {
    let key = (login.clone(), field);
    let before = facts.nulls.get(&key)?.copied();
    let now = match before {
        Some(before) => NullList { last_at: before.last_at.max(at), ..before },
        None => NullList { since: at, last_at: at, meaning: NullMeaning::Untold },
    };
    facts.nulls.put(key, now);
    Ok(now.since)
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

fn replace_snapshot(
    facts: &mut Facts,
    login: &Login,
    old: Option<Arc<UserState>>,
    new: UserState,
    at: Timestamp,
) -> Result<(), Fault> {
    let context = UserContext { login, state: &new, at };
    let subject = WatchSubject::User(login.clone());
    let past = facts.past.get(&subject)?.cloned().unwrap_or_default();
    let events: Vec<_> = match &old {
        None => vec![user_first_seen(context)],
        Some(old) => {
            let changes = user::changes(old, &new, &past);
            changes.iter().map(|change| user_changed(context, change)).collect()
        }
    };
    if let Some(old) = &old {
        let mut now = past.clone();
        new.record_gone(old, &mut now, at);
        if now != past {
            facts.past.put(subject, now);
        }
    }
    let count = |name| events.iter().filter(|event| event.name == name).count() as u64;
    let (new_ips, new_countries) = (count(EventName::UserIpNew), count(EventName::UserCountryNew));
    facts.append_all(events);
    facts.count_new_places(new_ips, new_countries);
    // An equal state keeps its `Arc`, which the store compares: the large row is not written
    // again.
    let unchanged = old.filter(|old| **old == new);
    let state = unchanged.unwrap_or_else(|| Arc::new(new));
    let before = facts.users.get(login)?;
    let snapshot = UserSnapshot {
        state,
        first_observed_at: before.map_or(at, |before| before.first_observed_at),
        observed_at: at,
        new_ips: before.map_or(0, |before| before.new_ips) + new_ips,
        last_new_ip_at: if new_ips > 0 {
            Some(at)
        } else {
            before.and_then(|before| before.last_new_ip_at)
        },
        last_new_country_at: if new_countries > 0 {
            Some(at)
        } else {
            before.and_then(|before| before.last_new_country_at)
        },
    };
    facts.users.put(login.clone(), snapshot);
    // The page also shows when the service last answered, so an equal answer counts as a change.
    facts.touch(Subject::User(login.clone()));
    Ok(())
}
