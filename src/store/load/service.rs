//! Loads the state of the service itself, and the webhook targets that were registered with it.

use std::collections::BTreeSet;

use crate::{
    ledger::{Facts, ServiceSeen, ServiceState},
    store::{StoreError, shared, sql::Connection},
};

/// The parts of the service that are answered separately.
const PARTS: [&str; 3] = ["integrations", "admins", "daily_failures"];

pub(super) fn state(connection: &dyn Connection, facts: &mut Facts) -> Result<(), StoreError> {
    match read(connection) {
        // A state without any answer has no row.
        Ok(state) => {
            facts.service.load((), Some(state).filter(|state| !state.seen.is_empty()));
        }
        Err(error) if error.is_unreadable_row() => {
            facts.service.load_unreadable((), &error.to_string());
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn read(connection: &dyn Connection) -> Result<ServiceState, StoreError> {
    let mut state = ServiceState {
        integrations: shared::integrations(connection)?,
        admins: shared::admins(connection)?,
        ..ServiceState::default()
    };
    connection.each("SELECT part, seen_at, number FROM service_seen", &[], |row| {
        let part = row.text(0).unwrap_or_default();
        if let Some(part) = PARTS.into_iter().find(|known| *known == part) {
            let seen = ServiceSeen { at: row.get(1)?, number: row.get(2)? };
            state.seen.insert(part, seen);
        }
        Ok(())
    })?;
    Ok(state)
}

pub(super) fn targets(
    connection: &dyn Connection,
    ids: &BTreeSet<String>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    match shared::webhook_targets(connection) {
        Ok(targets) => {
            for target in targets {
                facts.targets.load(target.id.clone(), Some(target));
            }
        }
        // The rows are loaded together: a change of one of them gets the error.
        Err(error) if error.is_unreadable_row() => {
            for id in ids {
                facts.targets.load_unreadable(id.clone(), &error.to_string());
            }
        }
        Err(error) => return Err(error),
    }
    for id in ids {
        facts.targets.load(id.clone(), None);
    }
    Ok(())
}
