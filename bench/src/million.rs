//! Databases with a million events, filled through the webhook so that they work for any version
//! of the store.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    Result,
    bench::{Bench, progress},
    exporter::Setup,
    figure::Side,
    load::{large, send_at_once},
};

const DELIVERIES: u64 = 200;
const USERS: u64 = 5_000;

/// Deliveries in flight. With more, some may wait longer than the exporter lets a sender wait.
const AT_ONCE: u64 = 4;

/// An exporter with such a database and without a collector. From its start on, no event that is
/// there already waits for one.
pub(crate) fn without_collector(bench: &Bench, side: Side, binary: &Path) -> Result<Setup> {
    ensure_seeded(bench, side, binary)?;
    Setup::new(binary, &folder(bench, side))
}

/// An exporter with such a database whose collector is down.
pub(crate) fn with_collector_down(bench: &Bench, side: Side, binary: &Path) -> Result<Setup> {
    with_collector(bench, side, binary, nobody())
}

/// An exporter with such a database that sends the events that are still pending.
pub(crate) fn with_collector(
    bench: &Bench,
    side: Side,
    binary: &Path,
    collector: SocketAddr,
) -> Result<Setup> {
    ensure_seeded(bench, side, binary)?;
    Ok(sending(Setup::new(binary, &folder(bench, side))?, collector))
}

fn sending(setup: Setup, collector: SocketAddr) -> Setup {
    setup.tables(&format!("[otlp]\nendpoint = \"http://{collector}\"\n"))
}

/// The port of the discard protocol, where nothing listens.
fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

fn folder(bench: &Bench, side: Side) -> PathBuf {
    bench.folder.join(format!("million-{}", side.as_str()))
}

/// Fills the database unless that was done: 200 deliveries of 5,000 users, all of them new.
fn ensure_seeded(bench: &Bench, side: Side, binary: &Path) -> Result<()> {
    let folder = folder(bench, side);
    if folder.exists() {
        return Ok(());
    }
    let begun = Instant::now();
    // With a collector that is down from the start, so that all events are pending.
    let setup = sending(Setup::new(binary, &folder)?, nobody());
    let mut exporter = setup.start()?;
    for _ in 0..DELIVERIES / AT_ONCE {
        let bodies = (0..AT_ONCE).map(|_| large(USERS)).collect();
        let outcome = send_at_once(&exporter.endpoint(), bodies)?;
        if outcome.refused > 0.0 {
            return Err("a delivery of the million events was refused".into());
        }
    }
    exporter.process.settle(Duration::from_secs(30))?;
    exporter.stop()?;
    progress(&format!(
        "seeded a million events for the {} in {:.0} s: {} MiB",
        side.as_str(),
        begun.elapsed().as_secs_f64(),
        fs::metadata(setup.database())?.len() >> 20
    ));
    Ok(())
}
