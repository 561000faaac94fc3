//! Notifications of commits, which wake the follower before its next read of the log.
//!
//! They are hints: a lost one only costs the time until the next read, and no decision depends on
//! one. No group pays for them. NOTIFY within a group's transaction would take a lock that is
//! shared by all databases of the server at the commit, and would hold it until the standby has
//! that commit. Instead, a task with a connection of its own listens, and notifies others of this
//! replica's commits at a limited rate, in transactions that wait neither for the disk nor for a
//! standby. The server still writes them to the disk, between the groups, so a replica that hears
//! of no other one does not notify at all.
//!
//! Behind a pool that gives each transaction another session, a listener receives nothing, and no
//! error reports it. The task detects this with a notification that it sends over another
//! connection.

use std::{collections::HashMap, convert::Infallible, future::poll_fn, sync::Arc, time::Duration};

use sha2::{Digest as _, Sha256};
use tokio::{
    sync::mpsc::{self, Receiver},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_postgres::{AsyncMessage, Client, Notification};
use uuid::Uuid;

use super::{Limits, Replica, Server, failure, preamble::preamble};
use crate::store::StoreError;

/// The minimum time between two notifications of this replica's commits. Others read the log as
/// often.
const GAP: Duration = Duration::from_millis(250);

/// The limit of one statement.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a notification is waited for that shows whether any arrive: a server that only pauses must
/// not count as a pool.
const ECHO: Duration = Duration::from_secs(15);

/// The pause before reconnecting after the connection was lost.
const RETRY: Duration = Duration::from_secs(5);

/// The pause after it was detected that notifications do not arrive: a pool is rarely removed.
const RETRY_DEAF: Duration = Duration::from_mins(5);

/// How often others are notified at least that this replica exists. It also detects a connection
/// that was lost without an error.
const PULSE: Duration = Duration::from_secs(30);

/// How long a silent replica counts as present.
const PRESENT: Duration = Duration::from_secs(90);

/// The capacity of the queue of notifications. More are dropped: one is as good as many.
const WAITING: usize = 256;

/// Maximum number of known replicas. Every role of the database can notify, with any id.
const MOST: usize = 256;

/// Why the task stopped listening.
#[derive(Debug)]
enum Ended {
    /// The connection failed or was lost.
    Lost(StoreError),
    /// Notifications do not arrive.
    Deaf,
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Lost(error)
    }
}

/// Listens and notifies for ever. `store` is the id of the store: replicas of one store share a
/// channel. `wake` is called when another replica committed, or may have.
pub(super) async fn exchange_notices(
    server: Arc<Server>,
    replica: Replica,
    store: String,
    wake: impl Fn() + Send + Sync,
) {
    let channel = channel_name(&store);
    let mut is_told = false;
    loop {
        let Err(ended) = serve(&server, &replica, &channel, &wake).await;
        let pause = match ended {
            Ended::Lost(error) => {
                tracing::debug!(%error, "notifications of other replicas do not arrive for now");
                RETRY
            }
            Ended::Deaf => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::info!(
                        "the server's notifications do not arrive, as behind a pool in transaction \
                         mode: what other replicas commit is looked for every second alone"
                    );
                }
                RETRY_DEAF
            }
        };
        sleep(pause).await;
    }
}

/// The name of a store's channel, shorter than the 63 bytes that the server takes.
fn channel_name(store: &str) -> String {
    let hash = Sha256::digest(store);
    hash.iter().take(16).fold("cii_".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// Whether a notification can be a replica's. Any role that can connect can send others, of up to
/// 8,000 bytes.
fn is_id(payload: &str) -> bool {
    payload.len() == 32 && payload.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A connection, and the notifications that arrive on it. Dropping it closes the connection.
struct Link {
    client: Client,
    arrived: Receiver<Notification>,
    _task: JoinSet<()>,
}

impl Link {
    async fn open(server: &Server) -> Result<Self, StoreError> {
        let connected = timeout(server.connect_limit(), server.connect());
        let (client, mut connection) =
            connected.await.map_err(|_| failure::too_slow("connecting"))??;
        let (sender, arrived) = mpsc::channel(WAITING);
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(notification) = message
                    && is_id(notification.payload())
                {
                    // The receiver is dropped together with this task.
                    let _ = sender.try_send(notification);
                }
            }
        });
        Ok(Self { client, arrived, _task: task })
    }

    async fn run(&self, sql: &str) -> Result<(), StoreError> {
        let done = timeout(PATIENCE, self.client.batch_execute(sql)).await;
        done.map_err(|_| failure::too_slow("a notification"))?.map_err(|error| failure::of(&error))
    }

    /// Notifies listeners; `from` is the sender's id.
    async fn notify(&self, channel: &str, from: &str) -> Result<(), StoreError> {
        let preamble = preamble("off", Limits::all(PATIENCE / 2), "");
        self.run(&format!("{preamble} SELECT pg_notify('{channel}', '{from}'); COMMIT")).await
    }

    /// The id in the next notification.
    async fn next(&mut self) -> Result<String, StoreError> {
        let notification = self.arrived.recv().await.ok_or_else(failure::connection_abandoned)?;
        Ok(notification.payload().to_owned())
    }
}

