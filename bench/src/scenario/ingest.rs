//! Small deliveries as fast as they are answered, at 256 connections and at one.

use std::{fs, path::Path, time::Duration};

use super::Scenario;
use crate::{
    Result,
    bench::{Bench, progress},
    figure::{Figure, Goal, Side, Unit},
    load::{Endpoint, Load, Pace},
    process::{Process, own_cpu},
    samples::Samples,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "ingest",
    about: "durable deliveries a second at 256 connections and at one, beside the bare program",
    figures: &[&RATE_256, &SAME_256, &RATE_EACH, &RATE_1, &SAME_1, &CPU, &OWN_CPU, &REFUSED, &DISK],
    run,
};

const RATE_256: Figure = Figure {
    name: "256 connections: deliveries",
    unit: Unit::PerSecond,
    reference: Some("bare, group commit"),
    goals: &[Goal::AtLeast(15_000.0), Goal::RatioAtLeast(0.45)],
    bound: "CPU: the thread that writes fills one core, and the rest shares the other one with the \
            load generator; a sync is paid once a group",
};

const SAME_256: Figure = Figure {
    name: "256 connections: beside the same rows without decisions",
    unit: Unit::PerSecond,
    reference: Some("bare, same rows"),
    goals: &[],
    bound: "the writer has 18 rows and 15 entries of indexes for a delivery, where the bare program \
            has 5 and 1",
};

const RATE_EACH: Figure = Figure {
    name: "256 connections: beside a commit each",
    unit: Unit::PerSecond,
    reference: Some("bare, commit each"),
    goals: &[],
    bound: "the reference: one sync of the disk for each delivery",
};

const RATE_1: Figure = Figure {
    name: "1 connection: deliveries",
    unit: Unit::PerSecond,
    reference: Some("bare, group commit"),
    goals: &[Goal::RatioAtLeast(0.7)],
    bound: "one delivery is in flight: 19 pages of the log with their sync where the bare program \
            has 6, and the way through the threads",
};

const SAME_1: Figure = Figure {
    name: "1 connection: beside the same rows without decisions",
    unit: Unit::PerSecond,
    reference: Some("bare, same rows"),
    goals: &[],
    bound: "as above, and a page of the log for each of them",
};

const CPU: Figure = Figure {
    name: "256 connections: CPU a delivery",
    unit: Unit::Microseconds,
    reference: Some("bare, group commit"),
    goals: &[],
    bound: "SQLite's statements and the log's pages are three fifths, HTTP and JSON a third",
};

const OWN_CPU: Figure = Figure {
    name: "256 connections: the load generator's CPU a delivery",
    unit: Unit::Microseconds,
    reference: Some("bare, group commit"),
    goals: &[],
    bound: "",
};

const REFUSED: Figure = Figure {
    name: "256 connections: refused",
    unit: Unit::Count,
    reference: Some("bare, group commit"),
    goals: &[Goal::AtMost(0.0)],
    bound: "deliveries in flight stay far below the bound of 1,024",
};

const DISK: Figure = Figure {
    name: "disk space a delivery of 2 KB",
    unit: Unit::Bytes,
    reference: Some("bare, group commit"),
    goals: &[Goal::AtMost(5_000.0)],
    bound: "the body, a row for each failure, an event for each change, and the indexes over them",
};

const WARM_UP: Duration = Duration::from_millis(500);

fn load(connections: u32, lasting: Duration) -> Load {
    Load { connections, pace: Pace::Closed, lasting }
}

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    for round in 1..=bench.rounds {
        progress(&format!("round {round} of {}", bench.rounds));
        for (side, binary) in bench.exporters() {
            let setup = bench.fresh(binary)?;
            let exporter = setup.start()?;
            let endpoint = exporter.endpoint();
            let accepted = measure_256(bench, samples, side, &endpoint, &exporter.process)?
                + measure_1(bench, samples, side, &endpoint)?;
            exporter.stop()?;
            measure_disk(samples, side, &setup.database(), accepted)?;
        }
        let (bare, database) = bench.bare("together")?;
        let endpoint = bare.endpoint();
        let accepted = measure_256(bench, samples, Side::Reference, &endpoint, &bare.process)?
            + measure_1(bench, samples, Side::Reference, &endpoint)?;
        bare.process.stop()?;
        measure_disk(samples, Side::Reference, &database, accepted)?;

        measure_same_rows(bench, samples)?;

        let (bare, _) = bench.bare("commit-each")?;
        let each = load(256, bench.lasting / 2).run(&bare.endpoint())?;
        samples.add(&RATE_EACH, Side::Reference, each.rate());
        bare.process.stop()?;
    }
    Ok(())
}

/// Measures the bare program that writes the exporter's rows.
fn measure_same_rows(bench: &Bench, samples: &mut Samples) -> Result<()> {
    let setup = bench.fresh(&bench.programs.exporter)?;
    // It makes the tables.
    setup.start()?.stop()?;
    let bare = bench.bare_on(&setup.database(), "same-rows")?;
    for (connections, lasting, figure) in
        [(256, bench.lasting, &SAME_256), (1, bench.lasting / 2, &SAME_1)]
    {
        load(connections, WARM_UP).run(&bare.endpoint())?;
        samples.add(
            figure,
            Side::Reference,
            load(connections, lasting).run(&bare.endpoint())?.rate(),
        );
    }
    bare.process.stop()
}

/// Measures at 256 connections; how many deliveries were accepted, warm-up included.
fn measure_256(
    bench: &Bench,
    samples: &mut Samples,
    side: Side,
    endpoint: &Endpoint,
    process: &Process,
) -> Result<f64> {
    let warm_up = load(256, WARM_UP).run(endpoint)?;
    let (before, own_before) = (process.cpu()?, own_cpu()?);
    let report = load(256, bench.lasting).run(endpoint)?;
    let (cpu, own_cpu) = (process.cpu()? - before, own_cpu()? - own_before);
    samples.add(&RATE_256, side, report.rate());
    if side != Side::Reference {
        samples.add(&RATE_EACH, side, report.rate());
        samples.add(&SAME_256, side, report.rate());
    }
    samples.add(&CPU, side, cpu / report.accepted);
    samples.add(&OWN_CPU, side, own_cpu / report.accepted);
    samples.add(&REFUSED, side, report.refused + warm_up.refused);
    Ok(warm_up.accepted + report.accepted)
}

/// Measures at one connection; how many deliveries were accepted, warm-up included.
fn measure_1(bench: &Bench, samples: &mut Samples, side: Side, endpoint: &Endpoint) -> Result<f64> {
    let warm_up = load(1, WARM_UP).run(endpoint)?;
    let report = load(1, bench.lasting / 2).run(endpoint)?;
    samples.add(&RATE_1, side, report.rate());
    if side != Side::Reference {
        samples.add(&SAME_1, side, report.rate());
    }
    Ok(warm_up.accepted + report.accepted)
}

/// The size of a database whose program ended, with a write-ahead log that it left.
fn measure_disk(samples: &mut Samples, side: Side, database: &Path, deliveries: f64) -> Result<()> {
    let log = fs::metadata(database.with_extension("db-wal")).map_or(0, |file| file.len());
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
    let bytes = (fs::metadata(database)?.len() + log) as f64;
    samples.add(&DISK, side, bytes / deliveries);
    Ok(())
}
