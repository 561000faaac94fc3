//! Programs that are measured: started, watched through `/proc`, ended by their id.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::Result;

/// Linux reports CPU time to programs in hundredths of a second on every platform that
/// the exporter is built for (`getconf CLK_TCK`).
const TICKS_A_SECOND: f64 = 100.0;

/// How long a program may take to end before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// Programs that run now, for [`kill_all`].
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A running program; dropping it ends it.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a program with nothing of this environment; its output goes to a file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let name = command.get_program().to_owned();
        let child = command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", name.display()))?;
        if let Ok(mut running) = RUNNING.lock() {
            running.insert(child.id());
        }
        Ok(Self { child })
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Seconds of CPU that it has used so far, in user space and in the kernel.
    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu_of(&self.child.id().to_string())
    }

    /// The memory it occupies now, in bytes.
    pub(crate) fn resident(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// How much of that is no page of a file, in bytes.
    pub(crate) fn anonymous(&self) -> Result<f64> {
        self.status("RssAnon:")
    }

    /// Forgets the peak so far.
    pub(crate) fn reset_peak(&self) -> Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// The most memory it occupied since the start or the last reset, in bytes.
    pub(crate) fn peak_resident(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        Ok(kibibytes.ok_or("/proc/PID/status has another form")?.parse::<f64>()? * 1024.0)
    }

    /// Waits until it has nothing left to do: at most a hundredth of a second of CPU in
    /// half a second, or `limit` has passed.
    pub(crate) fn settle(&mut self, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        let mut before = self.cpu()?;
        while begun.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.cpu()?;
            if now - before < 1.5 / TICKS_A_SECOND {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends it with SIGTERM, and waits for its end.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        signal(self.child.id(), "TERM");
        let begun = Instant::now();
        while self.is_running() {
            if begun.elapsed() > STOP_LIMIT {
                self.child.kill()?;
                self.child.wait()?;
                return Err("a program did not end when told to, and was killed".into());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // On the way out of an error the first error is the one to report.
        let _ = self.end();
        if let Ok(mut running) = RUNNING.lock() {
            running.remove(&self.child.id());
        }
    }
}

/// Seconds of CPU that this program itself has used so far.
pub(crate) fn own_cpu() -> Result<f64> {
    cpu_of("self")
}

fn cpu_of(process: &str) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name stands in parentheses and may contain blanks; utime and stime are the 14th
    // and 15th field of the line, so the 12th and 13th after the name.
    let fields = stat.rsplit_once(')').ok_or("/proc/PID/stat has another form")?.1;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    let (Some(user), Some(system)) = (times.next(), times.next()) else {
        return Err("/proc/PID/stat is too short".into());
    };
    Ok((user? + system?) / TICKS_A_SECOND)
}

/// Kills every program that runs, for when this one is interrupted: nobody needs their
/// databases any more.
pub(crate) fn kill_all() {
    if let Ok(running) = RUNNING.lock() {
        for &id in running.iter() {
            signal(id, "KILL");
        }
    }
}

/// The shell's own `kill`: a slim Debian has no other.
fn signal(id: u32, name: &str) {
    let _ = Command::new("sh").args(["-c", &format!("kill -s {name} {id}")]).status();
}
