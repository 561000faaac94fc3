//! Every table that all engines have: its columns, and the key that orders its rows.
//!
//! Whoever carries all rows from one engine to another goes by this list. A test holds it against
//! the schemas, so that a migration cannot forget it.

use super::sql::{Bulk, Field, body, bytes, integer, text};

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
    const fn new(name: &'static str, key: &'static [Field], rest: &'static [Field]) -> Self {
        Self { bulk: Bulk::insert_with_key(name, key, rest), seeds: None }
    }

    const fn seeded(
        name: &'static str,
        key: &'static [Field],
        rest: &'static [Field],
        seeds: Seeds,
    ) -> Self {
        Self { bulk: Bulk::put(name, key, rest), seeds: Some(seeds) }
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

/// All of them; one that refers to another one comes behind it.
pub(in crate::store) static TABLES: [Table; 34] = [
    Table::seeded(
        "meta",
        &[text("key")],
        &[text("value")],
        Seeds {
            copied: "key <> 'schema_version'",
            others: "key NOT IN ('store_id', 'schema_version')",
        },
    ),
    Table::new(
        "failure_answer",
        &[text("login")],
        &[
            integer("as_of"),
            integer("unknown_since"),
            integer("listed_at"),
            integer("suspect_since"),
            text("shared_texts"),
            text("exchange"),
        ],
    ),
    Table::new(
        "watch",
        &[text("kind"), text("subject"), text("source")],
        &[integer("added_at"), integer("expires_at"), text("note")],
    ),
    Table::new(
        "user_snapshot",
        &[text("login")],
        &[
            text("state"),
            integer("first_observed_at"),
            integer("observed_at"),
            integer("new_ips"),
            integer("last_new_ip_at"),
            integer("form"),
            integer("last_new_country_at"),
        ],
    ),
    Table::new(
        "ip_snapshot",
        &[text("ip")],
        &[
            text("users"),
            integer("first_observed_at"),
            integer("observed_at"),
            integer("new_users"),
            integer("last_new_user_at"),
            integer("form"),
        ],
    ),
    Table::seeded(
        "cursor",
        &[text("consumer")],
        &[integer("seq")],
        // Nobody has read anything up to 0: that is one engine's row from the start, and no row of
        // the other one's.
        Seeds { copied: "seq <> 0", others: "seq <> 0" },
    ),
    Table::new(
        "poll",
        &[text("kind"), text("subject")],
        &[
            text("outcome"),
            integer("since"),
            integer("last_at"),
            integer("answered_at"),
            text("reason"),
            text("errors"),
            integer("status"),
        ],
    ),
    Table::new(
        "job_state",
        &[text("job")],
        &[
            text("outcome"),
            integer("since"),
            integer("last_begun_at"),
            integer("last_success_at"),
            text("reason"),
            integer("asked"),
            integer("ok"),
            integer("not_found"),
            integer("failed"),
            integer("skipped"),
            text("hours"),
        ],
    ),
    Table::new(
        "integration",
        &[text("id")],
        &[text("name"), text("status"), integer("date"), text("error")],
    ),
    Table::new("admin", &[text("login")], &[text("display_name"), integer("last_sign_in_at")]),
    Table::new("service_seen", &[text("part")], &[integer("seen_at"), integer("number")]),
    Table::new(
        "webhook_target",
        &[text("id")],
        &[text("name"), text("url"), text("check_ids"), integer("registered_at")],
    ),
    Table::new("otlp_start", &[integer("id")], &[integer("is_on")]),
    Table::new("otlp_gap", &[integer("first_seq")], &[integer("last_seq")]),
    Table::new("list_memory", &[text("field")], &[integer("last_list_at"), integer("gave_empty")]),
    Table::new(
        "list_null",
        &[text("login"), text("field")],
        &[integer("since"), integer("last_at"), text("meaning")],
    ),
    Table::seeded(
        "head",
        &[integer("id")],
        &[
            integer("event"),
            integer("public_events"),
            integer("delivery"),
            integer("check_number"),
            integer("listing"),
            integer("users"),
            integer("ips"),
            integer("failing_people"),
            integer("followed"),
            integer("new_ips"),
            integer("new_countries"),
            integer("event_hour"),
        ],
        Seeds {
            copied: "0 = 0",
            others: "event + delivery + check_number + listing + users + ips <> 0",
        },
    ),
    Table::new(
        "checks",
        &[integer("number")],
        &[
            text("id"),
            text("title"),
            text("severity"),
            integer("last_event_at"),
            integer("version"),
            integer("open"),
            integer("failures"),
            integer("resolutions"),
            integer("title_as_of"),
            integer("severity_as_of"),
            integer("description_as_of"),
            integer("recommended_actions_as_of"),
            integer("last_failure_at"),
            text("durations"),
            integer("is_provisional"),
            integer("is_hidden"),
            text("trend"),
        ],
    ),
    Table::new(
        "check_words",
        &[integer("check_number"), integer("version")],
        &[text("description"), text("recommended_actions")],
    ),
    Table::new(
        "check_title",
        &[text("folded"), integer("check_number"), integer("since")],
        &[integer("until")],
    ),
    Table::new(
        "failure",
        &[text("login"), integer("check_number")],
        &[
            integer("opened_at"),
            integer("reported_at"),
            integer("is_announced"),
            integer("is_dated"),
            integer("named_at"),
            integer("by_title"),
        ],
    ),
    Table::new(
        "failure_closed",
        &[integer("number")],
        &[
            integer("check_number"),
            text("login"),
            integer("opened_at"),
            integer("closed_at"),
            integer("is_announced"),
            text("reason"),
            integer("is_dated"),
        ],
    ),
    Table::new("event_context", &[integer("number")], &[text("attributes")]),
    Table::new(
        "event",
        &[integer("seq")],
        &[
            text("name"),
            integer("public"),
            integer("ordinal"),
            text("check_id"),
            text("login"),
            text("ip"),
            text("application"),
            integer("happened_at"),
            integer("observed_at"),
            text("severity"),
            text("body"),
            text("attributes"),
            integer("context"),
            integer("check_version"),
            bytes("uid"),
        ],
    ),
    Table::new("event_hour", &[integer("first")], &[integer("hour")]),
    Table::new("parked_event", &[integer("seq")], &[text("reason"), integer("parked_at")]),
    Table::new("otlp_resend", &[integer("seq")], &[]),
    Table::new(
        "delivery",
        &[integer("seq")],
        &[
            text("id"),
            text("detail_id"),
            integer("received_at"),
            integer("sent_at"),
            integer("published_at"),
            text("detail_type"),
            text("source"),
            text("account"),
            text("region"),
            text("check_id"),
            text("title"),
            text("severity"),
            text("outcome"),
            integer("status"),
            text("reason"),
            integer("users"),
            integer("new_users"),
            text("known_users"),
            text("cleared_users"),
            integer("skipped_logins"),
            text("notes"),
            integer("repeats"),
            integer("last_repeat_at"),
            integer("replayed_as"),
            integer("size"),
            integer("is_packed"),
            integer("body_form"),
            body("body"),
        ],
    ),
    Table::new(
        "listing",
        &[text("state")],
        &[
            integer("number"),
            integer("begun_at"),
            text("page_token"),
            integer("pages"),
            integer("users"),
            integer("told"),
            integer("skipped"),
            text("figures"),
            integer("ended_at"),
            text("position"),
            integer("is_verdict"),
            integer("is_suspect"),
        ],
    ),
    Table::new(
        "listing_member",
        &[integer("listing"), text("login")],
        &[text("failing"), integer("is_null"), integer("asked_at")],
    ),
    Table::new("login_spelling", &[text("login")], &[text("spelling")]),
    Table::new(
        "past",
        &[text("kind"), text("subject"), text("what"), text("name")],
        &[integer("gone_at")],
    ),
    Table::new("configured_check", &[text("name")], &[text("title"), text("severity")]),
    Table::new("check_set", &[text("checks")], &[integer("people")]),
];
