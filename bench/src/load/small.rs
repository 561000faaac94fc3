//! Small deliveries over many connections, as fast as they are answered or at a rate.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{
    Endpoint, block_on,
    body::{self, Template},
    connection::Connection,
};
use crate::{Result, samples::quantile};

/// When the next delivery is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection sends when its last delivery was answered.
    Closed,
    /// So many a second over all connections, whether or not the answers keep up.
    PerSecond(f64),
}

/// A load to put on a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: u32,
    pub(crate) pace: Pace,
    pub(crate) lasting: Duration,
}

/// How the server did.
#[derive(Debug)]
pub(crate) struct Report {
    /// Answers with 200.
    pub(crate) accepted: f64,
    /// Answers with any other status, and connections that broke.
    pub(crate) refused: f64,
    pub(crate) elapsed: Duration,
    /// Seconds from sending to the answer, ascending.
    latencies: Vec<f64>,
}

impl Report {
    /// Accepted deliveries a second.
    pub(crate) fn rate(&self) -> f64 {
        self.accepted / self.elapsed.as_secs_f64()
    }

    /// Seconds that this share of the deliveries was answered within.
    pub(crate) fn latency(&self, share: f64) -> f64 {
        quantile(&self.latencies, share)
    }
}

#[derive(Default)]
struct Counts {
    refused: u32,
    latencies: Vec<f64>,
}

impl Load {
    /// Puts it on a server, and waits for the last answer.
    pub(crate) fn run(&self, endpoint: &Endpoint) -> Result<Report> {
        block_on(self.run_in_here(endpoint))
    }

    async fn run_in_here(&self, endpoint: &Endpoint) -> Result<Report> {
        let template = Template::small(endpoint);
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            connections.push(Connection::open(endpoint.address).await?);
        }
        let begun = Instant::now();
        let mut senders = JoinSet::new();
        for (index, connection) in (0..).zip(connections) {
            let (load, endpoint, template) = (*self, endpoint.clone(), template.clone());
            senders.spawn(
                async move { load.send(index, &endpoint, connection, template, begun).await },
            );
        }
        let mut counts = Counts::default();
        while let Some(sender) = senders.join_next().await {
            let sender = sender??;
            counts.refused += sender.refused;
            counts.latencies.extend(sender.latencies);
        }
        let elapsed = begun.elapsed();
        counts.latencies.sort_by(f64::total_cmp);
        let answers = u32::try_from(counts.latencies.len())?;
        let refused = f64::from(counts.refused);
        Ok(Report {
            accepted: f64::from(answers) - refused,
            refused,
            elapsed,
            latencies: counts.latencies,
        })
    }

    /// What one of the connections does.
    async fn send(
        &self,
        index: u32,
        endpoint: &Endpoint,
        mut connection: Connection,
        mut template: Template,
        begun: Instant,
    ) -> Result<Counts> {
        let mut counts = Counts::default();
        for turn in 0_u32.. {
            let due = match self.pace {
                Pace::Closed => Instant::now(),
                // Connections take turns, so that the rate is even.
                Pace::PerSecond(rate) => {
                    let number = f64::from(turn) * f64::from(self.connections) + f64::from(index);
                    begun + Duration::from_secs_f64(number / rate)
                }
            };
            if due.duration_since(begun) >= self.lasting {
                break;
            }
            // A delivery that is due while the last one waits for its answer has waited since it
            // was due. Otherwise the clock starts when the timer rings: the timer's
            // own delay of up to a millisecond is not the server's.
            let mut sent_at = due;
            if due > Instant::now() {
                tokio::time::sleep_until(due.into()).await;
                sent_at = Instant::now();
            }
            let status = connection.exchange(template.render(body::next_number())).await;
            counts.latencies.push(sent_at.elapsed().as_secs_f64());
            match status {
                Ok(200) => {}
                Ok(_) => counts.refused += 1,
                Err(_) => {
                    counts.refused += 1;
                    connection = Connection::open(endpoint.address).await?;
                }
            }
        }
        Ok(counts)
    }
}
