//! Reading the configuration again while running.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{ConfigSource, StartError, rules};
use crate::{
    config::Config,
    domain::{CheckFilter, WatchPolicy},
    ingest::{Admission, Rules},
    metrics::Scope,
    store::Store,
    web::{ReloadReply, ReloadRequest},
};

/// Applies what can change while running.
pub(super) struct Reloader {
    pub(super) source: ConfigSource,
    /// What the daemon was started with.
    pub(super) running: Config,
    pub(super) admission: watch::Sender<Arc<Admission>>,
    pub(super) rules: watch::Sender<Arc<Rules>>,
    pub(super) filter: watch::Sender<CheckFilter>,
    pub(super) policy: watch::Sender<WatchPolicy>,
    pub(super) scope: watch::Sender<Scope>,
    pub(super) store: Store,
    pub(super) requests: mpsc::Receiver<ReloadRequest>,
}

impl Reloader {
    /// Reloads the configuration on request and on SIGHUP, until the stop signal.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<(), std::io::Error> {
        let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(reply) = self.requests.recv() => {
                    let _ = reply.send(self.reload().await);
                }
                _ = hangup.recv() => {
                    self.reload().await;
                }
            }
        }
    }

    async fn reload(&mut self) -> ReloadReply {
        match self.apply().await {
            Ok(needs_restart) => {
                tracing::info!(?needs_restart, "configuration reloaded");
                ReloadReply::Applied { needs_restart }
            }
            Err(error) => {
                tracing::error!(%error, "configuration not reloaded; the old one holds");
                ReloadReply::Refused(error.to_string())
            }
        }
    }

    /// Applies the webhook's rules, the watch list and the words of checks; returns the
    /// settings that differ and wait for a restart.
    async fn apply(&mut self) -> Result<Vec<&'static str>, StartError> {
        let new = self.source.load()?;
        self.store.commit(rules::watch_list(&new)).await?;
        self.store.commit(rules::checks(&new)).await?;
        let rules = Arc::new(rules::rules(&new));
        self.admission.send_replace(Arc::new(rules::admission(&new, rules.clone())));
        self.rules.send_replace(rules);
        self.filter.send_replace(rules::check_filter(&new));
        self.policy.send_replace(rules::policy(&new));
        let scope = Scope {
            user_series: new.metrics.user_series,
            user_label: new.metrics.user_label.clone(),
            max_users: new.watch.max_users,
            objectives: Arc::new(new.objectives.clone()),
            ..rules::scope(&self.running)
        };
        self.scope.send_replace(scope);
        // Last, so that nothing is recorded by the old filter after it.
        self.store.commit(rules::shown_checks(&new)).await?;
        // Compared with the configuration of the start, not of the last reload.
        Ok(new.needs_restart(&self.running))
    }
}
