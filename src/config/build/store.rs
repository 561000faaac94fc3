//! Where state is kept: a file, or a server.

use std::{fs::File, path::PathBuf};

use secrecy::SecretString;

use super::Building;
use crate::config::{Origin, ServerConfig, StoreConfig, StorePlace, secret::CREDENTIALS, server};

/// Where the image and the unit of systemd have the file, by a variable. Nobody decided on it who
/// also names a server.
const PACKAGED: &str = "/var/lib/cii-exporter/cii-exporter.db";

/// What is said of a server alone.
const OF_SERVER: [&str; 4] =
    ["store.password", "store.password_file", "store.schema", "store.commit"];

impl Building<'_> {
    pub(super) fn store(&mut self) -> Option<StoreConfig> {
        let place = if self.has_server() {
            self.server().map(|server| StorePlace::Server(Box::new(server)))
        } else {
            self.refuse_server_settings();
            self.store_path().map(StorePlace::File)
        };
        Some(StoreConfig { place: place?, retention_days: self.retention_days() })
    }

    fn has_server(&self) -> bool {
        ["store.url", "store.url_file"].iter().any(|path| self.settings.get(path).is_some())
            || self.excuses.withheld.contains_key("store.url")
    }

    fn refuse_server_settings(&mut self) {
        for path in OF_SERVER {
            // The content of a file is told by the file; and what systemd hands over switches
            // nothing on, as anywhere.
            let is_meant = |origin: &Origin| match origin {
                Origin::SecretFile(_) => false,
                Origin::Variable(name) => name != CREDENTIALS,
                Origin::File { .. } | Origin::Default => true,
            };
            if let Some(origin) = self.origin(path).filter(is_meant) {
                let message = "is of use with store.url alone; set that, or take this out";
                self.problems.add(Some(&origin), path, message);
            }
        }
    }

    /// A file, whose folder may not be there yet.
    fn store_path(&mut self) -> Option<PathBuf> {
        let path = "store.path";
        self.required_text(path)?;
        self.check_value(path, |text| {
            let file = PathBuf::from(text);
            if text.starts_with("postgres:") || text.starts_with("postgresql:") {
                return Err("is a URL, and expects a file: write it as store.url".to_owned());
            }
            if !file.is_dir() && !text.ends_with('/') {
                return Ok(file);
            }
            let inside = file.join("cii-exporter.db");
            Err(format!(
                "{text:?} is a folder, and the database is a file; expected a file's name, such as \
                 \"{}\"",
                inside.display()
            ))
        })
    }

    fn server(&mut self) -> Option<ServerConfig> {
        self.refuse_path();
        let (password, schema) = (self.password(), self.schema());
        // Whether or not the note of it is enough for others: without it, nothing is known of
        // the server.
        let url = match self.excuses.withheld.get("store.url") {
            Some(why) if self.settings.get("store.url").is_none() => {
                let message = format!("{why}; run the command as root");
                self.problems.add(None, "store.url", message);
                return None;
            }
            _ => self.required_text("store.url")?,
        };
        if self.is_reported("store.url") {
            return None;
        }
        let server = self.check_value("store.url", |_| ServerConfig::parse(&url))?;
        let origin = self.origin("store.url");
        for (parameter, path) in server.files() {
            if let Err(error) = File::open(path) {
                let message = format!("cannot read {} ({parameter}): {error}", path.display());
                self.problems.add(origin.as_ref(), "store.url", message);
            }
        }
        let (password, schema) = (password?, schema?);
        let commit = self.choice("store.commit").unwrap_or_default();
        if let (Some(_), Some(_)) = (&password, &server.password) {
            let origin = self.origin("store.password");
            let message = "is set together with the password in store.url; keep one of the two";
            self.problems.add(origin.as_ref(), "store.password", message);
        }
        let password = password.or_else(|| server.password.clone());
        Some(ServerConfig { password, schema, commit, ..server })
    }

    /// Says so where a file is named, too.
    fn refuse_path(&mut self) {
        let Some(path) = self.settings.get("store.path") else { return };
        let is_packaged = matches!(path.origin, Origin::Variable(_))
            && self.text("store.path").as_deref() == Some(PACKAGED);
        if is_packaged {
            return;
        }
        let message = format!(
            "is set together with store.path ({}); keep store.url for PostgreSQL, or store.path \
             for a file",
            path.origin
        );
        let origin = self.origin("store.url").or_else(|| self.origin("store.url_file"));
        self.problems.add(origin.as_ref(), "store.url", message);
    }

    /// The password that is set on its own.
    #[expect(clippy::option_option, reason = "nothing where it is wrong, as elsewhere")]
    fn password(&mut self) -> Option<Option<SecretString>> {
        let path = "store.password";
        if self.is_reported(path) {
            return None;
        }
        if self.settings.get(path).is_some() {
            return self.required_text(path).map(|password| Some(password.into()));
        }
        match self.excuses.withheld.get(path) {
            Some(why) if !self.excuses.is_excused(path) => {
                self.problems.add(None, path, format!("{why}; run the command as root"));
                None
            }
            _ => Some(None),
        }
    }

    #[expect(clippy::option_option, reason = "nothing where it is wrong, as elsewhere")]
    fn schema(&mut self) -> Option<Option<String>> {
        let path = "store.schema";
        if self.text(path).is_none() {
            return Some(None);
        }
        self.check_value(path, |text| server::check_schema(text).map(|()| Some(text.to_owned())))
    }
}
