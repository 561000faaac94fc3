//! What a server refuses, and which servers the exporter refuses.

use super::*;
use crate::{ledger::change::Probe, store::Standing};

/// How long a term lasts from its last renewal.
const TERM: Duration = Duration::from_secs(10);

/// Far longer than a change of the standing takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until it leads; the fence of its term.
async fn until_it_leads(standing: &mut watch::Receiver<Standing>) -> i64 {
    let leads = tokio::time::timeout(PATIENCE, standing.wait_for(Standing::is_leader));
    match *leads.await.unwrap().unwrap() {
        Standing::Leader { fence: Some(fence) } => fence,
        ref other => panic!("{other:?}"),
    }
}

/// Alters a database, and ends its sessions, so that it applies.
fn alter(cluster: &Cluster, database: &str, what: &str) {
    cluster.sql("postgres", &format!("ALTER DATABASE {database} {what}"));
    end_sessions(cluster, database);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_becomes_read_only_is_read_and_takes_deliveries_again_later() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    alter(cluster, &database.name, "SET default_transaction_read_only = on");
    let error = deliver(&store, "while").await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::ReadOnly), "{error}");
    assert_eq!(error.reason(), "read_only");
    assert!(store.read(Reader::last_seq).await.unwrap() > 0);
    // A start finds the schema there.
    let second = connect(&database.url);
    let error = deliver(&second, "second").await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::ReadOnly), "{error}");
    alter(cluster, &database.name, "RESET default_transaction_read_only");
    assert_eq!(deliver(&store, "while").await.unwrap(), NEW);
    assert_eq!(deliver(&second, "second").await.unwrap(), NEW);
    // Without a schema there is nothing to start with.
    let empty = cluster.create_database();
    alter(cluster, &empty.name, "SET default_transaction_read_only = on");
    let error = try_connect(&empty.url).unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::ReadOnly), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_may_not_write_gives_the_lease_up_and_leads_again_once_it_may() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    let mut standing = store.campaign("one").await.unwrap();
    let first = until_it_leads(&mut standing).await;
    let (mut second, mut took) = (first, Vec::new());
    // It gives up in time each time, unless the machine stalls.
    while took.len() < 3 && took.last().is_none_or(|time| *time >= TERM) {
        alter(cluster, &database.name, "SET default_transaction_read_only = on");
        let since = Instant::now();
        let ended = standing.wait_for(|standing| !standing.is_leader());
        tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
        took.push(since.elapsed());
        let is_over = "SELECT expires_at < clock_timestamp() FROM lease";
        until("the term is over", async || {
            let now = standing.borrow().clone();
            let is_nobody = matches!(now, Standing::Unknown | Standing::Follower { leader: None });
            assert!(is_nobody, "nobody follows itself: {now:?}");
            cluster.sql(&database.name, is_over) == "t"
        })
        .await;
        alter(cluster, &database.name, "RESET default_transaction_read_only");
        let next = until_it_leads(&mut standing).await;
        assert!(next > second, "another term");
        second = next;
    }
    assert!(took.last().is_some_and(|time| *time < TERM), "{took:?}");
    store.with_fence(Some(second)).commit(Probe).await.unwrap();
    let late = store.with_fence(Some(first)).commit(Probe).await;
    assert!(matches!(late, Err(StoreError::NotLeader)), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_read_and_refuses_deliveries_until_it_is_promoted() {
    let primary = Cluster::start(&Options::fast());
    let database = primary.create_database();
    let first = connect(&database.url);
    assert_eq!(deliver(&first, "before").await.unwrap(), NEW);
    let standby =
        primary.standby("second", cii_test_cluster::Replication::Synchronous, &Options::fast());
    let store = connect(&standby.url(&database.name));
    assert!(store.read(Reader::last_seq).await.unwrap() > 0);
    let error = deliver(&store, "while").await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::ReadOnly), "{error}");
    primary.kill();
    standby.promote();
    until_delivered(&store, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_left_nothing_is_taken_and_one_that_is_free_again_is_used() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let name = &database.name;
    let role = |limit: i32| {
        cluster.sql("postgres", &format!("ALTER ROLE {name} CONNECTION LIMIT {limit}"));
        end_sessions(cluster, name);
    };
    cluster.sql("postgres", &format!("CREATE ROLE {name} LOGIN"));
    cluster.sql("postgres", &format!("ALTER DATABASE {name} OWNER TO {name}"));
    let url = database.url.replace("postgres@", &format!("{name}@"));
    let store = connect(&url);
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    role(0);
    let error = deliver(&store, "while").await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
    let error = store.read(Reader::last_seq).await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
    role(-1);
    assert_eq!(deliver(&store, "while").await.unwrap(), NEW);
    store.read(Reader::last_seq).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_missing_are_told() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let name = &database.name;
    cluster.sql("postgres", &format!("CREATE ROLE {name} LOGIN"));
    let url = database.url.replace("postgres@", &format!("{name}@"));
    // Nobody but its owner may make tables in `public`.
    let error = try_connect(&url).unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Denied), "{error}");
    assert!(error.to_string().contains("public"), "{error}");
    assert_eq!(error.reason(), "denied");
    // Tables of another owner, who grants only SELECT.
    drop(connect(&database.url));
    cluster.sql(name, &format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"));
    let store = connect(&url);
    let error = deliver(&store, "while").await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Denied), "{error}");
    store.read(Reader::last_seq).await.unwrap();
    let write = format!("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}");
    cluster.sql(name, &write);
    assert_eq!(deliver(&store, "while").await.unwrap(), NEW);
}

