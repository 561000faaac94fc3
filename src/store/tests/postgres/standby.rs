//! Commits that wait for a standby, and standbys that become the primary.

use cii_test_cluster::Replication;

use super::*;

/// The URL of a database on the one of two servers that accepts writes.
fn either(one: &Cluster, other: &Cluster, database: &str) -> String {
    format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/{database}?target_session_attrs=read-write",
        one.port(),
        other.port()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_standby_did_not_get_is_not_acknowledged_before_it_has_it() {
    let primary = Cluster::start(&Options::fast());
    let database = primary.create_database();
    let patient = connect(&database.url);
    let standby = primary.standby("second", Replication::Synchronous, &Options::fast());
    assert_eq!(deliver(&patient, "before").await.unwrap(), NEW);
    let store = connect_impatiently(&database.url);
    standby.pause();
    for id in ["one", "two"] {
        // The first one has the lock still, since the server does not end its wait.
        let error = deliver(&store, id).await.unwrap_err();
        let expected = [Some(SqlErrorKind::Unreachable), Some(SqlErrorKind::Locked)];
        assert!(expected.contains(&kind(&error)), "{error}");
    }
    // What is read goes on meanwhile.
    patient.read(Reader::last_seq).await.unwrap();
    standby.resume();
    until_delivered(&store, "after").await;
    // Committed on the primary, before its standby was back: the repeat is a duplicate.
    assert_eq!(deliver(&patient, "one").await.unwrap(), DeliveryOutcome::Duplicate);
    // It has flushed it, and applies it a moment later.
    until("it is on the standby", async || {
        stored_delivery_ids(&standby, &database.name).contains(&"one".to_owned())
    })
    .await;
    assert_numbered(&primary, &database.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_the_standby_that_somebody_ends_acknowledges_nothing() {
    let primary = Cluster::start(&Options::fast());
    let database = primary.create_database();
    // Its commits wait until somebody ends that, and are not looked up for long.
    let limits = Limits { look_up: SHORT.look_up, ..PATIENT };
    let store = connect_within(limits, &database.url).unwrap().0;
    primary.miss_a_standby();
    for (how, level) in [
        ("pg_cancel_backend", "warning"),
        ("pg_terminate_backend", "warning"),
        // Whoever set that does not get the warning, unless it is asked for.
        ("pg_cancel_backend", "error"),
    ] {
        let name = &database.name;
        let sql = format!(
            "SET synchronous_commit = local; ALTER DATABASE {name} SET client_min_messages = {level}"
        );
        primary.sql("postgres", &sql);
        end_sessions(&primary, name);
        let end =
            format!("SELECT count({how}(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        let id = format!("{how} {level}");
        let (commits, own) = (store.clone(), id.clone());
        let outcome = tokio::spawn(async move { deliver(&commits, &own).await });
        // The look-up's wait is cancelled, too, however often it is tried.
        let mut ended = 0;
        until("the commit has failed", async || {
            ended += usize::from(primary.sql("postgres", &end) != "0");
            outcome.is_finished()
        })
        .await;
        let error = outcome.await.unwrap().unwrap_err();
        assert!(ended > 1, "waits were ended");
        assert_eq!(kind(&error), Some(SqlErrorKind::Unreachable), "{id}: {error}");
    }
    primary.miss_no_standby();
    until_delivered(&store, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_to_a_synchronous_standby_loses_nothing_acknowledged() {
    let primary = Cluster::start(&Options::fast());
    let database = primary.create_database();
    drop(connect(&database.url));
    let standby = primary.standby("second", Replication::Synchronous, &Options::fast());
    let store = connect_impatiently(&either(&primary, &standby, &database.name));
    let load = Load::start(&store, "d", 8);
    load.wait_for_more(100).await;
    primary.kill();
    load.wait_for_failure().await;
    standby.promote();
    load.wait_for_more(100).await;
    let mut acknowledged = load.stop().await;
    acknowledged.sort();
    let mut stored = stored_delivery_ids(&standby, &database.name);
    stored.sort();
    assert_eq!(stored, acknowledged);
    assert_numbered(&standby, &database.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_hangs_is_left_for_the_standby_that_took_its_place() {
    let primary = Cluster::start(&Options::fast());
    let database = primary.create_database();
    drop(connect(&database.url));
    let standby = primary.standby("second", Replication::Synchronous, &Options::fast());
    // Both hosts are tried within the limit.
    let url = format!("{}&connect_timeout=4", either(&primary, &standby, &database.name));
    let limits = Limits { connect: Duration::from_secs(15), ..SHORT };
    let store = connect_within(limits, &url).unwrap().0;
    let load = Load::start(&store, "d", 4);
    load.wait_for_more(50).await;
    // It accepts connections, and sends nothing on them.
    primary.pause();
    load.wait_for_failure().await;
    standby.promote();
    load.wait_for_more(50).await;
    let mut acknowledged = load.stop().await;
    acknowledged.sort();
    let mut stored = stored_delivery_ids(&standby, &database.name);
    stored.sort();
    assert_eq!(stored, acknowledged);
    assert_numbered(&standby, &database.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_to_an_asynchronous_standby_loses_what_it_had_not_got() {
    let primary = Cluster::start(&Options::fast());
    let database = primary.create_database();
    let first = connect(&database.url);
    assert_eq!(deliver(&first, "known").await.unwrap(), NEW);
    let standby = primary.standby("second", Replication::Asynchronous, &Options::fast());
    let store = connect(&either(&primary, &standby, &database.name));
    standby.set("primary_conninfo", "");
    let streams = "SELECT count(*) FROM pg_stat_replication";
    until("it does not stream", async || primary.sql("postgres", streams) == "0").await;
    assert_eq!(deliver(&store, "lost").await.unwrap(), NEW, "acknowledged");
    primary.kill();
    standby.promote();
    until_delivered(&store, "after").await;
    let stored = stored_delivery_ids(&standby, &database.name);
    assert!(stored.contains(&"known".to_owned()) && !stored.contains(&"lost".to_owned()));
    assert_numbered(&standby, &database.name);
}
