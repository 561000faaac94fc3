//! The programs of PostgreSQL: where they are, and as whom they run.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

/// Debian's `nobody` and `nogroup`. They exist everywhere, and initdb insists on a user that has a
/// name.
const NOBODY: u32 = 65_534;

/// What `scripts/setup-tests` unpacked.
const UNPACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-tools/debian");

struct Programs {
    folder: PathBuf,
    /// Where libraries are looked up that the system may not have; only for unpacked programs.
    libraries: Option<PathBuf>,
}

static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| {
    let unpacked = Path::new(UNPACKED);
    let candidates = versions(&unpacked.join("usr/lib/postgresql"))
        .into_iter()
        .map(|folder| Programs { folder, libraries: unpacked_libraries() })
        .chain(
            versions(Path::new("/usr/lib/postgresql"))
                .into_iter()
                .map(|folder| Programs { folder, libraries: None }),
        );
    // One that cannot be run as the user of the server is passed over: the folder of the
    // repository may be closed to everybody but its owner.
    candidates
        .into_iter()
        .find(|programs| {
            programs
                .command("postgres")
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
        .expect("PostgreSQL is missing; run scripts/setup-tests first")
});

/// The folders of programs of all versions below this one, the newest first.
fn versions(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            let programs = path.join("bin").canonicalize().ok()?;
            programs.join("postgres").exists().then_some((version, programs))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, programs)| programs).collect()
}

/// Debian's folder of libraries, whose name depends on the machine.
fn unpacked_libraries() -> Option<PathBuf> {
    let folder = Path::new(UNPACKED).join("usr/lib");
    fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.file_name().is_some_and(|name| ends_with(name, "-linux-gnu")))?
        .canonicalize()
        .ok()
}

fn ends_with(name: &OsStr, end: &str) -> bool {
    name.to_str().is_some_and(|name| name.ends_with(end))
}

impl Programs {
    fn command(&self, program: &str) -> Command {
        let mut command = as_server_user(&self.folder.join(program));
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// Whether the server needs another user than this process: `postgres` refuses to run as root.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A command that runs as the user of the server, with nothing of this process's environment: the
/// variables `PG…` of whoever runs the tests must not matter.
fn as_server_user(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        let id = NOBODY.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

/// A program of PostgreSQL, such as `psql` or `pg_dump`, that runs as the user of the servers and
/// with an environment of its own.
pub fn program(name: &str) -> Command {
    PROGRAMS.command(name)
}

/// `PgBouncer`, as the user of the servers.
pub(crate) fn pooler() -> Command {
    let unpacked = Path::new(UNPACKED).join("usr/sbin/pgbouncer");
    match (unpacked.canonicalize(), unpacked_libraries()) {
        (Ok(program), Some(libraries)) => {
            let mut command = as_server_user(&program);
            command.env("LD_LIBRARY_PATH", libraries);
            command
        }
        _ => as_server_user(Path::new("/usr/sbin/pgbouncer")),
    }
}

/// Hands a file or folder over to the user of the servers.
pub(crate) fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
    }
}

/// Runs a command to its end, and returns its standard output. Panics with what it said when it
/// fails.
pub(crate) fn run(command: &mut Command) -> String {
    try_run(command).unwrap_or_else(|error| panic!("{command:?} failed: {error}"))
}

/// Runs a command to its end, and returns its standard output.
///
/// # Errors
///
/// What it wrote to standard error, when it failed.
pub(crate) fn try_run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
    }
}
