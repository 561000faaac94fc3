//! Loads attributes that users and addresses no longer have.

use std::collections::{BTreeMap, BTreeSet};

use super::each_of_subjects;
use crate::{
    domain::{Past, PastKind, WatchSubject},
    ledger::Facts,
    store::{StoreError, sql::Connection},
};

pub(super) fn of_subjects(
    connection: &dyn Connection,
    subjects: &BTreeSet<WatchSubject>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut found = BTreeMap::<&WatchSubject, Past>::new();
    each_of_subjects(
        connection,
        "SELECT subject, what, name, gone_at FROM past WHERE kind = ?1 AND subject IN rarray(?2)",
        subjects,
        |subject, row| {
            let kind = PastKind::parse(row.text(1).unwrap_or_default());
            // Without a row that cannot be decoded, an attribute may be reported as new although it
            // is not. That is the worst that happens.
            if let (Some(kind), Ok(gone_at)) = (kind, row.get(3)) {
                let past = found.entry(subject).or_default();
                past.insert(kind, row.text(2).unwrap_or_default(), gone_at);
            }
            Ok(())
        },
    )?;
    for subject in subjects {
        facts.past.load(subject.clone(), found.remove(subject));
    }
    Ok(())
}
