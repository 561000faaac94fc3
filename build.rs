//! Tells the build which commit and which compiler it is made of.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to a build script in variables")]

use std::{path::Path, process::Command};

/// Changes with every commit.
const HEAD_LOG: &str = ".git/logs/HEAD";

fn main() {
    let revision = output("git", &["rev-parse", "--short=12", "HEAD"]);
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version =
        output(&rustc, &["--version"]).and_then(|text| text.split(' ').nth(1).map(str::to_owned));
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    // A build without git, such as a container's, can name the commit itself.
    let revision = std::env::var("CII_EXPORTER_REVISION").ok().or(revision);
    println!("cargo:rustc-env=CII_EXPORTER_REVISION={}", or_unknown(revision));
    println!("cargo:rustc-env=CII_EXPORTER_RUST_VERSION={}", or_unknown(version));
    println!("cargo:rerun-if-env-changed=CII_EXPORTER_REVISION");
    println!("cargo:rerun-if-changed=build.rs");
    // Named only when it exists: a missing file would mean a rebuild each time.
    if Path::new(HEAD_LOG).exists() {
        println!("cargo:rerun-if-changed={HEAD_LOG}");
    }
}

/// What a command prints, when it can be run and succeeds.
fn output(command: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(command).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned()).filter(|text| !text.is_empty())
}
