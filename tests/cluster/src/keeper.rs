//! What cleans up after a cluster, also when the test's process is killed.
//!
//! A shell of its own process group waits for the end of its standard input. The other end is held
//! by the test's process, and closes with it, however that ends. `PR_SET_PDEATHSIG` would not do: it
//! follows the thread that started the server, and a test's thread ends before its process.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Ends every process whose working directory is in the folder `$1`, and removes it. The server is
/// first asked to end at once (SIGQUIT), since it then removes its segment of shared memory itself.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
read -r _
inside() {
    for process in /proc/[0-9]*; do
        case "$(readlink "$process/cwd" 2>/dev/null)" in "$1" | "$1"/*) echo "${process#/proc/}" ;; esac
    done
}
# A paused server takes no other signal.
for process in $(inside "$1"); do kill -CONT "$process" 2>/dev/null; done
read -r server <"$1/data/postmaster.pid" 2>/dev/null && kill -QUIT "$server" 2>/dev/null
tries=0
while running=$(inside "$1") && [ -n "$running" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 50 ]; then kill -KILL $running 2>/dev/null; fi
    sleep 0.05
done
# A server that was killed has left its segment.
segment=$(sed -n '7s/.* //p' "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$segment" ]; then ipcrm -m "$segment" 2>/dev/null; fi
while read -r _ place _; do
    case "$place" in "$1"/*) umount "$place" 2>/dev/null ;; esac
done </proc/mounts
rm -rf "$1"
"#;

/// The folder of a cluster and the shell that removes it.
pub(crate) struct Keeper {
    folder: PathBuf,
    shell: Child,
}

impl Keeper {
    /// Makes a folder, and starts the shell.
    pub(crate) fn start() -> Self {
        // In /tmp: the path of a Unix socket has at most 107 bytes, and `TMPDIR` may be long.
        let folder = TempDir::with_prefix_in("cii-cluster-", "/tmp").expect("a temporary folder");
        let folder = folder.keep().canonicalize().expect("it was just made");
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "cluster-keeper"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What ends the tests' process group leaves it alone.
            .process_group(0)
            .spawn()
            .expect("a shell");
        Self { folder, shell }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// All processes of the cluster.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        processes_in(&self.folder)
    }

    /// Sends a signal to all processes of the cluster.
    pub(crate) fn signal_all(&self, signal: Signal) {
        for process in self.processes() {
            // One that has ended meanwhile is none.
            _ = kill_process(process, signal);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        _ = self.shell.wait();
    }
}

fn processes_in(folder: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    entries
        .filter(|entry| {
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
        })
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}
