//! Several replicas that commit at once.

use std::thread;

use futures_util::{StreamExt as _, stream};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_two_replicas_take_at_once_is_there_once_and_numbered_without_a_gap() {
    const DELIVERIES: usize = 2000;
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let stores = [connect(&database.url), connect(&database.url)];
    // The load only follows the log here.
    let follower = Load::start(&connect(&database.url), "none", 0);
    let take = async |store: &Store, is_backward: bool| {
        let mut ids: Vec<_> = (0..DELIVERIES).map(|number| format!("d{number}")).collect();
        if is_backward {
            ids.reverse();
        }
        let outcomes = stream::iter(ids).map(async |id| deliver(store, &id).await.unwrap());
        let is_new = async |outcome| {
            assert!(outcome == NEW || outcome == DeliveryOutcome::Duplicate, "{outcome:?}");
            outcome == NEW
        };
        outcomes.buffer_unordered(64).filter(|outcome| is_new(*outcome)).count().await
    };
    let (one, other) = tokio::join!(take(&stores[0], false), take(&stores[1], true));
    assert_eq!(one + other, DELIVERIES, "each is new to one of them alone");
    assert!(one > 0 && other > 0, "{one}, {other}");
    assert_numbered(cluster, &database.name);
    let ids: BTreeSet<_> = stored_delivery_ids(cluster, &database.name).into_iter().collect();
    assert_eq!(ids.len(), DELIVERIES);
    let repeats = cluster.sql(&database.name, "SELECT sum(repeats), count(*) FROM delivery");
    assert_eq!(repeats, format!("{DELIVERIES}|{DELIVERIES}"));
    follower.wait_for_more(0).await;
    follower.stop().await;
}

#[test]
fn replicas_that_start_at_once_on_an_empty_database_make_one_schema() {
    let cluster = Cluster::shared();
    for schema in [None, Some("a schema of \"ours\"")] {
        let database = cluster.create_database();
        // Whatever the database's default is, the later ones see what the first one made.
        let isolation = format!(
            "ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'",
            database.name
        );
        cluster.sql("postgres", &isolation);
        let ids: BTreeSet<_> = thread::scope(|scope| {
            let open = || {
                let way = Way::new(server(&database.url, schema))?;
                Store::connect_over(way.with_limits(PATIENT), true)
            };
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            let opened = starts.into_iter().map(|start| start.join().unwrap().unwrap().0);
            opened.map(|store| store.id().to_owned()).collect()
        });
        assert_eq!(ids.len(), 1, "{schema:?}");
    }
}
