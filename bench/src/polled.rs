//! Databases with the answers about many watched users, and what filling them cost.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    Result,
    exporter::{Exporter, Setup},
    http,
    simulator::Simulator,
};

/// How long a run over all users may take.
const RUN_LIMIT: Duration = Duration::from_mins(3);

/// What a run over all users cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Seconds of CPU, the start of the process included.
    pub(crate) cpu: f64,
    pub(crate) commits: f64,
    pub(crate) peak_resident: f64,
}

/// Only the job `users` runs, once at each start; in the table `[sync]` nothing else is on.
fn tables(simulator: &Simulator, runs: bool) -> Result<String> {
    let users = serde_json::to_string(&simulator.logins()?)?;
    Ok(format!(
        "{}[watch]\nusers = {users}\nmax_users = 100000\n\
         [sync]\nspread = false\njitter_seconds = 0\n\
         [sync.users]\nschedule = \"0 0 0 1 1 *\"\non_start = {runs}\n\
         [sync.ips]\nschedule = \"0 0 0 1 1 *\"\non_start = false\n\
         [sync.tenant]\nenabled = false\n[sync.service]\nenabled = false\n",
        simulator.api
    ))
}

/// A server with a database in this folder that watches all users of the simulator, and polls
/// them at its start or not at all.
pub(crate) fn setup(
    binary: &Path,
    folder: &Path,
    simulator: &Simulator,
    runs: bool,
) -> Result<Setup> {
    Ok(Setup::new(binary, folder)?.tables(&tables(simulator, runs)?))
}

/// Starts a server, and waits until its run over all users is over and shown.
pub(crate) fn run(setup: &Setup) -> Result<Run> {
    let mut exporter = setup.start()?;
    let begun = Instant::now();
    while !has_succeeded(&exporter)? {
        if begun.elapsed() > RUN_LIMIT {
            return Err("the job \"users\" did not succeed in time".into());
        }
        // Each look costs the exporter something; these are few.
        std::thread::sleep(Duration::from_millis(250));
    }
    exporter.process.settle(Duration::from_mins(1))?;
    // Before the scrape, which is work, too.
    let (cpu, peak_resident) = (exporter.process.cpu()?, exporter.process.peak_resident()?);
    let commits = metric(&exporter, "cii_store_commits_total")?;
    exporter.stop()?;
    Ok(Run { cpu, commits, peak_resident })
}

/// Whether the job `users` succeeded since this process started.
fn has_succeeded(exporter: &Exporter) -> Result<bool> {
    let answer = http::get(exporter.ops, "/api/v1/jobs", false)?.ok()?;
    let state: Value = serde_json::from_slice(&answer.body)?;
    let job = state["jobs"].as_array().into_iter().flatten().find(|job| {
        // Older versions call it a job, newer ones may call it a task.
        job["job"] == "users" || job["task"] == "users"
    });
    let Some(job) = job else { return Ok(false) };
    if job["state"] == "failed" {
        return Err(format!("the job \"users\" failed: {}", job["reason"]).into());
    }
    let moment = |key: &str| {
        job[key].as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok())
    };
    Ok(moment("last_success_at").is_some_and(|at| at > exporter.started_at))
}

fn metric(exporter: &Exporter, name: &str) -> Result<f64> {
    let answer = http::get(exporter.ops, "/metrics", false)?.ok()?;
    let text = String::from_utf8(answer.body)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.ok_or_else(|| format!("there is no metric {name}"))?.parse()?)
}
