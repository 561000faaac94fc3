//! A disk that fails on command: a shim between the daemon and the C library.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::shim::shim;

/// The faults of one database's disk; none at first.
pub struct Disk {
    control: PathBuf,
    prefix: PathBuf,
}

impl Disk {
    /// The disk of the files that begin with this path.
    pub fn of(database: &Path) -> Self {
        Self { control: database.with_extension("faults"), prefix: database.to_owned() }
    }

    /// What the daemon is started with, so that its calls come by.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        [
            ("LD_PRELOAD", text(&shim("faults"))),
            ("FAULTS_CONTROL", text(&self.control)),
            ("FAULTS_PATH", text(&self.prefix)),
        ]
    }

    /// From now on these calls fail; the source of the shim says how they are written.
    pub fn fail(&self, faults: &str) {
        // Moved into place, so that nobody reads half of it.
        let new = self.control.with_extension("faults.new");
        fs::write(&new, faults).expect("writable");
        fs::rename(&new, &self.control).expect("the same folder");
    }

    /// Nothing fails any more.
    pub fn recover(&self) {
        fs::remove_file(&self.control).expect("there are faults");
    }

    /// How many calls failed.
    pub fn hits(&self) -> u64 {
        let hits = self.control.with_extension("faults.hits");
        fs::metadata(hits).map_or(0, |hits| hits.len())
    }
}
