//! Loads which envelopes were seen, and which refused deliveries are stored.

use std::collections::BTreeSet;

use crate::{
    ledger::{Envelope, Facts, RefusedRow},
    store::{
        StoreError,
        sql::{Connection, params},
    },
};

pub(super) fn envelopes(
    connection: &dyn Connection,
    ids: &BTreeSet<String>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let texts: Vec<_> = ids.iter().map(String::as_str).collect();
    connection.each(
        "SELECT id, seq, outcome FROM delivery WHERE status = 200 AND id IN rarray(?1)",
        params![texts[..]],
        |row| {
            let is_filtered = row.text(2)? == "filtered";
            let envelope = Envelope { number: row.get(1)?, is_filtered };
            facts.envelopes.load(row.get(0)?, Some(envelope));
            Ok(())
        },
    )?;
    for id in ids {
        facts.envelopes.load(id.clone(), None);
    }
    Ok(())
}

pub(super) fn refused_deliveries(
    connection: &dyn Connection,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let sql = "SELECT seq, CASE WHEN body IS NULL THEN 0 ELSE 1 END, replayed_as FROM delivery
               WHERE status <> 200";
    connection.each(sql, &[], |row| {
        let refused = RefusedRow { has_body: row.get(1)?, replayed_as: row.get(2)? };
        facts.refused.load(row.get(0)?, Some(refused));
        Ok(())
    })?;
    facts.load_all_refused();
    Ok(())
}
