//! A server that hangs, or another replica that does.

use super::*;

/// Holds the lock of the groups until a certain table exists.
const HOLD: &str = "SET statement_timeout = '2min';
    DO $$ BEGIN
        PERFORM FROM head FOR UPDATE;
        WHILE NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = 'released') LOOP
            PERFORM pg_sleep(0.01);
        END LOOP;
    END $$";

/// Ends that.
const RELEASE: &str = "CREATE TABLE released ()";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_fails_what_waits_for_it_in_time() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let store = connect_impatiently(&database.url);
    let load = Load::start(&store, "d", 8);
    for _ in 0..2 {
        load.wait_for_more(20).await;
        // In whatever statement, or commit, it is.
        cluster.pause();
        load.wait_for_failure().await;
        cluster.resume();
        load.wait_for_more(20).await;
    }
    let mut acknowledged = load.stop().await;
    acknowledged.sort();
    let mut stored = stored_delivery_ids(&cluster, &database.name);
    stored.sort();
    assert_eq!(stored, acknowledged);
    assert_numbered(&cluster, &database.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_while_the_lock_is_waited_for_or_in_a_commit_fails_it_in_time() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let store = connect(&database.url);
    let name = database.name.as_str();
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);

    // It waits for the lock, until after the server hangs.
    let limit = Duration::from_secs(15);
    let limits = Limits { connect: limit, statement: limit, ..PATIENT };
    let waiter = connect_within(limits, &database.url).unwrap().0;
    std::thread::scope(|scope| {
        let held = scope.spawn(|| cluster.sql(name, HOLD));
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                until("the lock is held", async || has_waiting_session(&cluster, name, "PgSleep"))
                    .await;
                let waits = waiter.clone();
                let outcome = tokio::spawn(async move { deliver(&waits, "lock").await });
                until("it is waited for", async || has_waiting_session(&cluster, name, "Lock"))
                    .await;
                cluster.pause();
                let error = outcome.await.unwrap().unwrap_err();
                assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
                cluster.resume();
                cluster.sql(name, RELEASE);
            });
        });
        held.join().unwrap();
    });
    until_delivered(&waiter, "after lock").await;
    drop(waiter);

    // It is in a commit.
    let limit = Duration::from_secs(10);
    let limits = Limits { connect: limit, statement: limit, ..SHORT };
    let commits = connect_within(limits, &database.url).unwrap().0;
    cluster.miss_a_standby();
    let outcome = tokio::spawn(async move { deliver(&commits, "commit").await });
    until("the commit waits", async || has_waiting_session(&cluster, name, "SyncRep")).await;
    cluster.pause();
    let error = outcome.await.unwrap().unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
    cluster.resume();
    cluster.miss_no_standby();
    until_delivered(&store, "after commit").await;
    // It was not acknowledged, but committed in the end; who repeats it is told so.
    assert_eq!(deliver(&store, "commit").await.unwrap(), DeliveryOutcome::Duplicate);
    assert_numbered(&cluster, name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_hangs_with_the_lock_keeps_it_for_its_time_alone() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let proxy = Proxy::to(cluster.port());
    // It never sends its COMMIT, and does not close its connection either. The server ends its session
    // after the limit of a statement, in which the other one finds the lock held.
    let (statement, commit) = (Duration::from_secs(10), Duration::from_secs(40));
    let limits = Limits { statement, commit, ..PATIENT };
    let hangs = connect_within(limits, &proxy.url(&database.name)).unwrap().0;
    let limits = Limits { lock: SHORT.lock, ..PATIENT };
    let other = connect_within(limits, &database.url).unwrap().0;
    deliver(&other, "before").await.unwrap();
    proxy.cut(&[Cut::Withheld]);
    let hanging = hangs.clone();
    let outcome = tokio::spawn(async move { deliver(&hanging, "hangs").await });
    until("it has the lock", async || proxy.is_done()).await;
    let error = deliver(&other, "while").await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Locked), "{error}");
    // The server ends the session that does nothing.
    until_delivered(&other, "after").await;
    assert!(!outcome.is_finished());
    let error = outcome.await.unwrap().unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
    assert!(!stored_delivery_ids(cluster, &database.name).contains(&"hangs".to_owned()));
    assert_eq!(deliver(&hangs, "hangs").await.unwrap(), NEW);
    assert_numbered(cluster, &database.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_hangs_is_waited_for_no_longer_than_the_limits_say() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let proxy = Proxy::to(cluster.port());
    let limit = Duration::from_secs(8);
    let limits = Limits { connect: limit, statement: limit, ..PATIENT };
    let store = connect_within(limits, &proxy.url(&database.name)).unwrap().0;
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    proxy.block(true);
    let error = deliver(&store, "while").await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
    let error = store.read(Reader::last_seq).await.unwrap_err();
    assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{error}");
    proxy.block(false);
    assert_eq!(deliver(&store, "after").await.unwrap(), NEW);
    store.read(Reader::last_seq).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_waits_for_the_server_shows_as_a_commit_does() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let name = database.name.as_str();
    let store = connect(&database.url);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| cluster.sql(name, HOLD));
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                until("the lock is held", async || has_waiting_session(cluster, name, "PgSleep"))
                    .await;
                let sweeps = store.clone();
                let swept = tokio::spawn(async move {
                    sweeps.sweep(crate::domain::Retention::uniform(None), false).await
                });
                until("it shows", async || matches!(store.trouble(), Some(StoreError::Silent(_))))
                    .await;
                cluster.sql(name, RELEASE);
                swept.await.unwrap().unwrap();
                assert!(store.trouble().is_none());
            });
        });
        held.join().unwrap();
    });
}
