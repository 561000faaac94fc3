//! On which engine tests run that do not choose one.

/// An engine, as `CII_TEST_STORE` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// `file`, the default: SQLite.
    File,
    /// `postgres`: the shared server.
    Server,
    /// `pgbouncer`: the shared server, behind a pool that gives each transaction another session.
    Pool,
}

impl Engine {
    /// The engine that whoever runs the tests wants.
    ///
    /// # Panics
    /// When the variable names none.
    #[must_use]
    pub fn of_environment() -> Self {
        #[expect(clippy::disallowed_methods, reason = "an argument of whoever runs the tests")]
        let wanted = std::env::var("CII_TEST_STORE");
        match wanted.as_deref() {
            Err(_) | Ok("file") => Self::File,
            Ok("postgres") => Self::Server,
            Ok("pgbouncer") => Self::Pool,
            Ok(other) => panic!("CII_TEST_STORE is {other}, and not file, postgres or pgbouncer"),
        }
    }
}
