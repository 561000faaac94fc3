//! Runs every target on its corpus, and on mutations of that.
//!
//! The budget is a number of inputs, so that a slow machine runs the same. To run more:
//! `PROPTEST_CASES=100000 cargo test --lib fuzz::`.

mod mutation;

use std::{collections::BTreeSet, fs, path::Path};

use proptest::{prelude::*, test_runner::TestRunner};

use super::{TARGETS, Target};
use mutation::Material;

/// Inputs of a target per case of proptest, which has 256 by default.
const INPUTS_A_CASE: u32 = 8;

/// Maximum bytes of a mutated input.
const MAX_BYTES: usize = 16 * 1024;

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn fuzz(name: &str) {
    fuzz_with(name, INPUTS_A_CASE);
}

fn fuzz_with(name: &str, inputs_a_case: u32) {
    let Target { check, .. } = TARGETS.into_iter().find(|target| target.name == name).unwrap();
    let corpus = files(&folder("corpus").join(name));
    for (path, input) in &corpus {
        // Shown only when the test fails.
        println!("{path}");
        check(input);
    }
    let words = fs::read_to_string(folder("dictionary").join(format!("{name}.dict"))).unwrap();
    let material = Material::new(corpus.into_iter().map(|(_, input)| input).collect(), &words);
    let config = ProptestConfig::default();
    let cases = config.cases.saturating_mul(inputs_a_case);
    // Failing inputs are added to the corpus, where libFuzzer finds them, too.
    let config = ProptestConfig { cases, failure_persistence: None, ..config };
    let ended = TestRunner::new(config).run(&mutation::plan(), |plan| {
        let mut input = material.mutated(&plan);
        input.truncate(MAX_BYTES);
        println!("{}", input.escape_ascii());
        check(&input);
        Ok(())
    });
    if let Err(error) = ended {
        panic!("the last line above is the smallest input; keep it in fuzz/corpus/{name}: {error}");
    }
}

#[test]
fn every_target_has_its_files() {
    let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let stems = |name: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    for name in ["corpus", "dictionary", "fuzz_targets"] {
        assert_eq!(stems(name), names, "fuzz/{name}");
    }
    let manifest: toml::Table = fs::read_to_string(folder("Cargo.toml")).unwrap().parse().unwrap();
    let bins: BTreeSet<_> = manifest["bin"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| bin["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(bins, names, "fuzz/Cargo.toml");
}

#[test]
fn answer() {
    fuzz("answer");
}

#[test]
fn collector() {
    fuzz("collector");
}

#[test]
fn configuration() {
    // Its schedules are computed for years ahead, which takes several milliseconds an input.
    fuzz_with("configuration", 2);
}

#[test]
fn delivery() {
    fuzz("delivery");
}

#[test]
fn headers() {
    fuzz("headers");
}

#[test]
fn packed() {
    fuzz("packed");
}

#[test]
fn request() {
    /// Stops the daemon even when an input fails.
    struct Stop;

    impl Drop for Stop {
        fn drop(&mut self) {
            super::stop();
        }
    }

    let _stop = Stop;
    fuzz("request");
}

#[test]
fn times() {
    fuzz("times");
}
