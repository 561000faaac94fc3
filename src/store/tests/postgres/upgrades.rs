//! A schema that an older exporter created.

use super::*;

/// As the first version made it, out of what the newest one did.
const FIRST: &str = "ALTER TABLE failure ADD COLUMN delivery bigint;
    ALTER TABLE failure_closed ADD COLUMN delivery bigint;
    CREATE INDEX failure_by_delivery ON failure (delivery) WHERE delivery IS NOT NULL;
    CREATE INDEX event_observed ON event (observed_at);
    ALTER TABLE head DROP COLUMN event_hour;
    DROP TABLE event_hour;
    UPDATE meta SET value = '1' WHERE key = 'schema_version'";

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_an_older_exporter_is_upgraded_by_a_start_alone() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    drop(store);
    cluster.sql(&database.name, FIRST);
    // Commands change nothing.
    let error = Store::connect_current(server(&database.url, None)).unwrap_err();
    assert!(matches!(error, StoreError::TooOld(_)), "{error}");
    let error = Reader::connect(server(&database.url, None)).unwrap_err();
    assert!(matches!(error, StoreError::TooOld(_)), "{error}");
    let version = "SELECT value FROM meta WHERE key = 'schema_version'";
    assert_eq!(cluster.sql(&database.name, version), "1");

    let store = connect(&database.url);
    assert_eq!(cluster.sql(&database.name, version), "3");
    let indexes = "SELECT count(*) FROM pg_indexes WHERE indexname = 'failure_by_delivery'";
    assert_eq!(cluster.sql(&database.name, indexes), "0");
    let runs = "SELECT count(*) FROM event_hour JOIN head ON hour = event_hour AND first = 1";
    assert_eq!(cluster.sql(&database.name, runs), "1", "the hour of what was there is found");
    assert_eq!(deliver(&store, "before").await.unwrap(), DeliveryOutcome::Duplicate);
    assert_eq!(deliver(&store, "after").await.unwrap(), NEW);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_waits_for_a_long_read_and_holds_up_nobody() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    drop(store);
    cluster.sql(&database.name, FIRST);
    let (name, url) = (database.name.clone(), database.url.clone());
    let read = tokio::task::spawn_blocking(move || {
        let backup = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM failure;
            SELECT pg_sleep(300); COMMIT";
        cluster.try_sql(&name, backup)
    });
    until("the long read has begun", async || {
        has_waiting_session(cluster, &database.name, "PgSleep")
    })
    .await;
    // It waits for each lock no longer than a group does.
    let limits = Limits { lock: SHORT.lock, ..PATIENT };
    let upgrade = tokio::task::spawn_blocking(move || connect_within(limits, &url).unwrap());
    until("the upgrade waits for it", async || {
        has_waiting_session(cluster, &database.name, "Lock")
    })
    .await;
    // An old replica writes what it knows, and waits for a lock no longer than a group does.
    let old = "BEGIN; SET LOCAL lock_timeout = '2s'; SELECT id FROM head FOR UPDATE;
        UPDATE failure SET reported_at = reported_at + 1; COMMIT";
    for _ in 0..3 {
        until("it writes", async || cluster.try_sql(&database.name, old).is_ok()).await;
    }
    assert!(!read.is_finished() && !upgrade.is_finished());
    let end = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    cluster.sql(&database.name, end);
    assert!(read.await.unwrap().unwrap_err().contains("cancel"));
    upgrade.await.unwrap();
    let version = "SELECT value FROM meta WHERE key = 'schema_version'";
    assert_eq!(cluster.sql(&database.name, version), "3");
}
