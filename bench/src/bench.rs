//! What every scenario works with: the programs, a folder, and for how long to measure.

use std::{
    cell::Cell,
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use crate::{Result, exporter::Setup, figure::Side, http, load::Endpoint, process::Process};

/// What is measured, and what it talks to.
pub(crate) struct Programs {
    pub(crate) exporter: PathBuf,
    pub(crate) baseline: Option<PathBuf>,
    /// The stand-in for the service's API.
    pub(crate) simulator: PathBuf,
}

/// The programs, a folder, and for how long to measure.
pub(crate) struct Bench {
    pub(crate) programs: Programs,
    /// Holds everything that is written; removed by the script that made it.
    pub(crate) folder: PathBuf,
    /// Times that each side is measured.
    pub(crate) rounds: u32,
    /// How long a load lasts.
    pub(crate) lasting: Duration,
    pub(crate) begun: Instant,
    folders: Cell<u32>,
}

/// One of this program's own servers, in a process of its own.
pub(crate) struct LocalServer {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl LocalServer {
    /// Where it takes deliveries.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { address: self.address, path: "/".to_owned(), secret: String::new() }
    }
}

impl Bench {
    /// Works with these programs in this folder.
    pub(crate) fn new(programs: Programs, folder: PathBuf, rounds: u32, lasting: Duration) -> Self {
        let begun = Instant::now();
        Self { programs, folder, rounds, lasting, begun, folders: Cell::new(0) }
    }

    /// The exporters, in the order in which they take turns.
    pub(crate) fn exporters(&self) -> impl Iterator<Item = (Side, &Path)> {
        let baseline = self.programs.baseline.as_deref().map(|path| (Side::Baseline, path));
        [(Side::Exporter, self.programs.exporter.as_path())].into_iter().chain(baseline)
    }

    /// A new, empty folder.
    pub(crate) fn new_folder(&self) -> Result<PathBuf> {
        self.folders.set(self.folders.get() + 1);
        let folder = self.folder.join(self.folders.get().to_string());
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// An exporter with an empty database.
    pub(crate) fn fresh(&self, binary: &Path) -> Result<Setup> {
        Setup::new(binary, &self.new_folder()?)
    }

    /// Starts one of this program's own servers, and waits until it listens.
    pub(crate) fn local_server(&self, name: &str, arguments: &[&str]) -> Result<LocalServer> {
        let address = http::free_address();
        let mut command = Command::new(env::current_exe()?);
        command.arg(name).arg("--listen").arg(address.to_string()).args(arguments);
        let process = Process::start(command, &self.folder.join(format!("{name}.log")))?;
        http::until_listening(address, Duration::from_secs(10))?;
        Ok(LocalServer { process, address })
    }

    /// The bare program with an empty database, which stands at the path that is handed back.
    pub(crate) fn bare(&self, way: &str) -> Result<(LocalServer, PathBuf)> {
        let database = self.new_folder()?.join("bare.db");
        Ok((self.bare_on(&database, way)?, database))
    }

    /// The bare program with this database.
    pub(crate) fn bare_on(&self, database: &Path, way: &str) -> Result<LocalServer> {
        let path = database.display().to_string();
        self.local_server("bare", &["--database", &path, "--way", way])
    }
}

/// Reports the current step on standard error.
pub(crate) fn progress(text: &str) {
    eprintln!("  {text}");
}
