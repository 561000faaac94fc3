//! Transactions that stand in each other's way.

use std::thread;

use super::*;

/// Locks a check, waits until somebody waits for it, and then wants the lock that this one has. The
/// server looks for a deadlock in the other one first.
const DEADLOCK: &str = "BEGIN;
    SET LOCAL deadlock_timeout = '1min';
    UPDATE checks SET open = open;
    DO $$ BEGIN
        WHILE NOT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock')
        LOOP
            PERFORM pg_sleep(0.01);
            PERFORM pg_stat_clear_snapshot();
        END LOOP;
    END $$;
    SELECT FROM head FOR UPDATE;
    COMMIT";

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_the_server_ends_for_a_deadlock_is_tried_again() {
    // It logs what it ends a transaction for.
    let cluster = Cluster::start(&Options::fast().set("log_min_messages", "error"));
    let database = cluster.create_database();
    let patient = Limits { lock: Duration::from_secs(10), ..SHORT };
    let store = connect_within(patient, &database.url).unwrap().0;
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    let outcome = thread::scope(|scope| {
        let other = scope.spawn(|| cluster.sql(&database.name, DEADLOCK));
        let outcome = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let holds = async || waiting(&cluster, &database.name, "PgSleep");
                until("a check is locked", holds).await;
                deliver(&store, "deadlock").await
            })
        });
        other.join().unwrap();
        outcome
    });
    assert_eq!(outcome.unwrap(), NEW);
    assert!(cluster.log().contains("deadlock detected"), "{}", cluster.log());
    assert_eq!(stored(&cluster, &database.name), ["before", "deadlock"]);
    assert_numbered(&cluster, &database.name);
}
