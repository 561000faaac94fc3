//! Secrets in files, and credentials of systemd.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use secrecy::zeroize::Zeroizing;

use super::{
    Config, Environment, Pem, ServerConfig, StorePlace, WebConfigFile,
    key::{KEYS, Kind},
    needs::Excuses,
    problem::{Origin, Problems},
    settings::{Settings, Value},
    unit::{Credential, Unit},
};

/// The variable with the folder of systemd's credentials (systemd.exec(5), "Credentials").
pub(super) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The tables that are in effect without being written.
const ALWAYS_THERE: [&str; 3] = ["webhook", "ops", "metrics"];

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The files with secrets that others than their owner can access, each with its setting.
/// Credentials are skipped: systemd protects them by an access list, whose mask shows in the mode.
pub(super) fn open_files(
    settings: &Settings,
    environment: &Environment,
    config: &Config,
) -> Vec<String> {
    let handed_over = environment.get(CREDENTIALS).map(Path::new);
    let of_settings = KEYS.iter().filter(|key| key.file.is_some()).filter_map(|key| {
        let entry = settings.get(key.path)?;
        // The server's URL is secret only when it contains a password.
        if let ("store.url", Value::Text(url)) = (key.path, &entry.value)
            && ServerConfig::parse(url).is_ok_and(|server| server.password.is_none())
        {
            return None;
        }
        match &entry.origin {
            Origin::File { name: path, .. } | Origin::SecretFile(path) => {
                Some((path.clone(), key.path.to_owned()))
            }
            Origin::Default | Origin::Variable(_) => None,
        }
    });
    let of_listeners = [
        ("webhook.web_config", &config.webhook.web_config),
        ("ops.web_config", &config.ops.web_config),
    ];
    let of_listeners = of_listeners.into_iter().flat_map(|(setting, file)| {
        file.iter().flat_map(move |file| listener_files(setting, file))
    });
    let of_client = config.otlp.iter().filter_map(|otlp| otlp.key_file.clone());
    let of_server = match &config.store.place {
        StorePlace::Server(server) => server.tls.identity.as_ref().map(|(_, key)| key),
        StorePlace::File(_) => None,
    };
    let of_server =
        of_server.map(|key| (key.display().to_string(), "the key of store.url".to_owned()));
    let of_clients = of_client.chain(of_server);
    let mut found: BTreeMap<String, (String, u32)> = BTreeMap::new();
    for (path, holds) in of_settings.chain(of_listeners).chain(of_clients) {
        let path = &path;
        let is_handed_over = handed_over.is_some_and(|folder| Path::new(path).starts_with(folder));
        let Ok(file) = fs::metadata(path) else { continue };
        let mode = file.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 && !is_handed_over {
            found.entry(path.clone()).or_insert((holds, mode));
        }
    }
    let warning = |(path, (holds, mode)): (String, (String, u32))| {
        format!("{path} holds {holds}, and its mode {mode:04o} lets others at it; chmod 600 it")
    };
    found.into_iter().map(warning).collect()
}

/// The files with secrets of a listener, each with its content. Certificates are public.
fn listener_files(setting: &str, file: &WebConfigFile) -> Vec<(String, String)> {
    let WebConfigFile { path, config } = file;
    let key = config.tls.as_ref().map(|tls| &tls.key);
    let mut files = Vec::new();
    if !config.users.is_empty() || matches!(key, Some(Pem::Inline(_))) {
        files.push((path.display().to_string(), setting.to_owned()));
    }
    if let Some(Pem::File(key)) = key {
        files.push((key.display().to_string(), format!("the key of {setting}")));
    }
    files
}

