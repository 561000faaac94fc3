//! Scrapes of 100,000 series, beside nginx with the same bytes in a file.

use std::{io::Read, net::SocketAddr, time::Duration};

use flate2::read::GzDecoder;

use super::Scenario;
use crate::{
    Result,
    bench::{Bench, progress},
    exporter::Exporter,
    figure::{Figure, Goal, Side, Unit},
    http,
    load::{Load, Pace},
    nginx::Nginx,
    polled,
    samples::{Samples, median_of},
    simulator::Simulator,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "scrape",
    about: "a scrape of 100,000 series, beside nginx serving a .gz beside a file",
    figures: &[&SERIES, &SCRAPE, &BYTES, &PLAIN, &CHANGED],
    run,
};

const SERIES: Figure =
    Figure { name: "scrape: series", unit: Unit::Count, reference: None, goals: &[], bound: "" };

const SCRAPE: Figure = Figure {
    name: "scrape, gzip",
    unit: Unit::Milliseconds,
    reference: Some("nginx, .gz"),
    goals: &[Goal::RatioAtMost(1.5)],
    bound: "copying bytes that are ready, once the view's version was compressed",
};

const BYTES: Figure = Figure {
    name: "scrape, gzip: bytes",
    unit: Unit::Bytes,
    reference: Some("gzip level 6"),
    goals: &[],
    bound: "",
};

const PLAIN: Figure = Figure {
    name: "scrape, plain",
    unit: Unit::Milliseconds,
    reference: Some("nginx"),
    goals: &[],
    bound: "copying bytes that are ready",
};

const CHANGED: Figure = Figure {
    name: "scrape right after a delivery, gzip",
    unit: Unit::Milliseconds,
    reference: None,
    goals: &[],
    bound: "a round of the projector, rendering and compressing every series",
};

/// A watched user has seven series, so that this makes a few more than 100,000.
pub(super) const USERS: usize = 14_500;

/// Scrapes in a row that make one value.
const SCRAPES: u32 = 7;

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    progress(&format!("polling {USERS} users"));
    let simulator = Simulator::start(bench, USERS)?;
    let mut exporters = Vec::new();
    for (side, binary) in bench.exporters() {
        let folder = bench.new_folder()?;
        polled::run(&polled::setup(binary, &folder, &simulator, true)?)?;
        exporters.push((side, polled::setup(binary, &folder, &simulator, false)?.start()?));
    }
    simulator.stop()?;
    for (side, exporter) in &mut exporters {
        samples.add(&SERIES, *side, settled(exporter)?);
    }
    let (_, first) = exporters.first().ok_or("there is no exporter")?;
    let nginx = Nginx::start(bench, &http::get(first.ops, "/metrics", false)?.ok()?.body)?;
    for _ in 0..bench.rounds {
        for (side, exporter) in &exporters {
            scrape(samples, *side, exporter.ops)?;
        }
        if let Some(nginx) = &nginx {
            scrape(samples, Side::Reference, nginx.address)?;
        }
        for (side, exporter) in &exporters {
            samples.add(&CHANGED, *side, after_delivery(exporter)?);
        }
    }
    exporters.into_iter().try_for_each(|(_, exporter)| exporter.stop())
}

/// Waits until an exporter that was just started is idle, and its view compressed as well as it will
/// be; how many series it shows.
pub(super) fn settled(exporter: &mut Exporter) -> Result<f64> {
    let mut shortest = usize::MAX;
    loop {
        exporter.process.settle(Duration::from_secs(10))?;
        // The first to accept gzip may wait for the compression; what is scraped again is compressed
        // better meanwhile.
        let scrape = http::get(exporter.ops, "/metrics", true)?.ok()?;
        if scrape.body.len() < shortest / 100 * 99 {
            shortest = scrape.body.len();
            continue;
        }
        let text = if scrape.is_gzip { unpacked(&scrape.body)? } else { scrape.body };
        return Ok(count_series(&text));
    }
}

/// Seconds of a scrape of what stays the same meanwhile.
pub(super) fn unchanged(server: SocketAddr, gzip: bool) -> Result<f64> {
    median_of(SCRAPES, || Ok(http::get(server, "/metrics", gzip)?.ok()?.seconds()))
}

fn scrape(samples: &mut Samples, side: Side, server: SocketAddr) -> Result<()> {
    samples.add(&SCRAPE, side, unchanged(server, true)?);
    samples.add(&PLAIN, side, unchanged(server, false)?);
    let packed = http::get(server, "/metrics", true)?.ok()?.body;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    samples.add(&BYTES, side, packed.len() as f64);
    Ok(())
}

/// Seconds of a scrape that begins when a delivery was just acknowledged.
pub(super) fn after_delivery(exporter: &Exporter) -> Result<f64> {
    median_of(SCRAPES, || after_one_delivery(exporter))
}

fn after_one_delivery(exporter: &Exporter) -> Result<f64> {
    let pace = Pace::PerSecond(1.0);
    // At this rate one delivery is sent, at once.
    Load { connections: 1, pace, lasting: Duration::from_millis(500) }.run(&exporter.endpoint())?;
    let seconds = http::get(exporter.ops, "/metrics", true)?.ok()?.seconds();
    std::thread::sleep(Duration::from_millis(300));
    Ok(seconds)
}

fn unpacked(body: &[u8]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    GzDecoder::new(body).read_to_end(&mut text)?;
    Ok(text)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn count_series(text: &[u8]) -> f64 {
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).count() as f64
}
