//! Faults of a server, and of the connection to it, each caused with a real server.

mod conflicts;
mod cut;
mod disk_full;
mod hangs;
mod load;
mod moving;
mod notices;
mod odd_values;
mod pool;
mod proxy;
mod refusals;
mod restarts;
mod round_trips;
mod standby;
mod together;
mod upgrades;
mod vacuum;

use std::time::{Duration, Instant};

use cii_test_cluster::{Cluster, Options, free_port};

use super::*;
use crate::store::postgres::{Limits, Server, Way};
use load::Load;
use proxy::{Cut, Proxy};

/// Limits short enough for a test to wait for. On a busy machine they can be over without a fault: what
/// a test must not see fail has the [`PATIENT`] ones.
const SHORT: Limits = Limits {
    connect: Duration::from_secs(2),
    statement: Duration::from_secs(3),
    commit: Duration::from_secs(2),
    lock: Duration::from_secs(1),
    look_up: Duration::from_secs(4),
    look: Duration::from_secs(1),
};

/// Limits that no test waits for, far longer than anything takes on a busy machine. A test that waits
/// for one of them replaces that one alone.
const PATIENT: Limits = Limits {
    connect: Duration::from_mins(1),
    statement: Duration::from_mins(1),
    commit: Duration::from_mins(1),
    lock: Duration::from_mins(1),
    look_up: Duration::from_mins(1),
    look: Duration::from_secs(1),
};

/// Longer than a commit takes with the limits of [`SHORT`], including all attempts, on a busy machine.
const BOUND: Duration = Duration::from_mins(1);

/// The server at a URL.
fn server(url: &str, schema: Option<&str>) -> Server {
    Server::at(url, schema)
}

/// Opens the database at a URL, with these limits.
fn connect_within(limits: Limits, url: &str) -> Result<(Store, WriterThread), StoreError> {
    Store::connect_over(Way::new(server(url, None))?.with_limits(limits), true)
}

fn try_connect(url: &str) -> Result<Store, StoreError> {
    connect_within(PATIENT, url).map(|(store, _)| store)
}

fn connect(url: &str) -> Store {
    try_connect(url).unwrap()
}

/// Opens the database at a URL for a load, which repeats what fails.
fn connect_impatiently(url: &str) -> Store {
    connect_within(SHORT, url).unwrap().0
}

/// The kind of an engine's error.
fn kind(error: &StoreError) -> Option<SqlErrorKind> {
    match error {
        StoreError::Sql(error) => Some(error.kind()),
        _ => None,
    }
}

/// Waits until a condition holds.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_mins(2), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The outcome of a delivery with one new failure.
const NEW: DeliveryOutcome = DeliveryOutcome::Accepted { opened: 1, past_limit: 0 };

/// Commits a delivery about a user of its own, within a limit.
async fn deliver(store: &Store, id: &str) -> Result<DeliveryOutcome, StoreError> {
    let begun = Instant::now();
    let outcome = store.commit(delivery_of_one_user(id)).await;
    assert!(begun.elapsed() < BOUND, "{id} took {:?}: {outcome:?}", begun.elapsed());
    outcome.map(|recorded| recorded.outcome)
}

/// A delivery about a user of its own.
fn delivery_of_one_user(id: &str) -> RecordDelivery {
    let mut record = delivery(id, &[&format!("{id}@x")]);
    record.policy.max_users = 1_000_000;
    record
}

/// Commits deliveries until one is stored, each with an id of its own.
async fn until_delivered(store: &Store, name: &str) {
    let mut number = 0;
    until("deliveries are stored again", async || {
        number += 1;
        deliver(store, &format!("{name}{number}")).await.is_ok()
    })
    .await;
}

/// The ids of the deliveries that are stored, in the order of their numbers.
fn stored_delivery_ids(cluster: &Cluster, database: &str) -> Vec<String> {
    let ids = cluster.sql(database, "SELECT id FROM delivery WHERE status = 200 ORDER BY seq");
    ids.lines().map(str::to_owned).collect()
}

/// Checks that numbers have no gap, and that the head has the last ones.
fn assert_numbered(cluster: &Cluster, database: &str) {
    for (table, number) in [("event", "event"), ("delivery", "delivery")] {
        let sql = format!(
            "SELECT count(*), coalesce(max(seq), 0), (SELECT {number} FROM head) FROM {table}"
        );
        let row = cluster.sql(database, &sql);
        let numbers: BTreeSet<_> = row.split('|').collect();
        assert_eq!(numbers.len(), 1, "{table}: {row}");
    }
}

/// Ends the sessions of a database, so that new settings apply.
fn end_sessions(cluster: &Cluster, database: &str) {
    cluster.sql(
        "postgres",
        &format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        ),
    );
}

/// Whether a session of a database waits for this event.
fn has_waiting_session(cluster: &Cluster, database: &str, event: &str) -> bool {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = '{database}' AND (wait_event = '{event}' OR wait_event_type = '{event}')"
    );
    cluster.sql("postgres", &sql) != "0"
}
