//! Programs that `scripts/setup-tests` brings.

use std::path::PathBuf;

/// The path of a tool below `target/test-tools`.
pub fn tool(path: &str) -> PathBuf {
    let found = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/test-tools").join(path);
    assert!(found.exists(), "{} is missing; run scripts/setup-tests first", found.display());
    found
}
