//! Standbys that stream from a server, and take its place.

use crate::{
    Cluster, Options,
    keeper::Keeper,
    process::wait_until,
    programs::{give_away, program, run},
};

/// What a commit on the primary waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// This standby has written it to its disk, or applied it: the primary's `synchronous_commit`
    /// says which.
    Synchronous,
    /// Nothing of this standby.
    Asynchronous,
}

impl Cluster {
    /// Copies this server into a standby of the given name, and waits until it streams. A
    /// synchronous one becomes the primary's `synchronous_standby_names`.
    #[must_use]
    pub fn standby(&self, name: &str, replication: Replication, options: &Options) -> Self {
        let keeper = Keeper::start();
        give_away(keeper.folder());
        run(program("pg_basebackup")
            .args(["--no-sync", "--checkpoint=fast", "--wal-method=stream", "-U", "postgres", "-h"])
            .arg(self.folder())
            .args(["-p", &self.port().to_string(), "-D"])
            .arg(keeper.folder().join("data"))
            .current_dir(keeper.folder()));
        let primary =
            format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port());
        let standby = Self::in_folder(
            keeper,
            &options.clone().set("primary_conninfo", &primary).set("cluster_name", name),
        );
        // What the primary was set by ALTER SYSTEM is not the standby's: it would wait for itself.
        standby.write_file("postgresql.auto.conf", "");
        standby.write_file("standby.signal", "");
        let standby = standby.start_first();
        let mut wanted = "streaming|async";
        if replication == Replication::Synchronous {
            self.set("synchronous_standby_names", name);
            wanted = "streaming|sync";
        }
        let state = format!(
            "SELECT state, sync_state FROM pg_stat_replication WHERE application_name = '{name}'"
        );
        wait_until("the standby streams", || self.sql("postgres", &state) == wanted);
        standby
    }

    /// Makes commits wait for a standby that is not there, and returns once they do: sessions read a
    /// setting before the process that lets commits wait has.
    pub fn miss_a_standby(&self) {
        self.set("synchronous_standby_names", "nobody");
        let end = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
            WHERE wait_event = 'SyncRep'";
        wait_until("a commit waits for the standby", || {
            std::thread::scope(|scope| {
                let probe = "SELECT pg_logical_emit_message(true, 'probe', '')";
                let commit = scope.spawn(|| self.sql("postgres", probe));
                let mut has_waited = false;
                while !commit.is_finished() {
                    has_waited |= self.sql("postgres", end) != "0";
                }
                has_waited
            })
        });
    }

    /// Lets commits wait for nobody any more.
    pub fn miss_no_standby(&self) {
        self.set("synchronous_standby_names", "");
    }

    /// Makes a standby a primary, and waits until it takes writes.
    pub fn promote(&self) {
        self.sql("postgres", "SELECT pg_promote(wait => true, wait_seconds => 180)");
    }

    /// Whether this is a standby.
    pub fn is_standby(&self) -> bool {
        self.sql("postgres", "SELECT pg_is_in_recovery()") == "t"
    }
}
