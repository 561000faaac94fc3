//! Deliveries, starts and pages on a database with a million events.

use std::time::{Duration, Instant};

use super::Scenario;
use crate::{
    Result,
    bench::{Bench, progress},
    exporter::Exporter,
    figure::{Figure, Goal, Side, Unit},
    http,
    load::{Load, Pace},
    million,
    samples::{Samples, median},
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "million",
    about: "deliveries, starts and pages on a database with a million events and open failures",
    figures: &[&RATE, &CPU, &START, &FIRST, &START_MEMORY, &PAGE, &CHECKS, &EVENTS],
    run,
};

const RATE: Figure = Figure {
    name: "a million events: deliveries, 256 connections",
    unit: Unit::PerSecond,
    reference: Some("empty database"),
    // Within 1.15 times of an empty database.
    goals: &[Goal::RatioAtLeast(0.87)],
    bound: "as on an empty database, and deeper indexes",
};

const CPU: Figure = Figure {
    name: "a million events: CPU a delivery",
    unit: Unit::Microseconds,
    reference: Some("empty database"),
    goals: &[Goal::RatioAtMost(1.15)],
    bound: "as on an empty database, and deeper indexes",
};

const START: Figure = Figure {
    name: "a million events: start",
    unit: Unit::Seconds,
    reference: None,
    goals: &[Goal::AtMost(0.3)],
    bound: "opening the files; totals are kept, not counted",
};

const FIRST: Figure = Figure {
    name: "a million events: slowest delivery within 2 s of a start",
    unit: Unit::Milliseconds,
    reference: None,
    goals: &[],
    bound: "what the writer does at a start beside deliveries",
};

const START_MEMORY: Figure = Figure {
    name: "a million events: memory after a start",
    unit: Unit::Mebibytes,
    reference: None,
    goals: &[],
    bound: "the projector's view, and SQLite's caches",
};

const PAGE: Figure = Figure {
    name: "a million open failures: page /",
    unit: Unit::Milliseconds,
    reference: None,
    goals: &[Goal::AtMost(0.02)],
    bound: "totals that are kept, not counted",
};

const CHECKS: Figure = Figure {
    name: "a million open failures: /api/v1/checks",
    unit: Unit::Milliseconds,
    reference: None,
    goals: &[Goal::AtMost(0.02)],
    bound: "totals that are kept, not counted",
};

const EVENTS: Figure = Figure {
    name: "a million events: /api/v1/events, nothing passes the filter",
    unit: Unit::Milliseconds,
    reference: None,
    goals: &[Goal::AtMost(0.02)],
    bound: "an index for each filter",
};

/// Filters that none of the million events passes.
const FILTERS: [&str; 5] =
    ["name=cii.user.ip.new", "severity=low", "check_id=none", "login=none", "ip=203.0.113.9"];

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    for (side, binary) in bench.exporters() {
        let setup = million::without_collector(bench, side, binary)?;
        for _ in 0..bench.rounds {
            let exporter = setup.start()?;
            samples.add(&START, side, exporter.ready_after.as_secs_f64());
            let lasting = Duration::from_secs(2);
            let first =
                Load { connections: 1, pace: Pace::Closed, lasting }.run(&exporter.endpoint())?;
            samples.add(&FIRST, side, first.latency(1.0));
            exporter.stop()?;
        }
        let mut exporter = setup.start()?;
        exporter.process.settle(Duration::from_secs(10))?;
        samples.add(&START_MEMORY, side, exporter.process.resident()?);
        samples.add(&PAGE, side, page(&exporter, "/")?);
        samples.add(&CHECKS, side, page(&exporter, "/api/v1/checks")?);
        let mut slowest = 0_f64;
        for filter in FILTERS {
            slowest = slowest.max(page(&exporter, &format!("/api/v1/events?{filter}"))?);
        }
        samples.add(&EVENTS, side, slowest);
        exporter.stop()?;
    }
    for round in 1..=bench.rounds {
        progress(&format!("round {round}"));
        for (side, binary) in bench.exporters() {
            let setup = million::without_collector(bench, side, binary)?;
            ingest(bench, samples, side, setup.start()?)?;
        }
        let empty = bench.fresh(&bench.programs.exporter)?;
        ingest(bench, samples, Side::Reference, empty.start()?)?;
    }
    Ok(())
}

fn ingest(bench: &Bench, samples: &mut Samples, side: Side, exporter: Exporter) -> Result<()> {
    let load = |lasting| Load { connections: 256, pace: Pace::Closed, lasting };
    load(Duration::from_millis(500)).run(&exporter.endpoint())?;
    let before = exporter.process.cpu()?;
    let report = load(bench.lasting).run(&exporter.endpoint())?;
    let cpu = exporter.process.cpu()? - before;
    samples.add(&RATE, side, report.rate());
    samples.add(&CPU, side, cpu / report.accepted);
    exporter.stop()
}

/// Seconds that a page takes: the median of at most 20 requests, and of as many as fit into a
/// second.
fn page(exporter: &Exporter, path: &str) -> Result<f64> {
    let begun = Instant::now();
    let mut seconds = Vec::new();
    while seconds.len() < 20 && begun.elapsed() < Duration::from_secs(1) {
        seconds.push(http::get(exporter.ops, path, false)?.ok()?.seconds());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(median(&seconds))
}
