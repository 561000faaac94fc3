//! Reloads the configuration while running.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    ConfigSource, StartError, check_tls, reload_meters::ReloadMeters, rules,
    shared_rules::SharedRules,
};
use crate::{
    build_info::BuildInfo,
    clock,
    config::Config,
    domain::{CheckFilter, WatchPolicy},
    ingest::{Admission, Rules},
    metrics::Scope,
    store::{Reader, Standing, Store, StoreError},
    web::{Access, LastReload, ReloadReply, ReloadRequest},
};

/// How often a follower checks whether the leader's rules have changed.
const FOLLOWING: Duration = Duration::from_secs(5);

/// Applies the settings that can change while running.
pub(super) struct Reloader {
    pub(super) source: ConfigSource,
    /// The configuration of the start.
    pub(super) running: Config,
    /// The configuration that was applied last.
    pub(super) applied: Config,
    pub(super) access: watch::Sender<Arc<Access>>,
    pub(super) admission: watch::Sender<Arc<Admission>>,
    pub(super) rules: watch::Sender<Arc<Rules>>,
    pub(super) for_jobs: ForJobs,
    pub(super) scope: watch::Sender<Scope>,
    pub(super) build_info: BuildInfo,
    pub(super) meters: ReloadMeters,
    pub(super) store: Store,
    pub(super) requests: mpsc::Receiver<ReloadRequest>,
    pub(super) reloaded: watch::Sender<Option<LastReload>>,
    /// The configuration in force, for the duties of the leader.
    pub(super) in_force: watch::Sender<Arc<Config>>,
    pub(super) standing: watch::Receiver<Standing>,
    pub(super) step: Step,
    /// The settings whose values differ from the leader's.
    pub(super) differing: watch::Sender<Vec<String>>,
}

/// The state of following the leader.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// The leader's rules, when another replica leads; read soon after the start.
    shared: Option<SharedRules>,
    /// When to hide what other replicas recorded with the former filter.
    hide_at: Option<Instant>,
}

/// The senders of the settings that running jobs use.
pub(super) struct ForJobs {
    filter: watch::Sender<CheckFilter>,
    policy: watch::Sender<WatchPolicy>,
    names_users: watch::Sender<bool>,
}

/// The receivers of these settings.
pub(super) struct Current {
    pub(super) filter: watch::Receiver<CheckFilter>,
    pub(super) policy: watch::Receiver<WatchPolicy>,
    pub(super) names_users: watch::Receiver<bool>,
}

impl ForJobs {
    pub(super) fn open_channels(config: &Config) -> (Self, Current) {
        let (filter, current_filter) = watch::channel(rules::check_filter(config));
        let (policy, current_policy) = watch::channel(rules::watch_policy(config));
        let (names_users, current_names_users) = watch::channel(rules::may_name_users(config));
        let current = Current {
            filter: current_filter,
            policy: current_policy,
            names_users: current_names_users,
        };
        (Self { filter, policy, names_users }, current)
    }

    fn publish(&self, config: &Config) {
        self.filter.send_replace(rules::check_filter(config));
        self.policy.send_replace(rules::watch_policy(config));
        self.names_users.send_replace(rules::may_name_users(config));
    }
}

