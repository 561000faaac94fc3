//! The order of the rooms: imports point downwards only, siblings never import each
//! other, and neither rooms nor the files of a room go in a circle.

mod circles;
mod source;
mod tests_in;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use circles::{Graph, circles};
use source::{Crate, Module};

/// The rooms of the library, from the ground up.
const LIBRARY: [&[&str]; 7] = [
    &["domain", "blocking", "build_info", "meter", "throttle"],
    &["config", "clock"],
    &["ledger"],
    &["cii", "store"],
    &["ingest", "sync", "delivery", "metrics"],
    &["web"],
    &["daemon"],
];

/// Those of the binary, which stand above all of the library.
const BINARY: [&[&str]; 2] = [&["exit", "logging"], &["commands"]];

/// What those that only decide do not name: neither input and output, nor the form in
/// which something is stored or sent.
const IMPURE: [&str; 8] =
    ["tokio", "async ", "std::fs", "std::net::Tcp", "reqwest", "rusqlite", "serde", "Serialize"];

/// What goes on beside its caller, by the words that start it, and where these may stand: tasks
/// in the daemon; threads, and a runtime for connections, in the store; work that blocks in one
/// file, whose callers do not lose a panic. The binary is above all of these.
const STARTS: [(&str, &[&str]); 10] = [
    ("spawn(", &["daemon/", "store/"]),
    ("tokio::spawn", &["daemon/"]),
    ("task::spawn(", &["daemon/"]),
    ("spawn_local", &[]),
    ("JoinSet", &["daemon/", "store/postgres/"]),
    ("runtime::", &["store/postgres/io.rs"]),
    ("spawn_blocking", &["blocking.rs"]),
    ("thread::spawn", &["store/"]),
    ("thread::Builder", &["store/"]),
    ("thread::scope", &["store/"]),
];

/// Rooms that import the domain alone, whatever else is below them.
const PURE: [&str; 3] = ["config", "clock", "ledger"];

#[test]
fn imports_point_downwards_only() {
    for (name, layers) in [("lib.rs", LIBRARY.as_slice()), ("main.rs", &BINARY)] {
        let source = read(name);
        let rank = |room: &str| layers.iter().position(|layer| layer.contains(&room));
        let named: BTreeSet<_> = layers.concat().into_iter().map(str::to_owned).collect();
        let strangers: BTreeSet<_> = source.rooms().symmetric_difference(&named).cloned().collect();
        assert!(strangers.is_empty(), "either of {name} or of its layers: {strangers:?}");
        for (from, to) in source.uses() {
            // What the root itself names are its modules.
            let (Some(room), Some(imported)) = (from.first(), to.first()) else { continue };
            let is_allowed = room == imported
                || (rank(imported) < rank(room)
                    && (imported == "domain" || !PURE.contains(&room.as_str())));
            assert!(is_allowed, "{}: `{room}` must not import `{imported}`", from.join("::"));
        }
    }
}

#[test]
fn the_files_of_a_room_go_in_no_circle() {
    let graphs: Vec<_> =
        ["lib.rs", "main.rs"].into_iter().flat_map(|name| folders(&read(name))).collect();
    let found: BTreeSet<_> = graphs.iter().flat_map(circles).collect();
    assert!(found.is_empty(), "{}", told(&found, &graphs));
}

/// For each folder, which of its files and folders use which others of it.
///
/// A folder's `mod.rs` is the folder: its children may use what it defines, and it what
/// they define, as Rust's modules do. Between the children the order must be plain.
fn folders(source: &Crate) -> Vec<Graph> {
    let mut graphs = BTreeMap::<Module, Graph>::new();
    for (from, to) in source.uses() {
        let shared = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
        if shared == from.len() || shared == to.len() {
            continue;
        }
        let child = |module: &Module| module[..=shared].join("::");
        let graph = graphs.entry(from[..shared].to_vec()).or_default();
        graph.entry(child(from)).or_default().insert(child(&to));
    }
    graphs.into_values().collect()
}

/// The circles, and the imports that are in them.
fn told(circles: &BTreeSet<Vec<String>>, graphs: &[Graph]) -> String {
    let mut lines = vec!["circles:".to_owned()];
    for circle in circles {
        for (from, to) in graphs.iter().flatten() {
            let in_circle = to.iter().filter(|to| circle.contains(from) && circle.contains(to));
            lines.extend(in_circle.map(|to| format!("{from} uses {to}")));
        }
    }
    lines.join("\n  ")
}

#[test]
fn only_the_daemon_spawns_tasks_and_only_config_reads_the_environment() {
    let (root, library) = (source(""), read("lib.rs"));
    for (path, text) in library.texts() {
        let path = path.strip_prefix(&root).unwrap().display().to_string();
        for (words, places) in STARTS {
            let may = places.iter().any(|place| path.starts_with(place));
            assert!(may || !text.contains(words), "{path} has {words}");
        }
        let is_pure = ["domain/", "ledger/"].iter().any(|room| path.starts_with(room));
        for word in IMPURE {
            assert!(!is_pure || !text.contains(word), "{path} uses {word}");
        }
    }
    let binary = read("main.rs");
    for (path, text) in library.texts().chain(binary.texts()) {
        let reads_environment = text.contains("std::env") || text.contains("option_env!");
        let may = path.ends_with("config/environment.rs");
        assert!(may || !reads_environment, "{} reads variables", path.display());
    }
}

#[test]
fn only_the_room_of_an_engine_names_its_library() {
    let source = source("");
    for (library, rooms) in [
        // Tests look at what is stored from outside.
        ("rusqlite", ["store/sqlite/", "store/tests/", "store/fixtures.rs"].as_slice()),
        ("tokio_postgres", &["store/postgres/"]),
    ] {
        for file in files(&source) {
            let path = file.strip_prefix(&source).unwrap().display().to_string();
            let may = rooms.iter().any(|place| path.starts_with(place));
            let text = fs::read_to_string(&file).unwrap();
            assert!(may || !text.contains(library), "{path} names {library}");
        }
    }
}

#[test]
fn every_change_is_a_step_of_the_test_that_compares_engines() {
    let steps = fs::read_to_string(source("store/tests/engines/changes.rs")).unwrap();
    let steps: BTreeSet<_> = steps.split(|c: char| !c.is_alphanumeric()).collect();
    let mut changes = 0;
    for file in files(&source("ledger/change")) {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("impl Change for ")) {
            let name = line.split_whitespace().next().unwrap();
            assert!(steps.contains(name), "{name} of {} is no step", file.display());
            changes += 1;
        }
    }
    assert!(changes > 20, "{changes} changes");
}

#[test]
fn tests_from_outside_ask_through_the_doors() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    // Those of an upgrade and of a copy are about the file itself.
    let places = ["harness/database.rs", "moving/", "upgrade/", "architecture/"];
    for file in files(&tests) {
        let path = file.strip_prefix(&tests).unwrap().display().to_string();
        let may = places.iter().any(|place| path.starts_with(place));
        let text = fs::read_to_string(&file).unwrap();
        assert!(may || !text.contains("rusqlite"), "{path} opens a database");
    }
}

fn read(root: &str) -> Crate {
    Crate::read(&source(root))
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
