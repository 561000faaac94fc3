//! Scrapes with the series of 10,000 watched users, beside nginx with the same bytes in a file.

use std::{io::Read, time::Duration};

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
    samples::Samples,
    simulator::Simulator,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "scrape",
    about: "a scrape of the series of 10,000 watched users, beside nginx serving a .gz",
    figures: &[&SERIES, &SCRAPE, &BYTES, &PLAIN, &CHANGED],
    run,
};

const SERIES: Figure = Figure {
    name: "series of 10,000 watched users",
    unit: Unit::Count,
    reference: None,
    goals: &[],
    bound: "",
};

const SCRAPE: Figure = Figure {
    name: "scrape, gzip accepted",
    unit: Unit::Milliseconds,
    reference: Some("nginx, .gz"),
    goals: &[Goal::RatioAtMost(1.5)],
    bound: "copying bytes that are ready, once the view's version was compressed",
};

const BYTES: Figure = Figure {
    name: "… bytes sent",
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
    name: "scrape right after a delivery, gzip accepted",
    unit: Unit::Milliseconds,
    reference: None,
    goals: &[],
    bound: "a round of the projector, rendering and compressing every series",
};

/// Scrapes of each side, in turns.
const SCRAPES: u32 = 21;

fn run(bench: &Bench, samples: &mut Samples) -> Result<()> {
    progress("starting the simulator");
    let simulator = Simulator::start(bench, polled::USERS)?;
    let mut exporters = Vec::new();
    for (side, binary) in bench.exporters() {
        if !polled::is_filled(bench, side) {
            polled::run(&polled::setup(bench, side, binary, &simulator, true)?)?;
        }
        let exporter = polled::setup(bench, side, binary, &simulator, false)?.start()?;
        exporters.push((side, exporter));
    }
    simulator.stop()?;
    for (side, exporter) in &mut exporters {
        exporter.process.settle(Duration::from_secs(10))?;
        // What was never asked for may not be compressed yet.
        let first = http::get(exporter.ops, "/metrics", true)?.ok()?;
        let text = if first.is_gzip { unpacked(&first.body)? } else { first.body };
        samples.add(&SERIES, *side, count_series(&text));
    }
    let (_, first) = exporters.first().ok_or("there is no exporter")?;
    let nginx = Nginx::start(bench, &http::get(first.ops, "/metrics", false)?.ok()?.body)?;
    for _ in 0..SCRAPES {
        for (side, exporter) in &exporters {
            let packed = http::get(exporter.ops, "/metrics", true)?.ok()?;
            samples.add(&SCRAPE, *side, packed.seconds());
            samples.add(&BYTES, *side, bytes(&packed.body));
            samples.add(&PLAIN, *side, http::get(exporter.ops, "/metrics", false)?.ok()?.seconds());
        }
        if let Some(nginx) = &nginx {
            let packed = http::get(nginx.address, "/metrics", true)?.ok()?;
            samples.add(&SCRAPE, Side::Reference, packed.seconds());
            samples.add(&BYTES, Side::Reference, bytes(&packed.body));
            let plain = http::get(nginx.address, "/metrics", false)?.ok()?;
            samples.add(&PLAIN, Side::Reference, plain.seconds());
        }
    }
    for _ in 0..5 {
        for (side, exporter) in &exporters {
            samples.add(&CHANGED, *side, after_delivery(exporter)?);
        }
    }
    exporters.into_iter().try_for_each(|(_, exporter)| exporter.stop())
}

/// Seconds of a scrape that begins when a delivery was just acknowledged.
fn after_delivery(exporter: &Exporter) -> Result<f64> {
    let pace = Pace::PerSecond(1.0);
    // At this rate one delivery is sent, at once.
    Load { connections: 1, pace, lasting: Duration::from_millis(500) }.run(&exporter.door())?;
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
fn bytes(body: &[u8]) -> f64 {
    body.len() as f64
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn count_series(text: &[u8]) -> f64 {
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).count() as f64
}
