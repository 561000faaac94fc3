//! Throw-away PostgreSQL servers for tests.
//!
//! A [`Cluster`] is one server with its own folder, its own free port on loopback and its own Unix
//! socket. Its superuser is `postgres`, and nobody needs a password unless [`Options::access`] says
//! otherwise. Everything blocks, and panics when it fails: a test that has no server cannot go on.
//! Nothing is left behind: see [`keeper`].

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on says where by its panic"
)]

mod cluster;
mod database;
mod engine;
mod faults;
mod keeper;
mod options;
mod pool;
mod port;
mod process;
mod programs;
mod standby;

pub use cluster::Cluster;
pub use database::Database;
pub use engine::Engine;
pub use options::Options;
pub use pool::Pool;
pub use port::free_port;
pub use process::Stop;
pub use programs::program;
pub use standby::Replication;
