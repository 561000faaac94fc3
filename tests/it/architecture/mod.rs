//! The order of the rooms: imports point downwards only, and siblings never
//! import each other.

use std::{collections::BTreeSet, fs, path::Path};

/// The rooms of the library, from the ground up.
const LAYERS: [&[&str]; 6] = [
    &["domain", "build_info"],
    &["config", "clock"],
    &["cii", "store"],
    &["ingest", "sync", "delivery", "metrics"],
    &["web"],
    &["daemon"],
];

/// Belongs to the binary, above all of these.
const BINARY: [&str; 5] = ["main", "cli", "commands", "exit", "logging"];

#[test]
fn imports_point_downwards_only() {
    let mut rooms = 0;
    for (level, layer) in LAYERS.iter().enumerate() {
        let below: BTreeSet<_> = LAYERS[..level].iter().copied().flatten().copied().collect();
        for room in *layer {
            for (file, imported) in imports(room) {
                assert!(
                    imported == *room || below.contains(imported.as_str()),
                    "{file}: `{room}` (layer {level}) must not import `{imported}`"
                );
            }
            rooms += 1;
        }
    }
    assert_eq!(rooms, declared().len(), "every room has its layer: {:?}", declared());
}

#[test]
fn only_the_daemon_spawns_tasks_and_the_domain_does_no_io() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&source) {
        let path = file.strip_prefix(&source).unwrap().display().to_string();
        let first = path.split(['/', '.']).next().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        let is_test = path.contains("/tests/")
            || ["/tests.rs", "/fake.rs"].iter().any(|name| path.ends_with(name));
        if first != "daemon" && !BINARY.contains(&first.as_str()) && !is_test {
            assert!(!text.contains("tokio::spawn("), "{path} spawns a task");
        }
        if first == "domain" {
            for word in ["tokio", "async ", "std::fs", "std::net::Tcp", "reqwest", "rusqlite"] {
                assert!(!text.contains(word), "{path} uses {word}");
            }
        }
    }
}

/// The modules that `lib.rs` declares.
fn declared() -> Vec<String> {
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
    fs::read_to_string(library)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect()
}

/// The rooms that a room's files name after `crate::`.
fn imports(room: &str) -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let single = source.join(format!("{room}.rs"));
    let files = if single.exists() { vec![single] } else { files(&source.join(room)) };
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (position, _) in text.match_indices("crate::") {
            let rest = text[position + "crate::".len()..].trim_start();
            // `use crate::{a::…, b::…}` names several rooms.
            let names: Vec<&str> = rest.strip_prefix('{').map_or_else(|| vec![rest], top_level);
            for name in names {
                let end = name
                    .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .unwrap_or(name.len());
                found.push((file.display().to_string(), name[..end].to_owned()));
            }
        }
    }
    found
}

/// The items of a braced import, up to its closing brace.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (position, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(list[start..position].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(list[start..position].trim());
                start = position + 1;
            }
            _ => {}
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
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
