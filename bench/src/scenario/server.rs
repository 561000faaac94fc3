//! Deliveries over PostgreSQL, and how long nobody leads after a leader's end.

use std::time::{Duration, Instant};

use cii_test_cluster::{Cluster, Options};

use super::{Scenario, server_scrape};
use crate::{
    Result,
    bench::{Bench, progress},
    exporter::Exporter,
    figure::{Figure, Goal, Side, Unit},
    http,
    load::{Endpoint, Load, Pace},
    process::Process,
    samples::Samples,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "server",
    about: "deliveries over PostgreSQL beside a bare program, scrapes beside a file's, and takeovers",
    figures: &[
        &RATE_256,
        &SAME_ROWS,
        &RATE_1,
        &CPU,
        &REFUSED,
        &server_scrape::SCRAPE,
        &server_scrape::PLAIN,
        &server_scrape::CHANGED,
        &TAKEOVER,
        &SLOWEST_TAKEOVER,
    ],
    run,
};

const RATE_256: Figure = Figure {
    name: "PostgreSQL, 256 connections: deliveries",
    unit: Unit::PerSecond,
    reference: Some("bare, unnest"),
    goals: &[Goal::AtLeast(3_000.0), Goal::RatioAtLeast(0.45)],
    bound: "CPU: the load generator, the exporter and the server share the cores",
};

const SAME_ROWS: Figure = Figure {
    name: "PostgreSQL, 256 connections: beside the same rows without decisions",
    unit: Unit::PerSecond,
    reference: Some("bare, same rows"),
    goals: &[],
    bound: "the server: a delivery of four users is 15 rows, and 30 entries of indexes",
};

const RATE_1: Figure = Figure {
    name: "PostgreSQL, 1 connection: deliveries",
    unit: Unit::PerSecond,
    reference: Some("bare, unnest"),
    goals: &[],
    bound: "the round trips of a group, one after the other, and a sync of the disk",
};

const CPU: Figure = Figure {
    name: "PostgreSQL, 256 connections: the exporter's CPU a delivery",
    unit: Unit::Microseconds,
    reference: Some("bare, unnest"),
    goals: &[],
    bound: "HTTP, JSON, and the statements on their way to the server",
};

const REFUSED: Figure = Figure {
    name: "PostgreSQL, 256 connections: refused",
    unit: Unit::Count,
    reference: Some("bare, unnest"),
    goals: &[Goal::AtMost(0.0)],
    bound: "deliveries in flight stay far below the bound of 1,024",
};

const TAKEOVER: Figure = Figure {
    name: "a leader is killed: until another one leads",
    unit: Unit::Seconds,
    reference: None,
    goals: &[Goal::AtMost(15.0)],
    bound: "the lease of 10 s, at whose end the next look comes within 2 s",
};

const SLOWEST_TAKEOVER: Figure = Figure {
    name: "a leader is killed: the slowest takeover",
    unit: Unit::Seconds,
    reference: None,
    goals: &[Goal::AtMost(15.0)],
    bound: "as above",
};

const WARM_UP: Duration = Duration::from_millis(500);

/// Takeovers that are measured in a whole run.
const TAKEOVERS: u32 = 20;

/// How long one may take before something is wrong.
const TAKEOVER_LIMIT: Duration = Duration::from_mins(1);

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    let cluster = Cluster::start(&Options::new());
    for round in 1..=bench.rounds {
        progress(&format!("round {round} of {}", bench.rounds));
        for (side, binary) in bench.exporters() {
            let exporter = bench.fresh(binary)?.at(&cluster.create_database().url).start()?;
            measure(bench, samples, side, &exporter.endpoint(), &exporter.process)?;
            exporter.stop()?;
        }
        let url = cluster.create_database().url;
        let bare = bench.local_server("bare-server", &["--url", &url])?;
        measure(bench, samples, Side::Reference, &bare.endpoint(), &bare.process)?;
        bare.process.stop()?;

        let url = cluster.create_database().url;
        let bare = bench.local_server("bare-server", &["--url", &url, "--same-rows"])?;
        let same = Load { connections: 256, pace: Pace::Closed, lasting: bench.lasting };
        let same = same.run(&bare.endpoint())?;
        samples.add(&SAME_ROWS, Side::Reference, same.rate());
        bare.process.stop()?;
    }
    server_scrape::measure(bench, samples, &cluster)?;
    takeovers(bench, samples, &cluster)
}

fn measure(
    bench: &Bench,
    samples: &mut Samples,
    side: Side,
    endpoint: &Endpoint,
    process: &Process,
) -> Result<()> {
    let load = |connections, lasting| Load { connections, pace: Pace::Closed, lasting };
    let warm_up = load(256, WARM_UP).run(endpoint)?;
    let before = process.cpu()?;
    let report = load(256, bench.lasting).run(endpoint)?;
    samples.add(&RATE_256, side, report.rate());
    if side != Side::Reference {
        samples.add(&SAME_ROWS, side, report.rate());
    }
    samples.add(&CPU, side, (process.cpu()? - before) / report.accepted);
    samples.add(&REFUSED, side, report.refused + warm_up.refused);
    let one = load(1, bench.lasting / 2).run(endpoint)?;
    samples.add(&RATE_1, side, one.rate());
    Ok(())
}

/// Kills leaders, one after the other, and starts each again as a follower.
fn takeovers(bench: &Bench, samples: &mut Samples, cluster: &Cluster) -> Result<()> {
    let url = cluster.create_database().url;
    let binary = &bench.programs.exporter;
    let setups = [bench.fresh(binary)?.at(&url), bench.fresh(binary)?.at(&url)];
    let mut leader = setups[0].start()?;
    let mut follower = setups[1].start()?;
    // A run that only shows that everything works has one round of one second.
    let times = if bench.lasting > Duration::from_secs(1) { TAKEOVERS } else { 1 };
    let mut slowest = 0.0_f64;
    for number in 0..times {
        until_leads(&leader, Instant::now())?;
        leader.process.kill()?;
        let took = until_leads(&follower, Instant::now())?.as_secs_f64();
        samples.add(&TAKEOVER, Side::Exporter, took);
        slowest = slowest.max(took);
        let place = usize::try_from(number % 2)?;
        leader = std::mem::replace(&mut follower, setups[place].start()?);
    }
    samples.add(&SLOWEST_TAKEOVER, Side::Exporter, slowest);
    Ok(())
}

fn until_leads(exporter: &Exporter, since: Instant) -> Result<Duration> {
    while since.elapsed() < TAKEOVER_LIMIT {
        let scrape = http::get(exporter.ops, "/metrics", false)?.ok()?;
        if String::from_utf8_lossy(&scrape.body).contains("\ncii_leader 1\n") {
            return Ok(since.elapsed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("nobody takes over".into())
}