#[test]
fn tables_of_another_program_are_left_alone() {
    let cluster = Cluster::shared();
    for table in
        ["meta (id int)", "meta (key text, value text)", "event (id int)", "watch (id int)"]
    {
        let database = cluster.create_database();
        cluster.sql(&database.name, &format!("CREATE TABLE {table}"));
        let error = try_connect(&database.url).unwrap_err();
        assert!(matches!(error, StoreError::ForeignTables(_)), "{table}: {error}");
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
        assert_eq!(cluster.sql(&database.name, tables), "1", "{table}");
        // A schema of its own has a place beside them.
        Store::connect(server(&database.url, Some("cii"))).unwrap();
    }
}

#[test]
fn a_schema_of_a_newer_exporter_is_refused() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    drop(connect(&database.url));
    let newer = "UPDATE meta SET value = '99' WHERE key = 'schema_version'";
    cluster.sql(&database.name, newer);
    for opened in [Store::connect, Store::connect_current] {
        let error = opened(server(&database.url, None)).unwrap_err();
        assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
    }
    let error = Reader::connect(server(&database.url, None)).unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
    // A reader does not create a missing schema.
    let empty = cluster.create_database();
    let error = Reader::connect(server(&empty.url, None)).unwrap_err();
    assert!(matches!(error, StoreError::NoTables(_)), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_told_at_the_start() {
    let cluster = Cluster::shared();
    let error = try_connect(&cluster.url("nowhere")).unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Denied), "{error}");
    let port = free_port();
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    // It accepts connections, and sends nothing.
    let url = format!("postgres://postgres@127.0.0.1:{port}/a");
    let error = connect_within(SHORT, &url).unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
    drop(listener);
    let error = try_connect(&url).unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_writes_nothing_once_a_newer_one_upgraded_the_schema() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    cluster.sql(&database.name, "UPDATE meta SET value = '99' WHERE key = 'schema_version'");
    let error = deliver(&store, "after").await.unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
    // The daemon ends because of this.
    let error = tokio::time::timeout(Duration::from_mins(1), store.wait_for_loss()).await.unwrap();
    assert!(matches!(error, StoreError::TooNew { .. }), "{error}");
    let error = store.campaign("old").await.unwrap().borrow().clone();
    assert!(!error.is_leader(), "{error:?}");
}
