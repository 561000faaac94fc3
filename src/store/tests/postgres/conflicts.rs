//! Transactions that conflict.

use std::thread;

use super::*;

/// Locks a check, waits until a group waits for it, and then requests the lock that the group
/// holds. The server detects the deadlock in the group first.
const DEADLOCK: &str = "BEGIN;
    SET LOCAL deadlock_timeout = '5min';
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
    // The log shows why the server ended transactions. A session looks for a deadlock once, so long
    // after it began to wait: until then the other one must wait for it, too.
    let options = Options::fast().set("log_min_messages", "error").set("deadlock_timeout", "10s");
    let cluster = Cluster::start(&options);
    let database = cluster.create_database();
    let store = connect(&database.url);
    assert_eq!(deliver(&store, "before").await.unwrap(), NEW);
    let outcome = thread::scope(|scope| {
        let other = scope.spawn(|| cluster.sql(&database.name, DEADLOCK));
        let outcome = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let holds = async || has_waiting_session(&cluster, &database.name, "PgSleep");
                until("a check is locked", holds).await;
                deliver(&store, "deadlock").await
            })
        });
        other.join().unwrap();
        outcome
    });
    assert_eq!(outcome.unwrap(), NEW);
    assert!(cluster.log().contains("deadlock detected"), "{}", cluster.log());
    assert_eq!(stored_delivery_ids(&cluster, &database.name), ["before", "deadlock"]);
    assert_numbered(&cluster, &database.name);
}

/// Fails the first `times` transactions in which a statement changes a table, with the error of a
/// serialisation conflict. Numbers of a sequence are not rolled back.
fn fail_first(cluster: &Cluster, database: &str, times: u32, trigger: &str) {
    cluster.sql(
        database,
        &format!(
            "CREATE SEQUENCE IF NOT EXISTS tries;
             ALTER SEQUENCE tries RESTART;
             CREATE OR REPLACE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('tries') <= {times} THEN
                     RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
                 END IF;
                 RETURN NULL;
             END $$;
             DROP TRIGGER IF EXISTS conflict ON delivery;
             CREATE {trigger} EXECUTE FUNCTION conflict()"
        ),
    );
}

/// How many transactions reached the trigger.
fn tries(cluster: &Cluster, database: &str) -> String {
    cluster.sql(database, "SELECT last_value FROM tries")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_the_server_cannot_serialize_is_tried_again_and_acknowledged_once() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    let mut expected = Vec::new();
    // In a statement, and at the commit.
    for initially in ["IMMEDIATE", "DEFERRED"] {
        let trigger = format!(
            "CONSTRAINT TRIGGER conflict AFTER INSERT ON delivery
             DEFERRABLE INITIALLY {initially} FOR EACH ROW"
        );
        fail_first(cluster, &database.name, 2, &trigger);
        let id = format!("twice {initially}");
        assert_eq!(deliver(&store, &id).await.unwrap(), NEW, "{initially}");
        assert_eq!(tries(cluster, &database.name), "3", "{initially}");
        expected.push(id);
        assert_eq!(stored_delivery_ids(cluster, &database.name), expected);

        // A change that fails each time is not acknowledged, and counts once when it is repeated.
        fail_first(cluster, &database.name, 3, &trigger);
        let id = format!("thrice {initially}");
        let error = deliver(&store, &id).await.unwrap_err();
        assert_eq!(kind(&error), Some(SqlErrorKind::Conflict), "{error}");
        assert_eq!(error.reason(), "locked");
        assert_eq!(stored_delivery_ids(cluster, &database.name), expected);
        assert_eq!(deliver(&store, &id).await.unwrap(), NEW, "{initially}");
        expected.push(id);
        assert_eq!(stored_delivery_ids(cluster, &database.name), expected);
    }
    assert_numbered(cluster, &database.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_the_server_cannot_serialize_is_tried_again() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let store = connect(&database.url);
    assert_eq!(deliver(&store, "d").await.unwrap(), NEW);
    let trigger = "TRIGGER conflict AFTER UPDATE ON event FOR EACH STATEMENT";
    fail_first(cluster, &database.name, 2, trigger);
    let purge = Purge { login: login("d@x"), is_trial: false, at: at(1) };
    let purged = store.purge(purge).await.unwrap();
    assert!(purged.left.is_empty() && purged.redacted["event"] > 0, "{purged:?}");
    assert!(tries(cluster, &database.name).parse::<u32>().unwrap() >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_lose_nothing_where_the_database_asks_for_another_isolation() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let isolation = "SET default_transaction_isolation = serializable";
    cluster.sql("postgres", &format!("ALTER DATABASE {} {isolation}", database.name));
    let stores = [connect(&database.url), connect(&database.url)];
    let loads = [Load::start(&stores[0], "one", 4), Load::start(&stores[1], "other", 4)];
    for load in &loads {
        load.wait_for_more(50).await;
    }
    let mut acknowledged = Vec::new();
    for load in loads {
        assert_eq!(load.counts().1, 0, "no group stands in another's way");
        acknowledged.extend(load.stop().await);
    }
    acknowledged.sort();
    let mut stored = stored_delivery_ids(cluster, &database.name);
    stored.sort();
    assert_eq!(stored, acknowledged);
    assert_numbered(cluster, &database.name);
}
