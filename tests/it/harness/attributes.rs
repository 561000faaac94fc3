//! The attributes that events can have.

use std::{collections::BTreeSet, fs};

/// Every name in the list of the source.
pub fn attribute_names() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/event/attribute.rs");
    let source = fs::read_to_string(path).expect("it is there");
    let names =
        source.lines().filter_map(|line| line.split(": &str = \"").nth(1)?.split('"').next());
    names.map(str::to_owned).collect()
}

/// Names that are also the beginning of another one. Elasticsearch and its forks make an object
/// of every dot, and refuse a record in which something is a value and an object.
pub fn names_in_names(names: &BTreeSet<String>) -> Vec<(&str, &str)> {
    let is_within = |inner: &&String, outer: &String| inner.starts_with(&format!("{outer}."));
    let within = |outer| names.iter().filter(move |inner| is_within(inner, outer));
    names.iter().flat_map(|outer| within(outer).map(move |inner| (&**outer, &**inner))).collect()
}
