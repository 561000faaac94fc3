//! Builds the daemon from the rooms.

use std::{net::SocketAddr, sync::Arc};

use prometheus::{Registry, process_collector::ProcessCollector};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Addresses, ConfigSource, Daemon, StartError, announce,
    duties::{self, Delivery, Work},
    lead::{self, Lead},
    listener::Listeners,
    opening::{self, Opened},
    panics, proofs,
    reload::{ForJobs, Reloader, Step},
    reload_meters::ReloadMeters,
    rules, service_manager,
    shared_rules::SharedRules,
    tasks::{Stage, Tasks},
    wait::{Patience, Wait},
};
use crate::{
    build_info::BuildInfo,
    cii,
    config::{Config, JobConfig},
    delivery::{self, Outages},
    ingest::{self, Ingest, Intake, Refusals},
    metrics::Exposition,
    store::{self, Reader, Standing, Store, StoreError},
    sync::{self, Shadow},
    web::{self, Ops, Parts, Polls, Purger, Readiness, Sources, Webhook},
};

pub(super) async fn assemble(
    source: ConfigSource,
    patience: Patience,
) -> Result<Daemon, StartError> {
    let config = source.load()?;
    announce::log_start(&config);
    let mut wait = Wait::new(&config, patience);
    loop {
        wait.begin_try().await?;
        match try_assemble(&source, &config, &mut wait).await {
            Ok(daemon) => return Ok(daemon),
            // Another replica took the lease over meanwhile: this one follows.
            Err(StartError::Store(StoreError::NotLeader)) => {
                tracing::info!("another replica leads by now; the start begins anew");
            }
            // The server can become unavailable at any step.
            Err(StartError::Store(error)) => {
                let waited = wait.wait_or_fail(error).await;
                waited.map_err(|error| error.with_database(&config.store.place))?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Opens the store, and builds the daemon on it.
async fn try_assemble(
    source: &ConfigSource,
    config: &Config,
    wait: &mut Wait<'_>,
) -> Result<Daemon, StartError> {
    let opened = opening::open_store(config).await?;
    wait.record_opened();
    let store = opened.store.clone();
    // Large, and done once.
    let built = Box::pin(build_daemon(source.clone(), config.clone(), opened, wait)).await;
    if built.is_err() {
        // Otherwise the lease would be given up by whatever task drops the store last, and giving it
        // up blocks on the server.
        store.resign().await;
    }
    built
}

async fn build_daemon(
    source: ConfigSource,
    config: Config,
    Opened { store, writer, trusted }: Opened,
    wait: &mut Wait<'_>,
) -> Result<Daemon, StartError> {
    let (registry, build_info) = build_registry(&config, &store)?;
    let meters = register_meters(&registry)?;
    let mut tasks = Tasks::default();
    tasks.spawn(Stage::Delivery, "service manager", service_manager::ping_watchdog);

    let standing = join_election(&config, &store, &registry, &mut tasks).await?;
    let followed = apply_leader_rules(&config, &store, &standing).await?;
    let (in_force, current_config) = watch::channel(Arc::new(config.clone()));
    let (for_jobs, current) = ForJobs::open_channels(&followed);
    let work = Work {
        config: current_config,
        current,
        api_meters: meters.api.clone(),
        sync_meters: register_sync_meters(&registry)?,
        trusted,
    };
    spawn_shadow(&config, &store, &standing, &work.sync_meters, &mut tasks);
    let work = Lead::prepare(work, store.clone(), standing.clone()).await?;
    let (scope, current_scope) = watch::channel(rules::scope(&followed));
    let (exposition, projector) =
        Exposition::build(store.clone(), registry.clone(), current_scope.clone()).await?;
    tasks.spawn(Stage::Delivery, "metrics", |stop| projector.run(stop));

    let outages = Outages::default();
    spawn_delivery(&config, &store, &standing, &meters, &outages, &mut tasks).await?;
    let mut listeners = Listeners::new(&registry, wait.end().await)?;
    let (webhook, webhook_address) = listeners.bind_webhook(&config.webhook).await?;
    let (ops, ops_address) = listeners.bind_ops(&config.ops).await?;

    let first_rules = Arc::new(rules::rules(&followed));
    let first_admission = rules::admission(&followed, first_rules.clone());
    let (admission, current_admission) = watch::channel(Arc::new(first_admission));
    // The ops listener gets only the rules: it needs no webhook secret.
    let (rules, current_rules) = watch::channel(first_rules);
    let (intake, refusals) = build_intake(&store, &meters, &mut tasks);
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
    let (differing, current_differing) = watch::channel(Vec::new());
    let (purges, purger) = Purger::new(store.clone(), refusals.clone());
    tasks.spawn(Stage::Delivery, "purges", |stop| purger.run(stop));
    let sources = Sources {
        exposition,
        store: store.clone(),
        meters: meters.clone(),
        outages,
        parts: Parts { api: config.api.is_some(), otlp: config.otlp.is_some() },
        scope: current_scope,
        polls: poll_schedules(&config),
        webhook: describe_webhook(&config, &addresses, intake, refusals),
        streams: listeners.max_streams(),
        readiness: current_readiness,
        rules: current_rules,
        reload,
        reloaded: last_reload,
        purges,
        standing: standing.clone(),
        differing: current_differing,
    };
    let (access, current_access) = watch::channel(Arc::new(rules::access(&config)));
    let proofs = proofs::of_operators(current_access.clone());
    let (router, local_router) = Ops::new(sources).into_routers(current_access);
    tasks.spawn(Stage::Delivery, "ops listener", |stop| ops.serve(router, proofs, stop));
    let command_address = bind_commands(&listeners, &config, &addresses, local_router, &mut tasks);

    let work = work.start().await?;
    tasks.spawn(Stage::Work, "work of the leader", |stop| work.run(stop));
    tasks.spawn(Stage::Delivery, "store", |stop| watch_store(store.clone(), stop));
    announce::publish_address(&store, &command_address);
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
        in_force,
        standing,
        step: Step::default(),
        differing,
    };
    tasks.spawn(Stage::Work, "reload", |stop| reloader.run(stop));
    Ok(Daemon { addresses, tasks, readiness, store, writer })
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

/// Describes the webhook listener for the pages.
fn describe_webhook(
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

/// Binds the socket for commands on this machine, and returns its address.
fn bind_commands(
    listeners: &Listeners,
    config: &Config,
    addresses: &Addresses,
    router: axum::Router,
    tasks: &mut Tasks,
) -> String {
    let Some(socket) = store::socket_path(&config.store.place) else {
        return addresses.local_ops_url();
    };
    match listeners.bind_commands(&socket) {
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

/// A task that fails when the store's writer has ended, so that the daemon stops.
async fn watch_store(store: Store, stop: CancellationToken) -> Result<(), StoreError> {
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        error = store.wait_for_loss() => Err(error),
    }
}

/// The schedules of the jobs; none without `[api]`.
fn poll_schedules(config: &Config) -> Polls {
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

fn build_registry(config: &Config, store: &Store) -> Result<(Registry, BuildInfo), StartError> {
    let registry = Registry::new();
    store.meters().register(&registry)?;
    let build_info = BuildInfo::register(&registry, rules::public_url(config))?;
    registry.register(Box::new(ProcessCollector::for_self()))?;
    panics::install_hook(&registry)?;
    Ok((registry, build_info))
}

/// Registers the meters of the rooms whose counts the pages show, too.
fn register_meters(registry: &Registry) -> Result<web::Meters, StartError> {
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

/// Registers the meters of the jobs.
fn register_sync_meters(registry: &Registry) -> Result<sync::Meters, StartError> {
    let meters = sync::Meters::new()?;
    meters.register(registry)?;
    Ok(meters)
}

/// The name under which the other replicas show this one as the leader.
fn replica_name(ops: SocketAddr) -> String {
    let host = rustix::system::uname();
    format!("{}:{}", host.nodename().to_string_lossy(), ops.port())
}

/// Builds the intake for deliveries, and the one for refused deliveries.
fn build_intake(store: &Store, meters: &web::Meters, tasks: &mut Tasks) -> (Intake, Refusals) {
    let intake = Intake::new(store.clone(), meters.webhook.clone());
    let (refusals, writer) = Refusals::new(store.clone());
    tasks.spawn(Stage::Work, "refused deliveries", |stop| writer.run(stop));
    tasks.spawn(Stage::Listeners, "deliveries", |stop| intake.clone().close_when_stopped(stop));
    (intake, refusals)
}

/// Joins the election of the leader, and starts the log of its results.
async fn join_election(
    config: &Config,
    store: &Store,
    registry: &Registry,
    tasks: &mut Tasks,
) -> Result<watch::Receiver<Standing>, StartError> {
    let standing = store.campaign(&replica_name(config.ops.listen)).await?;
    let (told, meter) = (standing.clone(), lead::register_meter(registry, &standing)?);
    tasks.spawn(Stage::Delivery, "lease", |stop| lead::report_standing(told, meter, stop));
    Ok(standing)
}

/// Returns the configuration with the leader's rules, when another replica leads.
async fn apply_leader_rules(
    config: &Config,
    store: &Store,
    standing: &watch::Receiver<Standing>,
) -> Result<Config, StartError> {
    if standing.borrow().is_leader() {
        return Ok(config.clone());
    }
    let rules = store.read(Reader::rules).await?;
    let rules = rules.as_deref().and_then(SharedRules::decode);
    Ok(rules.map_or_else(|| config.clone(), |rules| rules.apply_to(config)))
}

/// Starts the task that shows the leader's job results, when another replica leads.
fn spawn_shadow(
    config: &Config,
    store: &Store,
    standing: &watch::Receiver<Standing>,
    meters: &sync::Meters,
    tasks: &mut Tasks,
) {
    let shadow = Shadow {
        store: store.clone(),
        meters: meters.clone(),
        jobs: duties::enabled_jobs(config),
        standing: standing.clone(),
    };
    tasks.spawn(Stage::Work, "jobs of the leader", |stop| shadow.run(stop));
}

/// Starts the OTLP delivery, which runs while this replica leads.
async fn spawn_delivery(
    config: &Config,
    store: &Store,
    standing: &watch::Receiver<Standing>,
    meters: &web::Meters,
    outages: &Outages,
    tasks: &mut Tasks,
) -> Result<(), StartError> {
    let delivery = Delivery {
        otlp: config.otlp.clone(),
        tenant_name: config.tenant.name.clone(),
        meters: meters.otlp.clone(),
        outages: outages.clone(),
    };
    let delivery = Lead::prepare(delivery, store.clone(), standing.clone()).await?;
    let delivery = delivery.start().await?;
    tasks.spawn(Stage::Delivery, "delivery of the leader", |stop| delivery.run(stop));
    Ok(())
}
