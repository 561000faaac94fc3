//! A pool between the exporter and its server.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_session_ends_behind_a_pool_is_looked_up() {
    let cluster = Cluster::start(&Options::fast());
    let pool = cluster.pool();
    let database = cluster.create_database();
    let name = &database.name;
    let store = connect(&pool.url(name));
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    cluster.miss_a_standby();
    let commits = store.clone();
    let outcome = tokio::spawn(async move { deliver(&commits, "commit").await });
    until("the commit waits", async || has_waiting_session(&cluster, name, "SyncRep")).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    cluster.sql("postgres", end);
    cluster.miss_no_standby();
    // The pool reports that the session is gone, and not the outcome of the commit.
    assert_eq!(outcome.await.unwrap().unwrap(), NEW);
    let looked_up = "SELECT count(*) FROM commit_log WHERE looked_up = 1";
    assert_eq!(cluster.sql(name, looked_up), "1");
    assert_eq!(stored_delivery_ids(&cluster, name), ["before", "commit"]);
    assert_numbered(&cluster, name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_started_again_behind_a_pool_is_used_again() {
    let cluster = Cluster::start(&Options::fast());
    let pool = cluster.pool();
    let database = cluster.create_database();
    let store = connect_impatiently(&pool.url(&database.name));
    let load = Load::start(&store, "d", 8);
    load.wait_for_more(50).await;
    cluster.stop(cii_test_cluster::Stop::Immediate);
    load.wait_for_failure().await;
    cluster.start_again();
    load.wait_for_more(50).await;
    let mut acknowledged = load.stop().await;
    acknowledged.sort();
    let mut stored = stored_delivery_ids(&cluster, &database.name);
    stored.sort();
    assert_eq!(stored, acknowledged);
    assert_numbered(&cluster, &database.name);
}
