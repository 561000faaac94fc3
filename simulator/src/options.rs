//! How a simulator is set up.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{
    faults::Fault,
    target::{DeliveryPolicy, Target},
};

/// Everything that a simulator can be told at its start. `Options::default()` suits most tests.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. Default: a free port of 127.0.0.1.
    pub listen: SocketAddr,
    /// The number that the tenant is made from.
    pub seed: u64,
    /// How many users the tenant has.
    pub users: usize,
    /// The id that the token endpoint expects.
    pub client_id: String,
    /// The secret that the token endpoint expects.
    pub client_secret: String,
    /// The audience that the token endpoint demands; without one it takes any and none.
    pub audience: Option<String>,
    /// How long a token holds. Default: ten hours.
    pub token_lifetime: Duration,
    /// What each GraphQL request waits before it is answered.
    pub latency: Duration,
    /// Makes random changes at this interval. Default: none happen by themselves.
    pub change_interval: Option<Duration>,
    /// How many changes one round makes.
    pub changes_per_round: usize,
    /// Where webhook deliveries go from the start.
    pub webhook_targets: Vec<Target>,
    /// How webhook deliveries are sent.
    pub delivery: DeliveryPolicy,
    /// The faults in force from the start.
    pub faults: Vec<Fault>,
    /// Draws a mix of all unfriendliness from this number: faults that hold, faults that pass,
    /// odd deliveries. Default: the service is friendly.
    pub unfriendly: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            users: 50,
            client_id: "simulator-client".to_owned(),
            client_secret: "simulator-secret".to_owned(),
            audience: None,
            token_lifetime: Duration::from_hours(10),
            latency: Duration::ZERO,
            change_interval: None,
            changes_per_round: 5,
            webhook_targets: Vec::new(),
            delivery: DeliveryPolicy::default(),
            faults: Vec::new(),
            unfriendly: None,
        }
    }
}
