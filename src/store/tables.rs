//! Every table that all engines have, for copying all rows from one engine to another. A test compares
//! the list with the schemas, so that a migration cannot forget it.

use super::{
    columns,
    sql::{Bulk, Columns, Field},
};

/// A table.
#[derive(Debug)]
pub(in crate::store) struct Table {
    bulk: Bulk,
    seeds: Option<Seeds>,
}

/// Rows that a new schema has from the start.
#[derive(Debug)]
struct Seeds {
    /// A condition for the rows that are everybody's, and not one engine's own.
    copied: &'static str,
    /// A condition for rows that no new schema has.
    others: &'static str,
}

/// Rows that are read at once, and are in memory together.
const SLICE: usize = 500;

/// The same of tables whose rows can be megabytes long: bodies, and lists in JSON.
const WIDE_SLICE: usize = 64;
const WIDE: [&str; 4] = ["delivery", "event_context", "user_snapshot", "ip_snapshot"];

impl Table {
    const fn new(columns: Columns) -> Self {
        Self { bulk: Bulk::insert(columns), seeds: None }
    }

    const fn seeded(columns: Columns, seeds: Seeds) -> Self {
        Self { bulk: Bulk::put(columns), seeds: Some(seeds) }
    }

    pub(in crate::store) fn name(&self) -> &'static str {
        self.bulk.table()
    }

    /// What writes rows into a schema that has none but those of its start: all columns, those of
    /// the key first.
    pub(in crate::store) fn bulk(&self) -> &Bulk {
        &self.bulk
    }

    /// The columns, in the order of the values of a row.
    pub(in crate::store) fn columns(&self) -> impl Iterator<Item = &'static Field> {
        self.bulk.columns()
    }

    /// The columns that order the rows; the first ones of all.
    pub(in crate::store) fn key(&self) -> &'static [Field] {
        self.bulk.key()
    }

    /// How many rows are read at once.
    pub(in crate::store) fn slice(&self) -> usize {
        if WIDE.contains(&self.name()) { WIDE_SLICE } else { SLICE }
    }

    /// A condition for the rows that are everybody's, and not one engine's own.
    pub(in crate::store) fn copied(&self) -> &'static str {
        self.seeds.as_ref().map_or("0 = 0", |seeds| seeds.copied)
    }

    /// A condition for rows that no new schema has.
    pub(in crate::store) fn others(&self) -> &'static str {
        self.seeds.as_ref().map_or("0 = 0", |seeds| seeds.others)
    }
}

/// All of them; one that refers to another one comes after it.
pub(in crate::store) static TABLES: [Table; 34] = [
    Table::seeded(
        columns::META,
        Seeds {
            copied: "key <> 'schema_version'",
            others: "key NOT IN ('store_id', 'schema_version')",
        },
    ),
    Table::new(columns::FAILURE_ANSWER),
    Table::new(columns::WATCH),
    Table::new(columns::USER_SNAPSHOT),
    Table::new(columns::IP_SNAPSHOT),
    Table::seeded(
        columns::CURSOR,
        // Nobody has read anything up to 0: that is one engine's row from the start, and no row of
        // the other one's.
        Seeds { copied: "seq <> 0", others: "seq <> 0" },
    ),
    Table::new(columns::POLL),
    Table::new(columns::JOB_STATE),
    Table::new(columns::INTEGRATION),
    Table::new(columns::ADMIN),
    Table::new(columns::SERVICE_SEEN),
    Table::new(columns::WEBHOOK_TARGET),
    Table::new(columns::OTLP_START),
    Table::new(columns::OTLP_GAP),
    Table::new(columns::LIST_MEMORY),
    Table::new(columns::LIST_NULL),
    Table::seeded(
        columns::HEAD,
        Seeds {
            copied: "0 = 0",
            others: "event + delivery + check_number + listing + users + ips <> 0",
        },
    ),
    Table::new(columns::CHECKS),
    Table::new(columns::CHECK_WORDS),
    Table::new(columns::CHECK_TITLE),
    Table::new(columns::FAILURE),
    Table::new(columns::FAILURE_CLOSED),
    Table::new(columns::EVENT_CONTEXT),
    Table::new(columns::EVENT),
    Table::new(columns::EVENT_HOUR),
    Table::new(columns::PARKED_EVENT),
    Table::new(columns::OTLP_RESEND),
    Table::new(columns::DELIVERY),
    Table::new(columns::LISTING),
    Table::new(columns::LISTING_MEMBER),
    Table::new(columns::LOGIN_SPELLING),
    Table::new(columns::PAST),
    Table::new(columns::CONFIGURED_CHECK),
    Table::new(columns::CHECK_SET),
];
