//! A million events that are pending for a collector: the time of a scrape meanwhile, and the rate
//! at which they are sent once it is up.

use std::time::{Duration, Instant};

use super::Scenario;
use crate::{
    Result,
    bench::{Bench, LocalServer, progress},
    exporter::Setup,
    figure::{Figure, Goal, Side, Unit},
    http, million,
    samples::{Samples, median_of},
    sink::Received,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "backlog",
    about: "a million events pending for a collector: a scrape meanwhile, and the OTLP drain",
    figures: &[&SCRAPE, &RATE, &CPU, &PEAK],
    run,
};

const SCRAPE: Figure = Figure {
    name: "scrape with a million events pending",
    unit: Unit::Milliseconds,
    reference: None,
    goals: &[],
    bound: "nothing that grows with the number of pending events",
};

const RATE: Figure = Figure {
    name: "OTLP: records into a sink",
    unit: Unit::PerSecond,
    reference: None,
    goals: &[Goal::AtLeast(90_000.0)],
    bound: "CPU: reading and encoding; the sink and the reader share the cores",
};

const CPU: Figure = Figure {
    name: "OTLP: CPU a record",
    unit: Unit::Microseconds,
    reference: None,
    goals: &[],
    bound: "reading a row, making a record of it, encoding it, the HTTP client",
};

const PEAK: Figure = Figure {
    name: "OTLP: peak memory while sending",
    unit: Unit::Mebibytes,
    reference: None,
    goals: &[],
    bound: "the batches in hand",
};

/// How long the first records may take after the start.
const FIRST_LIMIT: Duration = Duration::from_secs(10);

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    for (side, binary) in bench.exporters() {
        let exporter = million::with_collector_down(bench, side, binary)?.start()?;
        let scrape = || Ok(http::get(exporter.ops, "/metrics", false)?.ok()?.seconds());
        samples.add(&SCRAPE, side, median_of(7, scrape)?);
        exporter.stop()?;
    }
    // Each round takes some of the million; more rounds would find none.
    for round in 1..=bench.rounds.min(2) {
        progress(&format!("round {round}"));
        for (side, binary) in bench.exporters() {
            let sink = bench.local_server("sink", &[])?;
            let setup = million::with_collector(bench, side, binary, sink.address)?;
            drain(bench, samples, side, &setup, &sink)?;
            sink.process.stop()?;
        }
    }
    Ok(())
}

fn drain(
    bench: &Bench,
    samples: &mut Samples,
    side: Side,
    setup: &Setup,
    sink: &LocalServer,
) -> Result<()> {
    let exporter = setup.start()?;
    let Some(first) = first_records(sink)? else {
        progress("no event is left to send: this round is left out");
        return exporter.stop();
    };
    // What the start needed belongs to another figure.
    exporter.process.reset_peak()?;
    let before = exporter.process.cpu()?;
    let last = records_within(bench.lasting, sink)?;
    let cpu = exporter.process.cpu()? - before;
    #[expect(clippy::cast_precision_loss, reason = "a million records")]
    let records = (last.records - first.records) as f64;
    if records < 10_000.0 {
        progress("too few events are left to measure: this round is left out");
        return exporter.stop();
    }
    samples.add(&RATE, side, records / (last.seconds - first.seconds));
    samples.add(&CPU, side, cpu / records);
    samples.add(&PEAK, side, exporter.process.peak_resident()?);
    exporter.stop()
}

fn received(sink: &LocalServer) -> Result<Received> {
    Ok(serde_json::from_slice(&http::get(sink.address, "/", false)?.ok()?.body)?)
}

/// What came until the first records did; `None` when none come.
fn first_records(sink: &LocalServer) -> Result<Option<Received>> {
    let begun = Instant::now();
    while begun.elapsed() < FIRST_LIMIT {
        let received = received(sink)?;
        if received.requests > 1 {
            return Ok(Some(received));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(None)
}

/// What came until this time has passed, or until nothing more came for half a second.
fn records_within(lasting: Duration, sink: &LocalServer) -> Result<Received> {
    let begun = Instant::now();
    let mut last = received(sink)?;
    let mut moved_at = Instant::now();
    while begun.elapsed() < lasting && moved_at.elapsed() < Duration::from_millis(500) {
        std::thread::sleep(Duration::from_millis(50));
        let now = received(sink)?;
        if now.records > last.records {
            moved_at = Instant::now();
        }
        last = now;
    }
    Ok(last)
}
