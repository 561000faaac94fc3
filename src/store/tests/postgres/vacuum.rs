//! The end of a purge, in which the server frees the places of removed rows.

use std::thread;

use super::*;

/// Blocks a vacuum of the events until a certain table exists. Deliveries do not need this lock.
const HOLD: &str = "SET statement_timeout = '1min';
    DO $$ BEGIN
        LOCK TABLE cii.event IN SHARE UPDATE EXCLUSIVE MODE;
        WHILE NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname = 'released') LOOP
            PERFORM pg_sleep(0.01);
        END LOOP;
    END $$";

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_taken_while_the_vacuum_of_a_purge_waits() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let name = database.name.as_str();
    let way = Way::new(server(&database.url, Some("cii"))).unwrap().with_limits(PATIENT);
    let (store, _writer) = Store::connect_over(way, true).unwrap();
    assert_eq!(deliver(&store, "d1").await.unwrap(), NEW);
    thread::scope(|scope| {
        let held = scope.spawn(|| cluster.sql(name, HOLD));
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                until("the table is locked", async || {
                    has_waiting_session(cluster, name, "PgSleep")
                })
                .await;
                let purges = store.clone();
                let purge = Purge { login: login("d1@x"), is_trial: false, at: at(1) };
                let purge = tokio::spawn(async move { purges.purge(purge).await });
                until("the vacuum waits", async || has_waiting_session(cluster, name, "Lock"))
                    .await;
                for id in ["d2", "d3"] {
                    assert_eq!(deliver(&store, id).await.unwrap(), NEW);
                }
                assert!(!purge.is_finished() && store.trouble().is_none());
                cluster.sql(name, "CREATE TABLE public.released ()");
                let purged = purge.await.unwrap().unwrap();
                assert!(purged.left.is_empty(), "{purged:?}");
            });
        });
        held.join().unwrap();
    });
    // All tables of the schema that is configured, and of no other.
    let vacuumed = "SELECT schemaname, bool_and(vacuum_count > 0) FROM pg_stat_user_tables
        GROUP BY schemaname ORDER BY schemaname";
    assert_eq!(cluster.sql(name, vacuumed), "cii|t\npublic|f");
    assert_eq!(cluster.sql(name, "SELECT count(*) FROM cii.delivery"), "3");
}
