//! A disk that fails on command: a shim between the daemon and the C library.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shim/faults.c");

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
            ("LD_PRELOAD", text(shim())),
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

/// Builds the shim, once.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (library, new) =
            (folder.join("faults.so"), folder.join(format!("faults.{}", std::process::id())));
        let built = Command::new("cc")
            .args(["-Wall", "-O1", "-shared", "-fPIC", SOURCE, "-ldl", "-o"])
            .arg(&new)
            .output()
            .expect("cc is there, since SQLite is built from its source");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        // Another run of the tests may be using the one that is there.
        fs::rename(&new, &library).expect("the same folder");
        library
    })
}