/// Uses systemd's credentials for secrets that are not set. A credential has the name of its
/// setting, such as `api.client_secret`. It never turns on a part that the configuration does not.
pub(super) fn take_credentials(settings: &mut Settings, environment: &Environment) {
    let Some(folder) = environment.get(CREDENTIALS).map(Path::new) else { return };
    for (path, file) in unset_secrets(settings) {
        let from = folder.join(path);
        if let Some(from) = from.to_str().filter(|from| Path::new(from).is_file()) {
            let origin = Origin::Variable(CREDENTIALS.to_owned());
            settings.set(file, Value::Text(from.to_owned()), origin);
        }
    }
}

/// Uses the credentials of the daemon's unit in the same way. Returns the secrets that cannot be
/// read here, each with the reason.
pub(super) fn take_from_unit(
    settings: &mut Settings,
    unit: Option<&Unit>,
) -> BTreeMap<&'static str, String> {
    let mut withheld = BTreeMap::new();
    let Some(unit) = unit else { return withheld };
    let its = format!("the unit {} gives it to the daemon", unit.path.display());
    for (path, file) in unset_secrets(settings) {
        let why = match unit.credentials.get(path) {
            None => continue,
            Some(Credential::Sealed) => "systemd alone can hand it over".to_owned(),
            Some(Credential::File(from)) => match fs::File::open(from) {
                Ok(_) => {
                    let origin = Origin::SecretFile(unit.path.display().to_string());
                    settings.set(file, Value::Text(from.display().to_string()), origin);
                    continue;
                }
                Err(error) => format!("{}: {error}", from.display()),
            },
        };
        withheld.insert(path, format!("cannot be read here ({why}); {its}"));
    }
    withheld
}

/// The secrets of existing tables that are not set: the path of each, and that of its file's
/// setting.
fn unset_secrets(settings: &Settings) -> Vec<(&'static str, &'static str)> {
    let is_there = |path: &str| {
        let table = path.rsplit_once('.').map_or("", |(table, _)| table);
        ALWAYS_THERE.contains(&table) || settings.has_table(table)
    };
    let is_set = |paths: [&str; 2]| paths.iter().any(|path| settings.get(path).is_some());
    KEYS.iter()
        .filter_map(|key| Some((key.path, key.file?)))
        .filter(|(path, file)| is_there(path) && !is_set([path, file]))
        .collect()
}

/// Reads the secrets from the files that settings name.
pub(super) fn read_files(settings: &mut Settings, excuses: &Excuses, problems: &mut Problems) {
    for key in KEYS {
        let Some(file) = key.file else { continue };
        let Some(entry) = settings.get(file).cloned() else { continue };
        let Value::Text(path) = &entry.value else { continue };
        let text = match fs::read_to_string(path).map(Zeroizing::new) {
            // Windows editors write a byte order mark, which is in the middle after files were
            // concatenated. No secret contains one.
            Ok(text) => Zeroizing::new(text.replace(BYTE_ORDER_MARK, "")),
            Err(_) if excuses.is_excused(key.path) => continue,
            Err(error) => {
                let message = format!("cannot read {path}: {error}");
                problems.add(Some(&entry.origin), file, message);
                continue;
            }
        };
        // A secret that was commented out with `#` must not be accepted any more.
        let kept = || text.lines().filter(|line| !line.starts_with('#'));
        let lines = || kept().map(str::trim).filter(|line| !line.is_empty());
        if lines().next().is_none() {
            let only = if text.trim().is_empty() { "is empty" } else { "has comments only" };
            problems.add(Some(&entry.origin), file, format!("{path} {only}"));
            continue;
        }
        let value = match key.kind {
            Kind::List => Value::List(lines().map(str::to_owned).collect()),
            // Only line ends separate secrets: white space can be a part of a password.
            Kind::Texts => {
                Value::List(kept().filter(|line| !line.is_empty()).map(str::to_owned).collect())
            }
            _ => {
                let text = Zeroizing::new(kept().collect::<Vec<_>>().join("\n"));
                Value::Text(text.trim_end_matches(['\r', '\n']).to_owned())
            }
        };
        settings.set(key.path, value, Origin::SecretFile(path.clone()));
    }
}
