//! Puts the rooms together.

use std::{sync::Arc, time::Duration};

use prometheus::{Registry, process_collector::ProcessCollector};
use tokio::sync::{Notify, mpsc, watch};

use super::{
    Addresses, ConfigSource, Daemon, StartError, listener,
    reload::Reloader,
    rules,
    tasks::{Stage, Tasks},
};
use crate::{
    build_info,
    cii::{self, Client, ClientSettings},
    clock,
    config::{ApiConfig, Config, JobConfig, OtlpProtocol},
    delivery::{self, Courier, OtlpSettings, Sender},
    domain::{CheckFilter, Schedule},
    ingest::{self, Ingest},
    metrics::Exposition,
    store::Store,
    sync::{self, IpsJob, Job, Runner, Scheduler, UsersJob},
    web::{Ops, Parts, Readiness},
};

pub(super) async fn assemble(source: ConfigSource) -> Result<Daemon, StartError> {
    let config = source.load()?;
    let (store, writer) = Store::open(&config.store.path)?;
    let registry = registry(&store)?;
    let mut tasks = Tasks::default();

    let watch = config.watch.clone();
    store.configure_watch(watch.users, watch.ips, clock::now()).await?;
    let (exposition, projector) =
        Exposition::build(store.clone(), registry.clone(), config.otlp.is_some()).await?;
    tasks.spawn(Stage::Delivery, "metrics", |stop| projector.run(stop));

    deliver(&config, &store, &registry, &mut tasks)?;
    let (webhook, webhook_address) =
        listener::bind("webhook.listen", config.webhook.listen).await?;
    let (ops, ops_address) = listener::bind("ops.listen", config.ops.listen).await?;

    let ingest_meters = ingest::Meters::new()?;
    ingest_meters.register(&registry)?;
    let (rules, current_rules) = watch::channel(Arc::new(rules::rules(&config)));
    let (filter, current_filter) = watch::channel(rules::check_filter(&config));
    let router =
        Ingest::new(store.clone(), current_rules, config.webhook.max_body_bytes, ingest_meters)
            .into_router(&config.webhook.path);
    tasks
        .spawn(Stage::Listeners, "webhook listener", |stop| listener::serve(webhook, router, stop));

    let (readiness, current_readiness) = watch::channel(Readiness::Starting);
    let (reload, requests) = mpsc::channel(1);
    let parts = Parts { api: config.api.is_some(), otlp: config.otlp.is_some() };
    let sources = (store.clone(), registry.clone());
    let router = Ops::new(exposition, sources, parts, current_readiness, reload).into_router();
    tasks.spawn(Stage::Delivery, "ops listener", |stop| listener::serve(ops, router, stop));

    let scheduler = schedule(&config, &store, &registry, current_filter, &mut tasks).await?;

    let addresses = Addresses {
        webhook: webhook_address,
        ops: ops_address,
        webhook_path: config.webhook.path.clone(),
    };
    let reloader =
        Reloader { source, running: config, rules, filter, store: store.clone(), requests };
    tasks.spawn(Stage::Work, "reload", |stop| reloader.run(stop));
    Ok(Daemon { addresses, tasks, scheduler, readiness, store, writer })
}

fn registry(store: &Store) -> Result<Registry, StartError> {
    let registry = Registry::new();
    store.meters().register(&registry)?;
    build_info::register(&registry)?;
    registry.register(Box::new(ProcessCollector::for_self()))?;
    Ok(registry)
}

fn deliver(
    config: &Config,
    store: &Store,
    registry: &Registry,
    tasks: &mut Tasks,
) -> Result<(), StartError> {
    let meters = delivery::Meters::new()?;
    meters.register(registry)?;
    let Some(otlp) = &config.otlp else { return Ok(()) };
    let settings = OtlpSettings {
        endpoint: otlp.endpoint.clone(),
        protocol: otlp.protocol.map(|protocol| match protocol {
            OtlpProtocol::HttpProtobuf => delivery::Protocol::HttpProtobuf,
            OtlpProtocol::Grpc => delivery::Protocol::Grpc,
        }),
    };
    let sender = Sender::new(&settings, store.id())?;
    let courier = Courier::new(store.clone(), sender, meters);
    tasks.spawn(Stage::Delivery, "OTLP delivery", |stop| courier.run(stop));
    Ok(())
}

async fn schedule(
    config: &Config,
    store: &Store,
    registry: &Registry,
    filter: watch::Receiver<CheckFilter>,
    tasks: &mut Tasks,
) -> Result<Option<Scheduler>, StartError> {
    let meters = sync::Meters::new()?;
    meters.register(registry)?;
    let api_meters = cii::Meters::new()?;
    api_meters.register(registry)?;
    let Some(api) = &config.api else { return Ok(None) };
    let client = Arc::new(client(api, api_meters)?);
    let users = UsersJob {
        client: client.clone(),
        store: store.clone(),
        concurrency: api.concurrency,
        filter,
    };
    let ips = IpsJob {
        client,
        store: store.clone(),
        concurrency: api.concurrency,
        page_size: api.page_size,
    };
    let bells = vec![
        run_job(users, &config.sync.users, store, &meters, tasks),
        run_job(ips, &config.sync.ips, store, &meters, tasks),
    ];
    Ok(Some(Scheduler::start(bells).await?))
}

fn client(api: &ApiConfig, meters: cii::Meters) -> Result<Client, StartError> {
    let settings = ClientSettings {
        url: api.url.to_string(),
        token_url: api.token_url.to_string(),
        client_id: api.client_id.clone(),
        client_secret: api.client_secret.clone(),
        audience: api.audience.clone(),
        timeout: Duration::from_secs(api.timeout_seconds),
    };
    Ok(Client::new(settings, meters)?)
}

/// Starts a job; returns its schedule and the bell that makes it run.
fn run_job<J: Job>(
    job: J,
    config: &JobConfig,
    store: &Store,
    meters: &sync::Meters,
    tasks: &mut Tasks,
) -> (Schedule, Arc<Notify>) {
    let bell = Arc::new(Notify::new());
    let runner = Runner {
        job,
        schedule: config.schedule.clone(),
        on_start: config.on_start,
        bell: bell.clone(),
        store: store.clone(),
        meters: meters.clone(),
    };
    tasks.spawn(Stage::Work, J::NAME, |stop| runner.live(stop));
    (config.schedule.clone(), bell)
}
