//! What users and addresses had, and have no longer.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::{
    domain::{Past, PastKind, WatchSubject},
    ledger::Facts,
    store::{StoreError, row::Moment},
};

pub(super) fn of_subjects(
    connection: &Connection,
    subjects: &BTreeSet<WatchSubject>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut select = connection
        .prepare_cached("SELECT what, name, gone_at FROM past WHERE kind = ?1 AND subject = ?2")?;
    for subject in subjects {
        let mut past = Past::default();
        let mut rows = select.query(params![subject.kind(), subject.text()])?;
        while let Some(row) = rows.next()? {
            let kind = PastKind::parse(row.get_ref(0)?.as_str().unwrap_or_default());
            // A row that cannot be understood makes something new that is not: no more.
            if let (Some(kind), Ok(Moment(gone_at))) = (kind, row.get(2)) {
                past.insert(kind, row.get_ref(1)?.as_str().unwrap_or_default(), gone_at);
            }
        }
        let is_known = past.iter().next().is_some();
        facts.past.load(subject.clone(), is_known.then_some(past));
    }
    Ok(())
}
