//! Puts the rooms together.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::TimeDelta;
use prometheus::{Registry, process_collector::ProcessCollector};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Addresses, ConfigSource, Daemon, StartError, announce, defaults,
    listener::Listeners,
    panics, proofs,
    reload::{Current, ForJobs, Reloader},
    reload_meters::ReloadMeters,
    rules, service_manager,
    tasks::{Stage, Tasks},
};
use crate::{
    build_info::BuildInfo,
    cii, clock,
    config::{Config, JobConfig, SyncConfig},
    delivery::{self, Courier, Origin, Outages, Sender},
    domain::{Schedule, Timestamp},
    ingest::{self, Ingest, Intake, Refusals},
    ledger::change::{BeginOtlp, Forget, TrustClock},
    metrics::Exposition,
    store::{self, Reader, Store, StoreError},
    sync::{
        self, Housekeeping, IpQuestions, IpsJob, Job, PROMPT_DELAY, Prompt, Runner, Scheduler,
        ServiceJob, TenantJob, Timing, UserQuestions, UsersJob,
    },
    web::{self, Ops, Parts, Polls, Purger, Readiness, Sources, Webhook},
};

pub(super) async fn assemble(source: ConfigSource) -> Result<Daemon, StartError> {
    let config = source.load()?;
    announce::announce(&config);
    let database = config.store.path.clone();
    build(source, config).await.map_err(|error| error.about_database(&database))
}

async fn build(source: ConfigSource, config: Config) -> Result<Daemon, StartError> {
    let (store, writer) = Store::open(&config.store.path)?;
    // Before anything is stored by the clock of this start, and kept: what that dates must
    // not vouch for it at the next one.
    let trusted = store.read(Reader::trusted_moment).await?;
    store.commit(TrustClock { at: trusted.unwrap_or_else(clock::now) }).await?;
    if store.had_former_defaults() && config.api.is_some() {
        defaults::announce(&config);
    }
    forget_what_is_off(&config, &store).await?;
    let (registry, build_info) = registry(&config, &store)?;
    let meters = meters(&registry)?;
    let mut tasks = Tasks::default();
    tasks.spawn(Stage::Delivery, "service manager", service_manager::live);

    store_rules(&config, &store).await?;
    let (scope, current_scope) = watch::channel(rules::scope(&config));
    let (exposition, projector) =
        Exposition::build(store.clone(), registry.clone(), current_scope.clone()).await?;
    tasks.spawn(Stage::Delivery, "metrics", |stop| projector.run(stop));

    let outages = deliver(&config, &store, meters.otlp.clone(), &mut tasks).await?;
    let listeners = Listeners::new(&registry)?;
    let (webhook, webhook_address) = listeners.webhook(&config.webhook).await?;
    let (ops, ops_address) = listeners.ops(&config.ops).await?;

    let first_rules = Arc::new(rules::rules(&config));
    let first_admission = rules::admission(&config, first_rules.clone());
    let (admission, current_admission) = watch::channel(Arc::new(first_admission));
    // The ops listener gets the rules alone: nothing there needs a secret.
    let (rules, current_rules) = watch::channel(first_rules);
    let intake = Intake::new(store.clone(), meters.webhook.clone());
    let (refusals, refusal_writer) = Refusals::new(store.clone());
    tasks.spawn(Stage::Work, "refused deliveries", |stop| refusal_writer.run(stop));
    tasks.spawn(Stage::Listeners, "deliveries", |stop| intake.clone().close_on(stop));
    let ingest = Arc::new(Ingest::new(
        intake.clone(),
        refusals.clone(),
        current_admission,
        config.webhook.max_body_bytes,
        config.webhook.path.clone(),
    ));
    let router = ingest.clone().into_router();
    let proofs = proofs::of_deliveries(ingest);
    tasks.spawn(Stage::Listeners, "webhook listener", |stop| webhook.serve(router, proofs, stop));

    let addresses = addresses(&config, webhook_address, ops_address);
    let (readiness, current_readiness) = watch::channel(Readiness::Starting);
    let (reload, requests) = mpsc::channel(1);
    let (reloaded, last_reload) = watch::channel(None);
    let (purges, purger) = Purger::new(store.clone(), refusals.clone());
    tasks.spawn(Stage::Delivery, "purges", |stop| purger.run(stop));
    let sources = Sources {
        exposition,
        store: store.clone(),
        meters: meters.clone(),
        outages,
        parts: Parts { api: config.api.is_some(), otlp: config.otlp.is_some() },
        scope: current_scope,
        polls: polls(&config),
        webhook: webhook_of(&config, &addresses, intake, refusals),
        streams: listeners.streams(),
        readiness: current_readiness,
        rules: current_rules,
        reload,
        reloaded: last_reload,
        purges,
    };
    let (access, current_access) = watch::channel(Arc::new(rules::access(&config)));
    let proofs = proofs::of_operators(current_access.clone());
    let (router, local_router) = Ops::new(sources).into_routers(current_access);
    tasks.spawn(Stage::Delivery, "ops listener", |stop| ops.serve(router, proofs, stop));
    let holder = take_commands(&listeners, &config, &addresses, local_router, &mut tasks);

    let (for_jobs, current) = ForJobs::channels(&config);
    let scheduler = schedule(&config, &store, &registry, meters.api, current, &mut tasks).await?;
    let housekeeping = housekeeping(&config, &store, trusted);
    tasks.spawn(Stage::Work, "housekeeping", |stop| housekeeping.run(stop));

    tasks.spawn(Stage::Delivery, "store", |stop| keep(store.clone(), stop));
    if let Err(error) = store.announce(&holder) {
        tracing::warn!(%error, "commands beside this daemon will not find it");
    }
    let reloader = Reloader {
        source,
        applied: config.clone(),
        running: config.without_exchangeable_secrets(),
        access,
        admission,
        rules,
        for_jobs,
        scope,
        build_info,
        meters: ReloadMeters::register(&registry)?,
        store: store.clone(),
        requests,
        reloaded,
    };
    tasks.spawn(Stage::Work, "reload", |stop| reloader.run(stop));
    Ok(Daemon { addresses, tasks, scheduler, readiness, store, writer })
}

