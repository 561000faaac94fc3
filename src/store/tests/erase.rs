use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::store::{erase::TABLES, sqlite::make_newest};

/// Columns of text that never name a person, and why.
const IMPERSONAL: [&str; 47] = [
    // The operator's words, names of checks, and their numbers.
    "check_set.checks",
    "check_title.folded",
    "check_words.description",
    "check_words.recommended_actions",
    "checks.durations",
    "checks.id",
    "checks.severity",
    "checks.title",
    "checks.trend",
    "configured_check.name",
    "configured_check.severity",
    "configured_check.title",
    "event.check_id",
    "event.severity",
    "delivery.check_id",
    "delivery.severity",
    "webhook_target.check_ids",
    // Addresses, and what they were seen with.
    "ip_snapshot.ip",
    "past.what",
    // Ids that senders or the service created.
    "delivery.account",
    "delivery.id",
    "delivery.region",
    "integration.id",
    "listing.page_token",
    "webhook_target.id",
    // Our own words.
    "cursor.consumer",
    "delivery.outcome",
    "event.name",
    "failure_closed.reason",
    "integration.status",
    "job_state.hours",
    "job_state.job",
    "job_state.outcome",
    "list_memory.field",
    "list_null.field",
    "list_null.meaning",
    "listing.state",
    "meta.key",
    "meta.value",
    "parked_event.reason",
    "past.kind",
    "poll.kind",
    "poll.outcome",
    "service_seen.part",
    "watch.kind",
    "watch.source",
    // A key of the person's own rows, which is checked below.
    "listing.position",
];

/// Columns of a person's own rows, or that have code of their own for the erasure.
const PERSONAL: [&str; 28] = [
    "admin.display_name",
    "admin.login",
    "delivery.body",
    "delivery.cleared_users",
    "delivery.detail_id",
    "delivery.detail_type",
    "delivery.known_users",
    "delivery.notes",
    "delivery.reason",
    "delivery.source",
    "delivery.title",
    "event.application",
    "event.attributes",
    "event.body",
    "event.ip",
    "event.login",
    "event_context.attributes",
    "failure.login",
    "failure_answer.login",
    "failure_closed.login",
    "ip_snapshot.users",
    "list_null.login",
    "listing_member.failing",
    "listing_member.login",
    "login_spelling.login",
    "login_spelling.spelling",
    "past.name",
    "past.subject",
];

#[test]
fn whatever_text_a_table_has_is_known_to_name_nobody_or_is_erased() {
    let mut connection = Connection::open_in_memory().unwrap();
    make_newest(&mut connection).unwrap();
    let mut select = connection
        .prepare(
            "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND c.type IN ('TEXT', 'ANY')",
        )
        .unwrap();
    let columns = select.query_map([], |row| row.get(0)).unwrap();
    let columns = columns.collect::<Result<BTreeSet<String>, _>>().unwrap();
    let mentioned = TABLES.iter().flat_map(|mentions| {
        mentions.columns.iter().map(|column| format!("{}.{column}", mentions.table))
    });
    let subjects = ["poll.subject", "user_snapshot.login", "watch.subject"];
    let lists = [&IMPERSONAL[..], &PERSONAL, &subjects];
    let known: BTreeSet<_> =
        lists.into_iter().flatten().map(|&column| column.to_owned()).chain(mentioned).collect();
    let unknown: Vec<_> = columns.difference(&known).collect();
    assert!(unknown.is_empty(), "who can stand in {unknown:?}? erase it, or list it here");
    let gone: Vec<_> = known.difference(&columns).collect();
    assert!(gone.is_empty(), "there is no {gone:?}");
}
