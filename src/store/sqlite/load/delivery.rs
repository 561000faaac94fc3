//! Deliveries: which envelopes were seen, and which refused ones are kept.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::texts;
use crate::{
    ledger::{Envelope, Facts, RefusedRow},
    store::StoreError,
};

pub(super) fn envelopes(
    connection: &Connection,
    ids: &BTreeSet<String>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut select = connection.prepare_cached(
        "SELECT id, seq, outcome = 'filtered' FROM delivery
         WHERE status = 200 AND id IN rarray(?1)",
    )?;
    let mut rows = select.query([texts(ids.iter().map(String::as_str))])?;
    while let Some(row) = rows.next()? {
        let envelope = Envelope { number: row.get(1)?, is_filtered: row.get(2)? };
        facts.envelopes.load(row.get(0)?, Some(envelope));
    }
    for id in ids {
        facts.envelopes.load(id.clone(), None);
    }
    Ok(())
}

pub(super) fn refused(connection: &Connection, facts: &mut Facts) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT seq, body IS NOT NULL, replayed_as FROM delivery WHERE status <> 200",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let refused = RefusedRow { has_body: row.get(1)?, replayed_as: row.get(2)? };
        facts.refused.load(row.get(0)?, Some(refused));
    }
    Ok(())
}
