//! Scrapes of 100,000 series over PostgreSQL, beside the same exporter with a file.

use cii_test_cluster::Cluster;

use super::scrape::{self, USERS};
use crate::{
    Result,
    bench::{Bench, progress},
    exporter::Setup,
    figure::{Figure, Goal, Side, Unit},
    polled,
    samples::Samples,
    simulator::Simulator,
};

pub(super) const SCRAPE: Figure = Figure {
    name: "PostgreSQL: scrape of 100,000 series, gzip",
    unit: Unit::Milliseconds,
    reference: Some("SQLite"),
    goals: &[Goal::RatioAtMost(1.5)],
    bound: "a question to the server about what others committed, and copying bytes that are ready",
};

pub(super) const PLAIN: Figure = Figure {
    name: "PostgreSQL: scrape of 100,000 series, plain",
    unit: Unit::Milliseconds,
    reference: Some("SQLite"),
    goals: &[Goal::RatioAtMost(1.5)],
    bound: "as above",
};

pub(super) const CHANGED: Figure = Figure {
    name: "PostgreSQL: scrape of 100,000 series right after a delivery, gzip",
    unit: Unit::Milliseconds,
    reference: Some("SQLite"),
    goals: &[Goal::RatioAtMost(1.5)],
    bound: "the same, and a round of the projector: three waits for a server that shares the cores",
};

/// Fills a database of each kind by polls, and scrapes their exporters in turns.
pub(super) fn measure(bench: &Bench, samples: &mut Samples, cluster: &Cluster) -> Result<()> {
    progress(&format!("scrapes: polling {USERS} users"));
    let simulator = Simulator::start(bench, USERS)?;
    let on_server =
        bench.exporters().map(|(side, binary)| (side, binary, Some(cluster.create_database())));
    let on_file = (Side::Reference, bench.programs.exporter.as_path(), None);
    let mut exporters = Vec::new();
    for (side, binary, database) in on_server.chain([on_file]) {
        let folder = bench.new_folder()?;
        let setup = |runs| -> Result<Setup> {
            let setup = polled::setup(binary, &folder, &simulator, runs)?;
            Ok(match &database {
                Some(database) => setup.at(&database.url),
                None => setup,
            })
        };
        polled::run(&setup(true)?)?;
        exporters.push((side, setup(false)?.start()?));
    }
    simulator.stop()?;
    for (_, exporter) in &mut exporters {
        scrape::settled(exporter)?;
    }
    for _ in 0..bench.rounds {
        for (side, exporter) in &exporters {
            samples.add(&SCRAPE, *side, scrape::unchanged(exporter.ops, true)?);
            samples.add(&PLAIN, *side, scrape::unchanged(exporter.ops, false)?);
        }
        for (side, exporter) in &exporters {
            samples.add(&CHANGED, *side, scrape::after_delivery(exporter)?);
        }
    }
    exporters.into_iter().try_for_each(|(_, exporter)| exporter.stop())
}
