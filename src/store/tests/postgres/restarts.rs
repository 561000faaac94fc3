//! A server that stops and starts again.

use cii_test_cluster::Stop;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_under_load_loses_nothing_acknowledged() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let store = connect_impatiently(&database.url);
    let load = Load::start(&store, "d", 8);
    for how in [Some(Stop::Fast), Some(Stop::Immediate), None] {
        load.wait_for_more(50).await;
        match how {
            Some(how) => cluster.stop(how),
            None => cluster.kill(),
        }
        load.wait_for_failure().await;
        // A look that began while the server was there may have ended since.
        until("it is told", async || {
            let trouble = store.trouble();
            trouble.is_some_and(|trouble| kind(&trouble) == Some(SqlErrorKind::Unreachable))
        })
        .await;
        cluster.start_again();
        load.wait_for_more(50).await;
        // Whoever follows the log may find out later than the writer.
        until("nothing is told any more", async || store.trouble().is_none()).await;
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
    // The server ends idle sessions: those that follow the log, too, where they do not look meanwhile.
    drop(store);
    let limits = Limits { look: Duration::from_hours(1), ..PATIENT };
    let store = connect_within(limits, &database.url).unwrap().0;
    // Longer than a session is idle on a busy machine between its begin and its first statement.
    let limit = format!("ALTER DATABASE {} SET idle_session_timeout = '2s'", database.name);
    cluster.sql("postgres", &limit);
    end_sessions(cluster, &database.name);
    let sessions = |which: &str| {
        let sql = format!(
            "SELECT {which} FROM pg_stat_activity
             WHERE datname = '{}' AND backend_type = 'client backend'",
            database.name
        );
        cluster.sql("postgres", &sql)
    };
    for round in 5..10 {
        assert_eq!(deliver(&store, &format!("d{round}")).await.unwrap(), NEW);
        store.read(Reader::last_seq).await.unwrap();
        let newest = sessions("coalesce(max(backend_start), '-infinity')");
        let older = format!("count(*) FILTER (WHERE backend_start <= '{newest}')");
        until("the server ends all of them", async || sessions(&older) == "0").await;
    }
    assert_eq!(stored_delivery_ids(cluster, &database.name).len(), 10);
}
