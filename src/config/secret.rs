//! Secrets that are kept in files of their own.

use std::fs;

use super::{
    key::{KEYS, Kind},
    problem::{Origin, Problems},
    settings::{Settings, Value},
};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads the files that the settings name in place of secrets.
pub(super) fn read_files(settings: &mut Settings, problems: &mut Problems) {
    for key in KEYS {
        let Some(file) = key.file else { continue };
        let Some(entry) = settings.get(file).cloned() else { continue };
        let Value::Text(path) = entry.value else { continue };
        let text = match fs::read_to_string(&path) {
            // Editors on Windows begin a file with a byte order mark, which stays in
            // the middle when files are put together. No secret holds one.
            Ok(text) => text.replace(BYTE_ORDER_MARK, ""),
            Err(error) => {
                let message = format!("cannot read {path}: {error}");
                problems.add(Some(&entry.origin), file, message);
                continue;
            }
        };
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        if lines().next().is_none() {
            problems.add(Some(&entry.origin), file, format!("{path} is empty"));
            continue;
        }
        let value = match key.kind {
            Kind::List => Value::List(lines().map(str::to_owned).collect()),
            _ => Value::Text(text.trim_end_matches(['\r', '\n']).to_owned()),
        };
        settings.set(key.path, value, Origin::SecretFile(path));
    }
}
