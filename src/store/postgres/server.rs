//! Which server, and how it is reached.

use std::time::Duration;

use tokio_postgres::{Client, Config, Connection, NoTls, Socket, tls::NoTlsStream};

use super::failure;
use crate::store::StoreError;

/// A PostgreSQL server, and the database and schema on it.
#[derive(Debug, Clone)]
pub struct Server {
    config: Config,
    schema: Option<String>,
    commit: &'static str,
}

impl Server {
    /// For tests.
    pub fn new(url: &str, schema: Option<&str>) -> Self {
        Self { config: url.parse().unwrap(), schema: schema.map(str::to_owned), commit: "on" }
    }

    pub(super) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    pub(super) fn quoted_schema(&self) -> String {
        format!("\"{}\"", self.schema.as_deref().unwrap_or("public").replace('"', "\"\""))
    }

    /// The statement that sets the schema for a transaction.
    pub(super) fn search_path(&self) -> String {
        match &self.schema {
            Some(_) => format!("SET LOCAL search_path = {};", self.quoted_schema()),
            None => String::new(),
        }
    }

    /// How a commit waits for standbys.
    pub(super) const fn commit_level(&self) -> &'static str {
        self.commit
    }

    /// The server and its database, for people: without the user and the password.
    #[must_use]
    pub fn name(&self) -> String {
        "postgres://".to_owned()
    }

    /// How long connecting may take.
    pub(super) const fn connect_limit(&self) -> Duration {
        Duration::from_secs(5)
    }

    pub(super) async fn connect(
        &self,
    ) -> Result<(Client, Connection<Socket, NoTlsStream>), StoreError> {
        self.config.connect(NoTls).await.map_err(|error| failure::of(&error))
    }
}
