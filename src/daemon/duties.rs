//! The duties of the leader, one for each shutdown stage.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::sync::{Notify, watch};

use super::{
    StartError,
    lead::Duty,
    reload::Current,
    rules,
    tasks::{Stage, Tasks},
};
use crate::{
    cii,
    config::{Config, JobConfig, OtlpConfig, SyncConfig},
    delivery::{self, Courier, Origin, Outages, Sender},
    domain::{Schedule, Timestamp},
    ledger::change::{BeginOtlp, Forget},
    store::{Reader, Store},
    sync::{
        self, Housekeeping, IpQuestions, IpsJob, Job, PROMPT_DELAY, Prompt, Runner, Scheduler,
        ServiceJob, TenantJob, Timing, UserQuestions, UsersJob,
    },
};

/// Polls the service, writes the configured watch list and checks to the store, and prunes it.
pub(super) struct Work {
    /// The configuration that is in force.
    pub(super) config: watch::Receiver<Arc<Config>>,
    pub(super) current: Current,
    pub(super) api_meters: cii::Meters,
    pub(super) sync_meters: sync::Meters,
    /// The last moment before this start at which the clock was trusted.
    pub(super) trusted: Option<Timestamp>,
}

impl Duty for Work {
    async fn prepare(&self, store: &Store, is_start: bool) -> Result<(), StartError> {
        let config = self.config.borrow().clone();
        // Only at a start: after a takeover, a job that is off here may be on in other replicas.
        if is_start {
            forget_disabled_jobs(&config, store).await?;
        }
        store_rules(&config, store).await
    }

    async fn begin(
        &self,
        store: Store,
        is_start: bool,
        tasks: &mut Tasks,
    ) -> Result<Option<Scheduler>, StartError> {
        let config = self.config.borrow().clone();
        let housekeeping = Housekeeping {
            store: store.clone(),
            trusted: self.trusted,
            retention: config.store.retention_days.map(|days| TimeDelta::days(days.into())),
            delivers_events: config.otlp.is_some(),
        };
        tasks.spawn(Stage::Work, "housekeeping", |stop| housekeeping.run(stop));
        self.schedule_jobs(&config, store, is_start, tasks).await
    }
}

/// Removes the state of jobs that are off: their figures would look current.
async fn forget_disabled_jobs(config: &Config, store: &Store) -> Result<(), StartError> {
    if config.api.is_none() || config.sync.tenant.is_none() {
        store.commit(Forget::Tenant).await?;
    }
    if config.api.is_none() || config.sync.service.is_none() {
        store.commit(Forget::Service).await?;
    }
    Ok(())
}

/// Writes the configured watch list and checks to the store.
async fn store_rules(config: &Config, store: &Store) -> Result<(), StartError> {
    store.commit(rules::watch_list(config)).await?;
    store.commit(rules::configured_checks(config)).await?;
    store.commit(rules::shown_checks(config)).await?;
    if store.is_shared() {
        store.commit(rules::shared_rules(config)).await?;
    }
    Ok(())
}

impl Work {
    async fn schedule_jobs(
        &self,
        config: &Config,
        store: Store,
        is_start: bool,
        tasks: &mut Tasks,
    ) -> Result<Option<Scheduler>, StartError> {
        let Some(api) = &config.api else { return Ok(None) };
        let client = cii::Client::new(api, self.api_meters.clone())?;
        let mut jobs = Jobs {
            config: &config.sync,
            names_users: self.current.names_users.clone(),
            store: &store,
            meters: self.sync_meters.clone(),
            is_start,
            tasks,
            bells: Vec::new(),
        };
        let questions = UserQuestions {
            client: client.clone(),
            store: store.clone(),
            concurrency: api.concurrency,
            filter: self.current.filter.clone(),
            policy: self.current.policy.clone(),
            null_lists: api.null_lists,
            settle: rules::settle_time(config),
        };
        let ips = IpQuestions {
            client: client.clone(),
            store: store.clone(),
            concurrency: api.concurrency,
            page_size: api.page_size,
        };
        let prompt = Prompt { users: questions.clone(), ips: ips.clone(), delay: PROMPT_DELAY };
        jobs.tasks.spawn(Stage::Work, "prompt", |stop| prompt.run(stop));
        let tenant_is_listed = config.sync.tenant.is_some();
        let users = UsersJob { questions: questions.clone(), tenant_is_listed };
        jobs.start_job(users, &config.sync.users);
        jobs.start_job(IpsJob { questions: ips }, &config.sync.ips);
        if let Some(when) = &config.sync.tenant {
            let tenant = TenantJob { questions, page_size: config.sync.tenant_page_size };
            jobs.start_job(tenant, when);
        }
        if let Some(when) = &config.sync.service {
            jobs.start_job(ServiceJob { client, store: store.clone() }, when);
        }
        Ok(Some(Scheduler::start(jobs.bells).await?))
    }
}