fn housekeeping(config: &Config, store: &Store, trusted: Option<Timestamp>) -> Housekeeping {
    Housekeeping {
        store: store.clone(),
        trusted,
        retention: config.store.retention_days.map(|days| TimeDelta::days(days.into())),
        delivers_events: config.otlp.is_some(),
    }
}

fn addresses(config: &Config, webhook: SocketAddr, ops: SocketAddr) -> Addresses {
    Addresses {
        webhook,
        webhook_scheme: config.webhook.scheme(),
        ops,
        ops_scheme: config.ops.scheme(),
        webhook_path: config.webhook.path.clone(),
    }
}

/// Writes what the configuration says of the watch list and of checks.
async fn store_rules(config: &Config, store: &Store) -> Result<(), StartError> {
    store.commit(rules::watch_list(config)).await?;
    store.commit(rules::checks(config)).await?;
    store.commit(rules::shown_checks(config)).await?;
    Ok(())
}

/// The webhook listener, as the pages see it.
fn webhook_of(
    config: &Config,
    addresses: &Addresses,
    intake: Intake,
    refusals: Refusals,
) -> Webhook {
    Webhook {
        listen: addresses.webhook,
        path: config.webhook.path.clone(),
        url: addresses.local_webhook_url(),
        public_url: config.webhook.public_url.as_ref().map(ToString::to_string),
        intake,
        refusals,
        max_body_bytes: config.webhook.max_body_bytes,
    }
}

/// Figures of a job that is off must not look like fresh ones.
async fn forget_what_is_off(config: &Config, store: &Store) -> Result<(), StartError> {
    if config.api.is_none() || config.sync.tenant.is_none() {
        store.commit(Forget::Tenant).await?;
    }
    if config.api.is_none() || config.sync.service.is_none() {
        store.commit(Forget::Service).await?;
    }
    Ok(())
}

/// Opens the way for commands on this machine; hands out where it is.
fn take_commands(
    listeners: &Listeners,
    config: &Config,
    addresses: &Addresses,
    router: axum::Router,
    tasks: &mut Tasks,
) -> String {
    match listeners.commands(&store::socket_path(&config.store.path)) {
        Ok(commands) => {
            let address = commands.address();
            tasks.spawn(Stage::Delivery, "commands", |stop| commands.serve(router, stop));
            address
        }
        // Such as a path that is too long for a socket.
        Err(error) => {
            tracing::warn!(%error, "commands use the ops listener, as others do");
            addresses.local_ops_url()
        }
    }
}

/// Ends early when there is no database to write to any more.
async fn keep(store: Store, stop: CancellationToken) -> Result<(), StoreError> {
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        error = store.lost() => Err(error),
    }
}

/// When the service is asked: never without the API.
fn polls(config: &Config) -> Polls {
    let schedule =
        |job: Option<&JobConfig>| config.api.as_ref().and(job).map(|job| job.schedule.clone());
    Polls {
        users: schedule(Some(&config.sync.users)),
        ips: schedule(Some(&config.sync.ips)),
        tenant: schedule(config.sync.tenant.as_ref()),
        service: schedule(config.sync.service.as_ref()),
        tenant_on_start: config.sync.tenant.as_ref().is_some_and(|job| job.on_start),
    }
}

