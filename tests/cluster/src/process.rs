//! The server's process: its start, its ends, and when it answers.

use std::{
    fs::File,
    os::unix::process::CommandExt,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    keeper::Keeper,
    programs::{program, try_run},
};

/// Far longer than anything takes, so that only a defect reaches it.
const PATIENCE: Duration = Duration::from_mins(3);

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ends open sessions, writes a checkpoint, and ends (SIGINT).
    Fast,
    /// Ends at once, and recovers at the next start (SIGQUIT).
    Immediate,
}

/// Asks again and again until it is so; panics with what was awaited when it never is.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Starts `postgres`, and waits until it takes connections.
///
/// # Errors
///
/// What its log says, when it ends instead.
pub(crate) fn start(keeper: &Keeper, port: u16) -> Result<Child, String> {
    let log_path = keeper.folder().join("log");
    let log = File::options().create(true).append(true).open(log_path).expect("writable");
    let mut child = program("postgres")
        .arg("-D")
        .arg(keeper.folder().join("data"))
        .args(["-p", &port.to_string()])
        .current_dir(keeper.folder())
        .stdout(Stdio::null())
        .stderr(log)
        // What ends the tests' process group must not end a server that a test wants to stop.
        .process_group(0)
        .spawn()
        .expect("the programs were found");
    let begun = Instant::now();
    while !is_ready(keeper, port) {
        if child.try_wait().expect("a child").is_some() {
            return Err(log_of(keeper));
        }
        assert!(begun.elapsed() < PATIENCE, "the server never answers: {}", log_of(keeper));
        thread::sleep(Duration::from_millis(20));
    }
    Ok(child)
}

fn is_ready(keeper: &Keeper, port: u16) -> bool {
    let mut command = program("pg_isready");
    command.arg("-q").arg("-h").arg(keeper.folder()).args(["-p", &port.to_string()]);
    try_run(&mut command).is_ok()
}

/// What the server has logged so far.
pub(crate) fn log_of(keeper: &Keeper) -> String {
    std::fs::read_to_string(keeper.folder().join("log")).unwrap_or_default()
}

/// Stops a server, and waits until all its processes have ended.
pub(crate) fn stop(keeper: &Keeper, mut child: Child, how: Stop) {
    let signal = match how {
        Stop::Fast => Signal::INT,
        Stop::Immediate => Signal::QUIT,
    };
    // `setpriv` becomes the server (exec), so that the child is it.
    kill_process(Pid::from_child(&child), signal).expect("it runs");
    child.wait().expect("a child");
    wait_until("the server's processes end", || keeper.processes().is_empty());
}

/// Kills all processes of the server at once, as the end of its machine does.
pub(crate) fn kill(keeper: &Keeper, mut child: Child) {
    // The first is the server itself, so that it starts no process while the others are looked for.
    kill_process(Pid::from_child(&child), Signal::KILL).expect("it runs");
    keeper.signal_all(Signal::KILL);
    child.wait().expect("a child");
    wait_until("the server's processes end", || keeper.processes().is_empty());
}