/// Listens and notifies over one connection, until it fails.
async fn serve(
    server: &Server,
    replica: &Replica,
    channel: &str,
    wake: &impl Fn(),
) -> Result<Infallible, Ended> {
    let mut link = Link::open(server).await?;
    link.run(&format!("LISTEN {channel}")).await?;
    let own = Uuid::now_v7().simple().to_string();
    if !has_arrived(server, &mut link, channel, &own).await? {
        // The listening session is the pool's, which may give it to another client.
        link.run("UNLISTEN *").await?;
        return Err(Ended::Deaf);
    }
    // Commits before LISTEN were not notified.
    wake();
    let mut others = Others::default();
    let (mut is_due, mut due_at) = (false, Instant::now());
    let mut pulse_at = due_at + PULSE;
    loop {
        tokio::select! {
            from = link.next() => {
                let from = from?;
                if from != own {
                    wake();
                    // A replica that just appeared must learn of this one, too.
                    is_due |= others.is_new(from);
                }
            }
            () = replica.wait_for_commit(), if !is_due => is_due = others.has_present(),
            () = sleep_until(pulse_at), if !is_due => is_due = true,
            () = sleep_until(due_at), if is_due => {
                link.notify(channel, &own).await?;
                let now = Instant::now();
                (is_due, due_at, pulse_at) = (false, now + GAP, now + PULSE);
            }
        }
    }
}

/// Other replicas, each with when it was last heard of.
#[derive(Debug, Default)]
struct Others(HashMap<String, Instant>);

impl Others {
    /// Records a sign of another replica; returns whether it is new.
    fn is_new(&mut self, id: String) -> bool {
        self.has_present();
        if self.0.len() >= MOST && !self.0.contains_key(&id) {
            return false;
        }
        self.0.insert(id, Instant::now()).is_none()
    }

    fn has_present(&mut self) -> bool {
        self.0.retain(|_, heard_at| heard_at.elapsed() < PRESENT);
        !self.0.is_empty()
    }
}

/// Whether a notification from another connection arrives here.
async fn has_arrived(
    server: &Server,
    link: &mut Link,
    channel: &str,
    own: &str,
) -> Result<bool, StoreError> {
    Link::open(server).await?.notify(channel, own).await?;
    let arrived = timeout(ECHO, async {
        while link.next().await? != own {}
        Ok(())
    });
    arrived.await.map_or(Ok(false), |arrived| arrived.map(|()| true))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use cii_test_cluster::Cluster;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn another_replica_counts_until_nothing_is_heard_of_it_for_long() {
        let mut others = Others::default();
        assert!(!others.has_present());
        assert!(others.is_new("one".to_owned()) && others.is_new("other".to_owned()));
        tokio::time::advance(PRESENT / 2).await;
        assert!(!others.is_new("one".to_owned()));
        tokio::time::advance(PRESENT / 2).await;
        assert!(others.has_present(), "the other one is not, and one is");
        assert!(others.is_new("other".to_owned()));
        tokio::time::advance(PRESENT).await;
        assert!(!others.has_present());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_replicas_are_remembered_than_there_can_be() {
        let mut others = Others::default();
        for number in 0..MOST {
            assert!(others.is_new(number.to_string()));
        }
        assert!(!others.is_new("one more".to_owned()));
        assert_eq!(others.0.len(), MOST);
        tokio::time::advance(PRESENT).await;
        assert!(others.is_new("one more".to_owned()));
    }

    #[test]
    fn what_is_no_id_of_a_replica_is_ignored() {
        let id = Uuid::now_v7().simple().to_string();
        assert!(is_id(&id));
        for other in ["", "x", &id[1..], &format!("{id}0"), &id.replacen(&id[..1], "g", 1)] {
            assert!(!is_id(other), "{other}");
        }
    }

    #[tokio::test]
    async fn behind_a_pool_that_changes_sessions_it_is_found_out_that_nothing_arrives() {
        let cluster = Cluster::shared();
        let (pool, database) = (cluster.pool(), cluster.create_database());
        let wakes = AtomicUsize::new(0);
        let wake = || _ = wakes.fetch_add(1, Ordering::Relaxed);
        let channel = channel_name("store");
        let direct = Server::at(&database.url, None);
        let replica = Replica::new();
        let heard = timeout(Duration::from_mins(1), async {
            let serve = serve(&direct, &replica, &channel, &wake);
            let is_woken = async {
                while wakes.load(Ordering::Relaxed) == 0 {
                    sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::select! {
                Err(ended) = serve => panic!("{ended:?}"),
                () = is_woken => {}
            }
        });
        heard.await.expect("without one it arrives");
        let pooled = Server::at(&pool.url(&database.name), None);
        let ended = timeout(
            Duration::from_mins(1),
            serve(&pooled, &replica, &channel, &|| panic!("nothing arrives")),
        );
        let Err(ended) = ended.await.unwrap();
        assert!(matches!(ended, Ended::Deaf), "{ended:?}");
    }
}
