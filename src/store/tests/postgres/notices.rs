//! Replicas that wake each other with notifications.

use super::*;

/// A pause between reads of the log that no test waits for.
const NO_LOOK: Limits = Limits { look: Duration::from_hours(1), ..PATIENT };

/// Whether this replica announced another one's commit about a delivery's user, without being
/// asked.
fn has_announced(store: &Store, since: u64, id: &str) -> bool {
    let person = login(&format!("{id}@x"));
    let touched = store.touched_after(since);
    touched.is_some_and(|all| {
        all.iter().any(|touched| touched.is_anew || touched.people.contains(&person))
    })
}

/// Commits at one replica until another one has announced a commit.
async fn until_woken(one: &Store, other: &Store, name: &str) {
    let seen = *other.changes().borrow();
    let mut number = 0;
    until("a commit wakes the other replica", async || {
        number += 1;
        let _ = deliver(one, &format!("{name}{number}")).await;
        (1..=number).any(|number| has_announced(other, seen, &format!("{name}{number}")))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_commits_wakes_the_others_before_their_next_look() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let (one, _one) = connect_within(NO_LOOK, &database.url).unwrap();
    let (other, _other) = connect_within(NO_LOOK, &database.url).unwrap();
    until_woken(&one, &other, "first").await;
    // From then on every commit is announced, in both directions.
    for (number, (one, other)) in [(&one, &other), (&other, &one)].repeat(3).iter().enumerate() {
        let (seen, id) = (*other.changes().borrow(), format!("d{number}"));
        deliver(one, &id).await.unwrap();
        until("it is woken", async || has_announced(other, seen, &id)).await;
    }
    // A lost connection is opened again.
    end_sessions(&cluster, &database.name);
    until_woken(&one, &other, "ended").await;
    cluster.restart(cii_test_cluster::Stop::Immediate);
    until_woken(&one, &other, "restarted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pool_replicas_look_for_themselves() {
    let cluster = Cluster::shared();
    let (pool, database) = (cluster.pool(), cluster.create_database());
    let (one, other) = (connect(&pool.url(&database.name)), connect(&pool.url(&database.name)));
    for id in ["one", "two", "three"] {
        let seen = *other.changes().borrow();
        deliver(&one, id).await.unwrap();
        until("it looks", async || has_announced(&other, seen, id)).await;
    }
}
