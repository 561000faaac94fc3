//! The stand-in for the service's API, as a process of its own.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{Result, bench::Bench, http, process::Process};

/// How long it may take to make its tenant.
const START_LIMIT: Duration = Duration::from_mins(1);

/// A running simulator; dropping it ends it.
pub(crate) struct Simulator {
    process: Process,
    address: SocketAddr,
    /// The table `[api]` that reaches it.
    pub(crate) api: String,
}

impl Simulator {
    /// Starts one with so many users, and waits until it answers.
    pub(crate) fn start(bench: &Bench, users: usize) -> Result<Self> {
        let address = http::free_address();
        let log = bench.new_folder()?.join("simulator.log");
        let mut command = Command::new(&bench.programs.simulator);
        command.args(["--listen", &address.to_string(), "--users", &users.to_string()]);
        let process = Process::start(command, &log)?;
        // It prints its URLs when the tenant is made, and listens a moment before.
        let printed = until_printed(&log)?;
        let url = |name: &str| {
            let line = printed.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim).ok_or("the simulator did not print its URLs")
        };
        // The limit must not be what is measured.
        let api = format!(
            "[api]\nurl = \"{}\"\ntoken_url = \"{}\"\nclient_id = \"simulator-client\"\n\
             client_secret = \"simulator-secret\"\nrequests_per_minute = 100000\n",
            url("GraphQL ")?,
            url("token ")?
        );
        Ok(Self { process, address, api })
    }

    /// The logins of its users.
    pub(crate) fn logins(&self) -> Result<Vec<String>> {
        let state = http::get(self.address, "/_simulator/state", false)?.ok()?;
        let mut state: Value = serde_json::from_slice(&state.body)?;
        Ok(serde_json::from_value(state["users"].take())?)
    }

    /// Ends it.
    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}

/// What it printed, once that is everything.
fn until_printed(log: &Path) -> Result<String> {
    let begun = Instant::now();
    loop {
        let printed = fs::read_to_string(log)?;
        if printed.contains("\ncontrols ") {
            return Ok(printed);
        }
        if begun.elapsed() > START_LIMIT {
            return Err(format!("the simulator did not start: {printed}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
