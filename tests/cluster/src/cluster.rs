//! One server.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Child,
    sync::{
        LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    Options, Stop,
    keeper::Keeper,
    port::free_port,
    process,
    programs::{give_away, program, run, try_run},
};

/// Small, and with room for what tests do: standbys, prepared transactions of none, many clients.
const SETTINGS: [(&str, &str); 8] = [
    ("max_connections", "200"),
    ("shared_buffers", "64MB"),
    ("jit", "off"),
    ("wal_level", "replica"),
    // A standby that is stopped for some time still finds what it missed.
    ("wal_keep_size", "256MB"),
    ("max_wal_size", "256MB"),
    ("log_min_messages", "log"),
    ("log_line_prefix", "'%m [%p] %d %a '"),
];

static SHARED: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(&Options::fast()));

/// A PostgreSQL server in a folder of its own, which goes with this value.
pub struct Cluster {
    // Before the keeper, which ends what still runs.
    child: Mutex<Option<Child>>,
    keeper: Keeper,
    port: u16,
    databases: AtomicU32,
}

impl Cluster {
    /// Creates a server, starts it, and waits until it takes connections.
    #[must_use]
    pub fn start(options: &Options) -> Self {
        let keeper = Keeper::start();
        give_away(keeper.folder());
        run(program("initdb")
            .args(["--no-sync", "--username=postgres", "--auth=trust"])
            .args(["--encoding=UTF8", "--locale=C", "-D"])
            .arg(keeper.folder().join("data"))
            .current_dir(keeper.folder()));
        Self::in_folder(keeper, options).start_first()
    }

    /// The server that all tests of this process share; its files are not synced. It ends with the
    /// process. Whoever stops it, or changes its settings, starts one of their own.
    #[must_use]
    pub fn shared() -> &'static Self {
        &SHARED
    }

    /// A server whose data folder is there and whose configuration is not.
    pub(crate) fn in_folder(keeper: Keeper, options: &Options) -> Self {
        let cluster = Self {
            child: Mutex::new(None),
            keeper,
            port: free_port(),
            databases: AtomicU32::new(0),
        };
        for (name, content) in &options.files {
            cluster.write_file(name, content);
        }
        let mut settings = String::new();
        let set = SETTINGS.iter().map(|(name, value)| (*name, *value));
        let chosen = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in set.chain(chosen) {
            let value = value.trim_matches('\'').replace('\'', "''");
            writeln!(settings, "{name} = '{value}'").expect("a string");
        }
        writeln!(settings, "listen_addresses = '127.0.0.1'").expect("a string");
        writeln!(settings, "unix_socket_directories = '{}'", cluster.folder().display())
            .expect("a string");
        cluster.write_file("postgresql.conf", &settings);
        let everybody = "host all all 127.0.0.1/32 trust\n";
        let access = format!(
            "local all all trust\nlocal replication postgres trust\n\
             host replication postgres 127.0.0.1/32 trust\n{}\n",
            options.access.as_deref().unwrap_or(everybody)
        );
        cluster.write_file("pg_hba.conf", &access);
        cluster
    }

    /// Starts it, on another port where somebody took this one since it was found to be free.
    pub(crate) fn start_first(mut self) -> Self {
        for _ in 0..5 {
            match process::start(&self.keeper, self.port) {
                Ok(child) => {
                    *self.child() = Some(child);
                    return self;
                }
                Err(log) if log.contains("Address already in use") => self.port = free_port(),
                Err(log) => panic!("the server does not start: {log}"),
            }
        }
        panic!("no port stays free")
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// The port, on 127.0.0.1. It stays the same when the server is started again.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with the socket, the log and the data.
    pub fn folder(&self) -> &Path {
        self.keeper.folder()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The URL of a database by loopback, as the superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a database by the Unix socket, as the superuser.
    pub fn socket_url(&self, database: &str) -> String {
        let folder = self.folder().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}:{}/{database}", self.port)
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        process::log_of(&self.keeper)
    }

    /// Stops the server. Does nothing when it does not run.
    pub fn stop(&self, how: Stop) {
        if let Some(child) = self.child().take() {
            process::stop(&self.keeper, child, how);
        }
    }

    /// Kills all processes of the server at once, as the end of its machine does.
    pub fn kill(&self) {
        if let Some(child) = self.child().take() {
            process::kill(&self.keeper, child);
        }
    }

    /// Starts the server again, on the same port, and waits until it takes connections.
    pub fn start_again(&self) {
        let mut child = self.child();
        assert!(child.is_none(), "it runs");
        match process::start(&self.keeper, self.port) {
            Ok(started) => *child = Some(started),
            Err(log) => panic!("the server does not start: {log}"),
        }
    }

    /// Stops the server and starts it again.
    pub fn restart(&self, how: Stop) {
        self.stop(how);
        self.start_again();
    }

    /// Writes a file of the data folder, readable by the server alone. [`Cluster::reload`] makes the
    /// server read its configuration.
    pub fn write_file(&self, name: &str, content: &str) {
        let path = self.data().join(name);
        fs::write(&path, content).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        give_away(&path);
    }

    /// Sets something for the whole server, also for sessions that are open, and after a restart.
    pub fn set(&self, name: &str, value: &str) {
        let value = value.replace('\'', "''");
        self.sql("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"));
        self.reload();
    }

    /// Makes the server read its configuration again.
    pub fn reload(&self) {
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Runs statements in a database as the superuser, by the socket. Returns the rows, a line each,
    /// with `|` between columns.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        self.try_sql(database, statements)
            .unwrap_or_else(|error| panic!("{statements} failed: {error}"))
    }

    /// As [`Cluster::sql`].
    ///
    /// # Errors
    ///
    /// What the server said.
    pub fn try_sql(&self, database: &str, statements: &str) -> Result<String, String> {
        try_run(
            program("psql")
                .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"])
                .arg(self.folder())
                .args(["-p", &self.port.to_string(), "-d", database, "-c", statements])
                .current_dir("/"),
        )
    }

    pub(crate) fn next_database(&self) -> u32 {
        self.databases.fetch_add(1, Ordering::Relaxed)
    }
}