fn registry(config: &Config, store: &Store) -> Result<(Registry, BuildInfo), StartError> {
    let registry = Registry::new();
    store.meters().register(&registry)?;
    let build_info = BuildInfo::register(&registry, rules::public_url(config))?;
    registry.register(Box::new(ProcessCollector::for_self()))?;
    panics::watch(&registry)?;
    Ok((registry, build_info))
}

/// The meters of the rooms whose counts the pages show, too.
fn meters(registry: &Registry) -> Result<web::Meters, StartError> {
    let meters = web::Meters {
        webhook: ingest::Meters::new()?,
        api: cii::Meters::new()?,
        otlp: delivery::Meters::new()?,
        shed: web::ShedMeter::new()?,
    };
    meters.webhook.register(registry)?;
    meters.api.register(registry)?;
    meters.otlp.register(registry)?;
    meters.shed.register(registry)?;
    Ok(meters)
}

/// Starts the OTLP delivery, when there is one; hands out why events wait.
async fn deliver(
    config: &Config,
    store: &Store,
    meters: delivery::Meters,
    tasks: &mut Tasks,
) -> Result<Outages, StartError> {
    let outages = Outages::default();
    let left_out = store.commit(BeginOtlp { is_on: config.otlp.is_some() }).await?;
    let Some(otlp) = &config.otlp else { return Ok(outages) };
    if left_out > 0 {
        tracing::warn!(
            events = left_out,
            "the OTLP delivery was off when the daemon last ran: it begins now and leaves out what \
             was before; `cii-exporter otlp backfill --since 30d` sends that, too"
        );
    }
    let origin = Origin {
        instance_id: store.id().to_owned(),
        tenant_name: config.tenant.name.clone(),
        tenant_id: store.read(Reader::tenant_id).await?,
    };
    let sender = Sender::new(otlp, origin)?;
    let courier = Courier::new(store.clone(), sender, meters, outages.clone());
    tasks.spawn(Stage::Delivery, "OTLP delivery", |stop| courier.run(stop));
    Ok(outages)
}

async fn schedule(
    config: &Config,
    store: &Store,
    registry: &Registry,
    api_meters: cii::Meters,
    current: Current,
    tasks: &mut Tasks,
) -> Result<Option<Scheduler>, StartError> {
    let meters = sync::Meters::new()?;
    meters.register(registry)?;
    let Some(api) = &config.api else { return Ok(None) };
    let client = cii::Client::new(api, api_meters)?;
    let mut jobs = Jobs {
        config: &config.sync,
        names_users: current.names_users,
        store,
        meters,
        tasks,
        bells: Vec::new(),
    };
    let questions = UserQuestions {
        client: client.clone(),
        store: store.clone(),
        concurrency: api.concurrency,
        filter: current.filter,
        policy: current.policy,
        null_lists: api.null_lists,
        settle: rules::settle(config),
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
    jobs.start(users, &config.sync.users);
    jobs.start(IpsJob { questions: ips }, &config.sync.ips);
    if let Some(when) = &config.sync.tenant {
        let tenant = TenantJob { questions, page_size: config.sync.tenant_page_size };
        jobs.start(tenant, when);
    }
    if let Some(when) = &config.sync.service {
        jobs.start(ServiceJob { client, store: store.clone() }, when);
    }
    Ok(Some(Scheduler::start(jobs.bells).await?))
}

/// The scheduled jobs, as they are started.
struct Jobs<'a> {
    config: &'a SyncConfig,
    names_users: watch::Receiver<bool>,
    store: &'a Store,
    meters: sync::Meters,
    tasks: &'a mut Tasks,
    /// The schedules, each with the bell that wakes its job.
    bells: Vec<(Schedule, Arc<Notify>)>,
}

impl Jobs<'_> {
    fn start<J: Job>(&mut self, job: J, when: &JobConfig) {
        let bell = Arc::new(Notify::new());
        let runner = Runner {
            job,
            timing: Timing {
                schedule: when.schedule.clone(),
                on_start: when.on_start,
                jitter: Duration::from_secs(self.config.jitter_seconds),
                spread: self.config.spread,
            },
            bell: bell.clone(),
            store: self.store.clone(),
            meters: self.meters.clone(),
            names_users: self.names_users.clone(),
        };
        self.tasks.spawn(Stage::Work, J::NAME, |stop| runner.live(stop));
        self.bells.push((when.schedule.clone(), bell));
    }
}
