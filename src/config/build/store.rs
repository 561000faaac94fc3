//! Builds the section of the store: a file, or a database server.

use std::{fs::File, path::PathBuf};

use secrecy::SecretString;

use super::Building;
use crate::config::{Origin, ServerConfig, StoreConfig, StorePlace, secret::CREDENTIALS, server};

/// The path that the image and the systemd unit set by a variable. It is no decision of the
/// operator, so together with a server it is no conflict.
const PACKAGED: &str = "/var/lib/cii-exporter/cii-exporter.db";

/// The settings that apply only to a server.
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
            // A secret from a file is reported by the setting of the file. A credential of systemd
            // never turns anything on, here as elsewhere.
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

    /// The path of the file; its folder need not exist yet.
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
        // A withheld URL is always an error here, even when other secrets get only a note: without
        // it the server is unknown.
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

    /// Reports a file that is set in addition to a server.
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

    /// The password of its own setting, not of the URL.
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