impl Reloader {
    /// Reloads the configuration on request and on SIGHUP, until the stop signal.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<(), std::io::Error> {
        let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
        loop {
            if self.store.is_shared() {
                self.follow_leader().await;
                self.reapply_filter().await;
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(FOLLOWING), if self.store.is_shared() => {}
                Ok(()) = self.standing.changed() => {}
                Some(reply) = self.requests.recv() => {
                    let _ = reply.send(self.reload().await);
                }
                _ = hangup.recv() => {
                    self.reload().await;
                }
            }
        }
    }

    /// Applies the leader's rules, or those of its own configuration when this replica leads.
    async fn follow_leader(&mut self) {
        let shared = if self.standing.borrow_and_update().is_leader() {
            None
        } else {
            match self.store.read(Reader::rules).await {
                Ok(rules) => rules.as_deref().and_then(SharedRules::decode),
                Err(error) => {
                    tracing::debug!(%error, "the leader's rules are not known");
                    return;
                }
            }
        };
        if shared == self.step.shared {
            return;
        }
        self.step.shared = shared;
        if self.step.shared.is_none() && self.standing.borrow().is_leader() {
            // Other replicas use the former leader's filter until they have read this one's.
            self.step.hide_at = Some(Instant::now() + 2 * FOLLOWING);
        }
        self.report_differences(&self.applied);
        self.publish(&self.applied);
    }

    /// Applies the filter again to what other replicas recorded with the old one, after they have
    /// read the new one.
    async fn reapply_filter(&mut self) {
        let Standing::Leader { fence } = self.standing.borrow().clone() else { return };
        if self.step.hide_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        let shown = rules::shown_checks(&self.applied);
        match self.store.with_fence(fence).commit(shown).await {
            Ok(_) => self.step.hide_at = None,
            Err(error) => tracing::debug!(%error, "the filter is applied anew a little later"),
        }
    }

    /// Publishes and logs the settings that differ from the leader's.
    fn report_differences(&self, config: &Config) {
        let own = SharedRules::from_config(config);
        let differing =
            self.step.shared.as_ref().map(|shared| shared.differences(&own)).unwrap_or_default();
        self.differing.send_if_modified(|before| {
            if *before == differing {
                return false;
            }
            if !differing.is_empty() {
                tracing::warn!(
                    settings = differing.join(", "),
                    "this replica's configuration differs from the leader's, whose holds"
                );
            }
            *before = differing;
            true
        });
    }

    async fn reload(&mut self) -> ReloadReply {
        let applied = self.apply().await;
        self.meters.record(applied.is_ok());
        let reply = match applied {
            Ok(needs_restart) => {
                tracing::info!(?needs_restart, "configuration reloaded");
                ReloadReply::Applied { needs_restart }
            }
            Err(error) => {
                tracing::error!(%error, "configuration not reloaded; the old one holds");
                ReloadReply::Refused(error.to_string())
            }
        };
        let last = LastReload { at: clock::now(), reply: reply.clone() };
        self.reloaded.send_replace(Some(last));
        reply
    }

    /// Applies the new configuration completely or not at all. Returns the changed settings that
    /// need a restart.
    async fn apply(&mut self) -> Result<Vec<&'static str>, StartError> {
        let new = self.source.load()?;
        check_tls(&new)?;
        // If commits fail, the reload would stop halfway, so it does not begin.
        self.store.check().await?;
        if let Err(error) = self.put_in_force(&new).await {
            let applied = self.applied.clone();
            if let Err(error) = self.put_in_force(&applied).await {
                // The state in memory is restored in any case. The rows in the store are written
                // again by the next reload or start.
                tracing::error!(%error, "the former configuration is not written back to the store");
                self.publish(&self.applied);
            }
            return Err(error.into());
        }
        // Compared with the configuration of the start: a setting that needs a restart still has
        // its value.
        let needs_restart = new.needs_restart(&self.running);
        self.applied = new;
        Ok(needs_restart)
    }

    /// Applies the watch list, the check definitions and all rules.
    ///
    /// Only the leader writes them to the store; a new leader writes its own.
    async fn put_in_force(&mut self, config: &Config) -> Result<(), StoreError> {
        self.in_force.send_replace(Arc::new(config.clone()));
        self.report_differences(config);
        let standing = self.standing.borrow().clone();
        let Standing::Leader { fence } = standing else {
            self.publish(config);
            return Ok(());
        };
        let store = self.store.with_fence(fence);
        if store.is_shared() {
            store.commit(rules::shared_rules(config)).await?;
        }
        store.commit(rules::watch_list(config)).await?;
        store.commit(rules::configured_checks(config)).await?;
        self.publish(config);
        // Last: after the new filter is published, this replica records nothing with the old one.
        // Other replicas follow a little later.
        store.commit(rules::shown_checks(config)).await?;
        self.step.hide_at = store.is_shared().then(|| Instant::now() + 2 * FOLLOWING);
        Ok(())
    }

    /// Publishes the rules for deliveries, for the watch policy and for the metrics.
    fn publish(&self, config: &Config) {
        let followed = self.step.shared.as_ref().map(|shared| shared.apply_to(config));
        let config = followed.as_ref().unwrap_or(config);
        let rules = Arc::new(rules::rules(config));
        self.admission.send_replace(Arc::new(rules::admission(config, rules.clone())));
        self.rules.send_replace(rules);
        self.access.send_replace(Arc::new(rules::access(config)));
        self.build_info.set_url(rules::public_url(config));
        self.for_jobs.publish(config);
        let scope = Scope {
            tenant_name: config.tenant.name.clone(),
            user_series: config.metrics.user_series,
            user_label: config.metrics.user_label.clone(),
            max_users: config.watch.max_users,
            max_checks: config.metrics.max_checks,
            objectives: Arc::new(config.objectives.clone()),
            ..rules::scope(&self.running)
        };
        self.scope.send_replace(scope);
    }
}
