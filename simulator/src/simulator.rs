//! The running simulator.

use std::{net::SocketAddr, sync::Arc};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    faults::Faults,
    http,
    options::Options,
    requests::Requests,
    service::Service,
    tenant::{Change, Tenant},
    time,
    webhook::{self, Outcome, Target},
};

/// Why the simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A simulated service that listens; dropping it stops it.
#[derive(Debug)]
pub struct Simulator {
    service: Arc<Service>,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Simulator {
    /// Starts listening, and changing if asked to.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let listen = options.listen;
        let fails = |source| StartError::Listen { address: listen, source };
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(fails)?;
        let address = listener.local_addr().map_err(fails)?;
        let interval = options.change_interval;
        let service = Arc::new(Service::new(options));
        let stop = CancellationToken::new();
        let serving = http::serve(listener, service.clone(), stop.clone());
        let mut tasks = vec![tokio::spawn(serving)];
        if let Some(interval) = interval {
            tasks.push(tokio::spawn(time::pass(service.clone(), interval, stop.clone())));
        }
        Ok(Self { service, address, stop, tasks })
    }

    /// The GraphQL endpoint.
    #[must_use]
    pub fn graphql_url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("http://{}/oauth/token", self.address)
    }

    /// The root of the routes that control the simulator.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}/_simulator", self.address)
    }

    /// The id that the token endpoint takes.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.service.options.client_id
    }

    /// The secret that the token endpoint takes.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.service.options.client_secret
    }

    /// Looks at the tenant, or changes it.
    pub fn tenant<T>(&self, look: impl FnOnce(&mut Tenant) -> T) -> T {
        self.service.tenant(look)
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.service.faults
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.service.requests
    }

    /// The access tokens that were issued and not revoked.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.service.tokens.all()
    }

    /// Makes every access token bad.
    pub fn revoke_tokens(&self) {
        self.service.tokens.revoke();
    }

    /// Adds a webhook target.
    pub fn add_webhook_target(&self, target: Target) {
        self.service.add_target(target);
    }

    /// One round of random changes, and the deliveries that come of it.
    pub async fn tick(&self) -> Vec<Change> {
        time::tick(&self.service).await
    }

    /// Sends what newly fails to every target; returns how each delivery went.
    pub async fn deliver(&self) -> Vec<Outcome> {
        webhook::deliver_newly_failing(&self.service).await
    }

    /// Stops listening, and drops what is in hand.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in self.tasks.drain(..) {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
        for task in &self.tasks {
            task.abort();
        }
    }
}
