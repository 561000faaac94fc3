//! Several processes on one database.

use std::time::Duration;

use cii_test_cluster::{Cluster, Database};

use super::*;
use crate::{
    ledger::change::Probe,
    store::{Purge, Server, Standing},
};

/// Far longer than anything takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn connect(database: &Database) -> (Store, WriterThread) {
    let url = format!("{}?connect_timeout=60", database.url);
    Store::connect(Server::at(&url, None)).unwrap()
}

/// Waits until a replica has this standing, and returns it.
async fn until_it_is(
    standing: &mut watch::Receiver<Standing>,
    is_it: impl FnMut(&Standing) -> bool,
) -> Standing {
    let is_so = standing.wait_for(is_it);
    tokio::time::timeout(PATIENCE, is_so).await.unwrap().unwrap().clone()
}

#[tokio::test]
async fn what_one_replica_commits_is_announced_by_the_others() {
    let database = Cluster::shared().create_database();
    let ((one, _one), (other, _other)) = (connect(&database), connect(&database));
    assert_eq!(one.id(), other.id(), "one store");
    let seen = *other.changes().borrow();
    one.commit(delivery("d1", &["ada@x", "bob@x"])).await.unwrap();
    other.catch_up().await;
    let touched = other.touched_after(seen).unwrap();
    assert!(touched.iter().any(|touched| touched.people.contains(&login("ada@x"))), "{touched:?}");
    assert_eq!(*other.commits().borrow(), *one.commits().borrow());
    // Its own are announced once.
    let before = *one.changes().borrow();
    one.catch_up().await;
    assert_eq!(*one.changes().borrow(), before);
    // A repeat that another replica receives is a duplicate.
    let outcome = other.commit(delivery("d1", &["ada@x", "bob@x"])).await.unwrap();
    assert!(format!("{outcome:?}").contains("Duplicate"), "{outcome:?}");
}

#[tokio::test]
async fn an_erasure_by_another_replica_has_everything_read_anew() {
    let database = Cluster::shared().create_database();
    let ((one, _one), (other, _other)) = (connect(&database), connect(&database));
    one.commit(delivery("d1", &["ada@x"])).await.unwrap();
    other.catch_up().await;
    let (seen, erasures) = (*other.changes().borrow(), other.erasures());
    let purge = Purge { login: login("ada@x"), is_trial: false, at: at(1) };
    let purged = one.purge(purge).await.unwrap();
    assert!(purged.left.is_empty(), "{purged:?}");
    other.catch_up().await;
    assert!(other.erasures() > erasures);
    assert!(other.touched_after(seen).is_none_or(|all| all.iter().any(|touched| touched.is_anew)));
}

#[tokio::test]
async fn one_replica_leads_and_the_next_one_takes_over() {
    let database = Cluster::shared().create_database();
    let ((one, _one), (other, _other)) = (connect(&database), connect(&database));
    let mut first = one.campaign("one").await.unwrap();
    let leads = until_it_is(&mut first, Standing::is_leader).await;
    let Standing::Leader { fence } = leads else { panic!("{leads:?}") };
    let mut second = other.campaign("other").await.unwrap();
    // It is not known while the server is slow to answer.
    let told = until_it_is(&mut second, |standing| *standing != Standing::Unknown).await;
    assert_eq!(told, Standing::Follower { leader: Some("one".to_owned()) });
    one.with_fence(fence).commit(Probe).await.unwrap();

    one.resign().await;
    until_it_is(&mut second, Standing::is_leader).await;
    let late = one.with_fence(fence).commit(Probe).await;
    assert!(matches!(late, Err(StoreError::NotLeader)), "{late:?}");
    assert!(one.trouble().is_none(), "the store works");
    // Without a fence, every process can commit.
    one.commit(Probe).await.unwrap();
}
