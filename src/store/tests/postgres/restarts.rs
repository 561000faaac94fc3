//! A server that stops and starts again.

use cii_test_cluster::Stop;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_under_load_loses_nothing_acknowledged() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let store = connect(&database.url);
    let load = Load::start(&store, "d", 8);
    for how in [Some(Stop::Fast), Some(Stop::Immediate), None] {
        load.wait_for_more(50).await;
        match how {
            Some(how) => cluster.stop(how),
            None => cluster.kill(),
        }
        load.wait_for_failure().await;
        let trouble = store.trouble().unwrap();
        assert_eq!(kind(&trouble), Some(SqlErrorKind::Unreachable), "{how:?}: {trouble}");
        cluster.start_again();
        load.wait_for_more(50).await;
        assert!(store.trouble().is_none(), "{how:?}");
    }
    let mut acknowledged = load.stop().await;
    acknowledged.sort();
    let mut stored = stored_delivery_ids(&cluster, &database.name);
    stored.sort();
    assert_eq!(stored, acknowledged);
    assert_numbered(&cluster, &database.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_the_server_ends_fail_nothing_that_comes_after() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    for round in 0..5 {
        assert_eq!(deliver(&store, &format!("d{round}")).await.unwrap(), NEW);
        store.read(Reader::last_seq).await.unwrap();
        end_sessions(cluster, &database.name);
    }
    // The server ends idle sessions.
    let limit = format!("ALTER DATABASE {} SET idle_session_timeout = 50", database.name);
    cluster.sql("postgres", &limit);
    end_sessions(cluster, &database.name);
    for round in 5..10 {
        assert_eq!(deliver(&store, &format!("d{round}")).await.unwrap(), NEW);
        store.read(Reader::last_seq).await.unwrap();
        // Longer than the limit: it is the server that is waited for.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(stored_delivery_ids(cluster, &database.name).len(), 10);
}