/// Collects the scheduled jobs while they are started.
struct Jobs<'a> {
    config: &'a SyncConfig,
    names_users: watch::Receiver<bool>,
    store: &'a Store,
    meters: sync::Meters,
    is_start: bool,
    tasks: &'a mut Tasks,
    /// The schedules, each with the notification that wakes its job.
    bells: Vec<(Schedule, Arc<Notify>)>,
}

impl Jobs<'_> {
    fn start_job<J: Job>(&mut self, job: J, when: &JobConfig) {
        let bell = Arc::new(Notify::new());
        let runner = Runner {
            job,
            timing: Timing {
                schedule: when.schedule.clone(),
                on_start: when.on_start && self.is_start,
                jitter: Duration::from_secs(self.config.jitter_seconds),
                spread: self.config.spread,
            },
            bell: bell.clone(),
            store: self.store.clone(),
            meters: self.meters.clone(),
            names_users: self.names_users.clone(),
        };
        self.tasks.spawn(Stage::Work, J::NAME, |stop| runner.run(stop));
        self.bells.push((when.schedule.clone(), bell));
    }
}

/// The duty that sends events to a collector.
pub(super) struct Delivery {
    /// The collector; nothing is sent without it.
    pub(super) otlp: Option<OtlpConfig>,
    /// The configured name of the tenant.
    pub(super) tenant_name: Option<String>,
    pub(super) meters: delivery::Meters,
    /// Receives the current outage, which the pages show.
    pub(super) outages: Outages,
}

impl Duty for Delivery {
    async fn begin(
        &self,
        store: Store,
        is_start: bool,
        tasks: &mut Tasks,
    ) -> Result<Option<Scheduler>, StartError> {
        let is_on = self.otlp.is_some();
        if !is_on && !is_start {
            // After a takeover, events are kept for a replica that sends them.
            return Ok(None);
        }
        let left_out = store.commit(BeginOtlp { is_on }).await?;
        let Some(otlp) = &self.otlp else { return Ok(None) };
        if left_out > 0 {
            tracing::warn!(
                events = left_out,
                "the OTLP delivery was off when the daemon last ran: it begins now and leaves out \
                 what was before; `cii-exporter otlp backfill --since 30d` sends that, too"
            );
        }
        let origin = Origin {
            instance_id: store.id().to_owned(),
            tenant_name: self.tenant_name.clone(),
            tenant_id: store.read(Reader::tenant_id).await?,
        };
        let sender = Sender::new(otlp, origin)?;
        let courier = Courier::new(store, sender, self.meters.clone(), self.outages.clone());
        tasks.spawn(Stage::Delivery, "OTLP delivery", |stop| courier.run(stop));
        Ok(None)
    }
}

/// The jobs that the configuration turns on, with their schedules.
pub(super) fn enabled_jobs(config: &Config) -> Vec<(&'static str, Schedule)> {
    if config.api.is_none() {
        return Vec::new();
    }
    let sync = &config.sync;
    let jobs = [
        (UsersJob::NAME, Some(&sync.users)),
        (IpsJob::NAME, Some(&sync.ips)),
        (TenantJob::NAME, sync.tenant.as_ref()),
        (ServiceJob::NAME, sync.service.as_ref()),
    ];
    let jobs = jobs.into_iter().filter_map(|(name, job)| Some((name, job?.schedule.clone())));
    jobs.collect()
}
