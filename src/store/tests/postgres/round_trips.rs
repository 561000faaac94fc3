//! How often a group, or a read, waits for the server.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_group_waits_for_the_server_as_often_whatever_its_size() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let proxy = Proxy::to(cluster.port());
    let store = connect(&proxy.url(&database.name));
    // The check is known from then on.
    deliver(&store, "first").await.unwrap();
    proxy.delay(Duration::from_millis(10));
    proxy.round_trips();
    for size in [1, 20, 500] {
        let mut waits = Vec::new();
        for round in 0..TRIES {
            let id = |number| format!("{size}-{round}-{number}");
            let group = (0..size).map(|number| delivery_of_one_user(&id(number)));
            for outcome in store.commit_all(group).await.unwrap() {
                assert_eq!(outcome.unwrap().outcome, NEW);
            }
            let [once] = proxy.round_trips()[..] else { panic!("one group is one transaction") };
            waits.push(once);
            if once <= MOST {
                break;
            }
        }
        assert!(waits.iter().any(|once| *once <= MOST), "{size}: {waits:?}");
    }
}

/// How often it is tried. A client that the machine keeps from sending until an answer is there looks as
/// one that waits.
const TRIES: usize = 4;

/// Some more than a group of deliveries of a known check needs.
const MOST: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_are_foreseen_wait_together() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let proxy = Proxy::to(cluster.port());
    let store = connect(&proxy.url(&database.name));
    deliver(&store, "first").await.unwrap();
    proxy.delay(Duration::from_millis(10));
    let reads = |reader: &Reader| {
        let read = || {
            let counts = reader.counts()?;
            let logins = reader.watched_among(&["first@x", "nobody@x"])?;
            Ok((counts.followed, logins.len(), reader.check("no-mfa")?.map(|check| check.failing)))
        };
        reader.foresee(|| {
            let _ = reader.counts();
        });
        reader.foresee(|| {
            let _ = reader.watched_among(&["first@x", "nobody@x"]);
            let _ = reader.check("no-mfa");
            // The query that was sent ahead is not requested.
            let _ = reader.check("another");
        });
        read()
    };
    let mut seen = Vec::new();
    let is_it = |waits: &Vec<usize>| waits.contains(&2) && waits.iter().all(|waits| *waits <= 4);
    while seen.len() < TRIES && !seen.last().is_some_and(is_it) {
        proxy.round_trips_of_reads();
        let found = store.read(reads).await.unwrap();
        assert_eq!(found, (1, 1, Some(1)));
        store.catch_up().await;
        seen.push(proxy.round_trips_of_reads());
    }
    // To begin, and for the answers. A look, for the head, what others committed, once a minute
    // the size of the tables, and for its end.
    assert!(seen.last().is_some_and(is_it), "{seen:?}");
    // Rows sent ahead belong to that transaction only.
    deliver(&store, "second").await.unwrap();
    assert_eq!(store.read(reads).await.unwrap(), (2, 1, Some(2)));
}
