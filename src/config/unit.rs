//! Reads the systemd unit of the daemon, for commands beside it: variables, environment files,
//! credentials, and the path of the configuration.
//!
//! The syntax is that of systemd.exec(5) and systemd.syntax(7), as far as it is needed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The folders of units, in systemd's order of precedence.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// The conventional name of the unit.
pub(super) const NAME: &str = "cii-exporter.service";

/// The source of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// A plain file.
    File(PathBuf),
    /// An encrypted form, which only systemd can decrypt.
    Sealed,
}

/// A unit, with its drop-ins.
#[derive(Clone, Default)]
pub(super) struct Unit {
    pub(super) path: PathBuf,
    pub(super) variables: BTreeMap<String, String>,
    /// Environment files that cannot be read here, each with the reason.
    pub(super) unread: Vec<String>,
    pub(super) credentials: BTreeMap<String, Credential>,
    /// The path after `--config` in its command.
    pub(super) config_file: Option<PathBuf>,
}

impl Unit {
    /// Finds the named unit, else the conventional one; `None` when there is none.
    pub(super) fn find(named: Option<PathBuf>) -> Option<Self> {
        let usual = || FOLDERS.iter().map(|folder| Path::new(folder).join(NAME));
        let path = named.or_else(|| usual().find(|path| path.is_file()))?;
        let mut text = fs::read_to_string(&path).ok()?;
        for file in drop_ins(&path) {
            text.push('\n');
            text.push_str(&fs::read_to_string(file).unwrap_or_default());
        }
        let mut unit = parse_unit(&text);
        unit.path = path;
        Some(unit)
    }
}

/// The drop-in files beside the unit, ordered by name.
fn drop_ins(unit: &Path) -> Vec<PathBuf> {
    let mut folder = unit.as_os_str().to_owned();
    folder.push(".d");
    let entries = fs::read_dir(PathBuf::from(folder)).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .collect();
    files.sort();
    files
}

fn parse_unit(text: &str) -> Unit {
    let mut unit = Unit::default();
    let (mut files, mut own) = (Vec::new(), BTreeMap::new());
    let text = text.replace("\\\n", " ");
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        // An empty value resets the list.
        match (name.trim(), value) {
            ("Environment", "") => own.clear(),
            ("Environment", _) => {
                let entries = split_words(&expand_specifiers(value)).into_iter();
                own.extend(entries.filter_map(|entry| parse_pair(&entry)));
            }
            ("EnvironmentFile", "") => files.clear(),
            ("EnvironmentFile", _) => files.push(expand_specifiers(value)),
            ("LoadCredential" | "LoadCredentialEncrypted" | "SetCredential", "") => {
                unit.credentials.clear();
            }
            ("LoadCredential", _) => {
                // Without a path, systemd searches its own credential folders.
                let (name, path) = value.split_once(':').unwrap_or((value, ""));
                let path = PathBuf::from(expand_specifiers(path));
                let from = path.is_absolute().then_some(Credential::File(path));
                unit.credentials.insert(name.to_owned(), from.unwrap_or(Credential::Sealed));
            }
            ("LoadCredentialEncrypted" | "SetCredential" | "SetCredentialEncrypted", _) => {
                let name = value.split(':').next().unwrap_or_default();
                unit.credentials.insert(name.to_owned(), Credential::Sealed);
            }
            ("ExecStart", "") => unit.config_file = None,
            ("ExecStart", _) => {
                unit.config_file = find_config_file(&split_words(&expand_specifiers(value)));
            }
            _ => {}
        }
    }
    // Environment files take precedence over `Environment=`.
    unit.variables = own;
    for file in files {
        let (file, is_optional) =
            file.strip_prefix('-').map_or((&*file, false), |file| (file, true));
        match fs::read_to_string(file) {
            Ok(text) => unit.variables.extend(text.lines().filter_map(parse_variable)),
            Err(error) if is_optional && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => unit.unread.push(format!("{file}: {error}")),
        }
    }
    unit
}

/// Parses a line of an environment file.
fn parse_variable(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    Some((name.trim().to_owned(), split_words(value).join(" ")))
}

fn parse_pair(entry: &str) -> Option<(String, String)> {
    let (name, value) = entry.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

/// The path of the configuration in the exporter's command line.
fn find_config_file(words: &[String]) -> Option<PathBuf> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(file) = word.strip_prefix("--config=") {
            return Some(file.into());
        }
        if word == "--config" || word == "-c" {
            return words.next().map(PathBuf::from);
        }
    }
    None
}

/// Expands the specifiers of folders, for system units.
fn expand_specifiers(value: &str) -> String {
    const FOLDERS: [(&str, &str); 6] = [
        ("%S", "/var/lib"),
        ("%E", "/etc"),
        ("%t", "/run"),
        ("%C", "/var/cache"),
        ("%L", "/var/log"),
        ("%%", "%"),
    ];
    FOLDERS.iter().fold(value.to_owned(), |value, (name, folder)| value.replace(name, folder))
}

/// Splits a line into words, and removes quotes.
fn split_words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', _) => word.get_or_insert_default().extend(characters.next()),
            (_, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (_, None) if c.is_whitespace() => words.extend(word.take()),
            (_, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Some of the values are secrets.
impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_this_repository_is_read() {
        let unit = parse_unit(include_str!("../../deploy/systemd/cii-exporter.service"));
        let database = "/var/lib/cii-exporter/cii-exporter.db";
        assert_eq!(unit.variables["CII_EXPORTER_STORE__PATH"], database);
        assert_eq!(unit.config_file, Some("/etc/cii-exporter/config.toml".into()));
        let secret = Credential::File("/etc/cii-exporter/secrets/client-secret".into());
        assert_eq!(unit.credentials["api.client_secret"], secret);
        assert_eq!(unit.credentials.len(), 2);
    }

    #[test]
    fn forms_of_a_unit_are_read_and_an_empty_value_takes_back() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("environment");
        fs::write(&file, "# a comment\nB=\"of the file\"\n C=c\nno variable\n").unwrap();
        let text = format!(
            "[Service]\nEnvironment=OLD=1\nEnvironment=\nEnvironment=\"A=a b\" B=b \\\n  'D=it''s'\n\
             EnvironmentFile=-/nowhere/at-all\nEnvironmentFile=/nowhere/needed\n\
             EnvironmentFile={}\nSetCredential=x:data\nLoadCredentialEncrypted=y:/a\n\
             LoadCredential=z\n; a comment\nExecStart=/bin/cii-exporter run -c /a/b.toml\n",
            file.display()
        );
        let unit = parse_unit(&text);
        let expected = [("A", "a b"), ("B", "of the file"), ("C", "c"), ("D", "its")];
        let found: Vec<_> = unit.variables.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(unit.unread.len(), 1);
        assert!(unit.unread[0].contains("/nowhere/needed"));
        assert!(unit.credentials.values().all(|from| *from == Credential::Sealed));
        assert_eq!((unit.credentials.len(), unit.config_file), (3, Some("/a/b.toml".into())));
    }
}
