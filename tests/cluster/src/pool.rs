//! `PgBouncer` before a server.

use std::{
    fs::File,
    net::TcpStream,
    os::unix::process::CommandExt,
    process::{Child, Stdio},
};

use crate::{
    Cluster,
    keeper::Keeper,
    port::free_port,
    process::wait_until,
    programs::{give_away, pooler},
};

/// A pool that gives each transaction whichever session is free. It ends with this value, and with
/// the process.
pub struct Pool {
    child: Child,
    // Behind what it ends with the test's process.
    _keeper: Keeper,
    port: u16,
}

impl Cluster {
    /// Starts `PgBouncer` in transaction mode before this server, and waits until it takes
    /// connections. A database gets a few sessions at most, so that they are shared.
    #[must_use]
    pub fn pool(&self) -> Pool {
        let port = free_port();
        let keeper = Keeper::start();
        let folder = keeper.folder().to_owned();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n\
             max_client_conn = 500\nserver_idle_timeout = 5\n",
            self.port()
        );
        let path = folder.join("pgbouncer.ini");
        std::fs::write(&path, settings).expect("writable");
        give_away(&path);
        give_away(&folder);
        let log = File::create(folder.join("log")).expect("writable");
        let child = pooler()
            .arg(&path)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("PgBouncer is missing; run scripts/setup-tests first");
        wait_until("the pool takes connections", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Pool { child, _keeper: keeper, port }
    }
}

impl Pool {
    /// The URL of a database behind it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
