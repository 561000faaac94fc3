//! A database of a test's own.

use crate::Cluster;

/// An empty database. It goes with its server.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its URL by loopback, as the superuser.
    pub url: String,
}

impl Cluster {
    /// Creates an empty database, which no other test uses.
    pub fn create_database(&self) -> Database {
        let name = format!("test_{}", self.next_database());
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        Database { url: self.url(&name), name }
    }
}
