//! A schema that an older exporter made.

use super::*;

/// As the first version made it, out of what the newest one did.
const FIRST: &str =
    "CREATE INDEX failure_by_delivery ON failure (delivery) WHERE delivery IS NOT NULL;
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
    assert_eq!(cluster.sql(&database.name, version), "2");
    let indexes = "SELECT count(*) FROM pg_indexes WHERE indexname = 'failure_by_delivery'";
    assert_eq!(cluster.sql(&database.name, indexes), "0");
    assert_eq!(deliver(&store, "before").await.unwrap(), DeliveryOutcome::Duplicate);
    assert_eq!(deliver(&store, "after").await.unwrap(), NEW);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_waits_for_a_long_read_and_holds_up_nobody() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    cluster.sql(&database.name, FIRST);
    let (name, url) = (database.name.clone(), database.url.clone());
    let read = tokio::task::spawn_blocking(move || {
        let backup = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM failure;
            SELECT pg_sleep(4); COMMIT";
        cluster.sql(&name, backup)
    });
    until("the long read has begun", async || waiting(cluster, &database.name, "PgSleep")).await;
    let upgrade = tokio::task::spawn_blocking(move || connect(&url));
    // The old replica takes deliveries until the schema is newer than it knows.
    let mut taken = 0;
    while !read.is_finished() {
        taken += usize::from(deliver(&store, &format!("beside{taken}")).await.is_ok());
    }
    assert!(taken > 0);
    upgrade.await.unwrap();
    let version = "SELECT value FROM meta WHERE key = 'schema_version'";
    assert_eq!(cluster.sql(&database.name, version), "2");
}
