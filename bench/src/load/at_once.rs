//! Large deliveries, all at the same moment, and small ones beside them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Notify, task::JoinSet};

use super::{
    Endpoint, block_on,
    body::{self, Template},
    connection::Connection,
};
use crate::Result;

/// Time between two small deliveries beside the large ones.
const BESIDE: Duration = Duration::from_millis(100);

/// How large deliveries that came at once were answered.
#[derive(Debug, Default)]
pub(crate) struct AtOnce {
    /// Those that were not answered with 200, small ones included.
    pub(crate) refused: f64,
    /// Seconds until the last answer.
    pub(crate) slowest: f64,
    /// Seconds that the slowest of the small deliveries beside them took.
    pub(crate) slowest_beside: f64,
}

/// Sends each body over a connection of its own, all at the same moment.
pub(crate) fn send_at_once(endpoint: &Endpoint, bodies: Vec<Vec<u8>>) -> Result<AtOnce> {
    block_on(send(endpoint, bodies))
}

async fn send(endpoint: &Endpoint, bodies: Vec<Vec<u8>>) -> Result<AtOnce> {
    let mut prepared = Vec::new();
    for body in bodies {
        let mut request = endpoint.head(body.len()).into_bytes();
        request.extend(body);
        prepared.push((Connection::open(endpoint.address).await?, request));
    }
    let over = Arc::new(Notify::new());
    let beside = tokio::spawn(send_beside(endpoint.clone(), over.clone()));
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for (mut connection, request) in prepared {
        senders.spawn(async move {
            let status = connection.exchange(&request).await;
            (status, begun.elapsed().as_secs_f64())
        });
    }
    let mut outcome = AtOnce::default();
    while let Some(sender) = senders.join_next().await {
        let (status, seconds) = sender?;
        if !matches!(status, Ok(200)) {
            outcome.refused += 1.0;
        }
        outcome.slowest = outcome.slowest.max(seconds);
    }
    over.notify_one();
    let (refused_beside, slowest_beside) = beside.await??;
    outcome.refused += refused_beside;
    outcome.slowest_beside = slowest_beside;
    Ok(outcome)
}

/// Sends small deliveries one by one until the large ones are answered; how many were
/// refused, and the slowest's seconds.
async fn send_beside(endpoint: Endpoint, over: Arc<Notify>) -> Result<(f64, f64)> {
    let mut connection = Connection::open(endpoint.address).await?;
    let mut template = Template::small(&endpoint);
    let (mut refused, mut slowest) = (0.0, 0_f64);
    loop {
        // Only the pause is cut short: a delivery that waits for its answer counts.
        tokio::select! {
            () = tokio::time::sleep(BESIDE) => {}
            () = over.notified() => return Ok((refused, slowest)),
        }
        let begun = Instant::now();
        let status = connection.exchange(template.render(body::next_number())).await?;
        if status != 200 {
            refused += 1.0;
        }
        slowest = slowest.max(begun.elapsed().as_secs_f64());
    }
}
