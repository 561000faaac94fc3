//! The tests that documents name as what shows a promise exist.

use std::{collections::BTreeSet, fs, path::Path};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A short form that a document may use, and what it is short for.
const SHORT: (&str, &str) = ("P::", "store::tests::postgres::");

fn read(file: &Path) -> Option<String> {
    fs::read_to_string(Path::new(ROOT).join(file)).ok()
}

/// What looks like one and is a library's.
const OTHERS: [&str; 1] = ["axum::serve"];

/// Whether it is a path of modules, or of a test in them.
fn is_path(text: &str) -> bool {
    let is_name = |name: &str| {
        name.chars().all(|letter| letter.is_ascii_lowercase() || "_0123456789".contains(letter))
    };
    text.contains("::") && !OTHERS.contains(&text) && text.split("::").all(is_name)
}

/// The paths that a document has in backticks.
fn named(document: &str) -> BTreeSet<String> {
    let text = read(Path::new(document)).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let full = quoted.map(|name| match name.strip_prefix(SHORT.0) {
        Some(rest) => format!("{}{rest}", SHORT.1),
        None => name.to_owned(),
    });
    full.filter(|name| is_path(name)).collect()
}

/// The files in which a module can be, below a folder.
fn files(folder: &str, modules: &[&str]) -> Vec<String> {
    let path = modules.join("/");
    let mut files = vec![format!("{folder}/{path}.rs"), format!("{folder}/{path}/mod.rs")];
    // Tests beside the code.
    if let Some((&"tests", above)) = modules.split_last() {
        let path = above.join("/");
        files.extend([format!("{folder}/{path}.rs"), format!("{folder}/{path}/mod.rs")]);
    }
    files
}

/// Whether there is such a test, or a module whose tests are meant.
fn exists(name: &str) -> bool {
    let name = name.trim_end_matches("::");
    let modules: Vec<_> = name.split("::").collect();
    let sources = |modules: &[&str]| -> Vec<String> {
        let files = ["src", "tests/it"].map(|folder| files(folder, modules)).concat();
        files.iter().filter_map(|file| read(Path::new(file))).collect()
    };
    let Some((test, above)) = modules.split_last() else { return false };
    let has = |source: &String| source.contains(&format!("fn {test}("));
    sources(above).iter().any(has) || !sources(&modules).is_empty()
}

#[test]
fn each_test_that_a_document_names_is_there() {
    for document in ["docs/ARCHITECTURE.md", "docs/high-availability.md"] {
        let named = named(document);
        assert!(named.len() > 20, "{document}: {named:?}");
        let missing: Vec<_> = named.iter().filter(|name| !exists(name)).collect();
        assert!(missing.is_empty(), "{document} names what is not there: {missing:?}");
    }
    assert!(!exists("store::tests::postgres::standby::none") && !exists("nothing::at_all"));
}

#[test]
fn each_failure_of_the_table_names_a_test() {
    let text = read(Path::new("docs/high-availability.md")).unwrap();
    let mut rows = text.lines().skip_while(|line| !line.starts_with("| failure |")).skip(2);
    let rows: Vec<_> = rows.by_ref().take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap();
        assert!(last.contains("::"), "no test in {row}");
    }
}
