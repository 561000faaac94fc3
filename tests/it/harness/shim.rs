//! Libraries that stand between a program and the C library, so that a test can say what the
//! machine does.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// The library of this source in `tests/shim`. Each is built once a process.
pub fn shim(name: &'static str) -> PathBuf {
    static BUILT: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join(format!("{name}.so"));
    let mut built = BUILT.lock().expect("no panic");
    if built.insert(name) {
        let new = folder.join(format!("{name}.{}", std::process::id()));
        let source = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shim/{}.c"), name);
        let output = Command::new("cc")
            .args(["-Wall", "-O1", "-shared", "-fPIC", &source, "-ldl", "-o"])
            .arg(&new)
            .output()
            .expect("cc is there, since SQLite is built from its source");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Another run of the tests may be using the one that is there.
        fs::rename(&new, &library).expect("the same folder");
    }
    library
}
