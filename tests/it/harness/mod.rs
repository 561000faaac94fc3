//! Starts the real daemon and its counterparts, and waits for conditions.

mod answered;
mod attributes;
mod clock;
mod database;
mod delivery;
mod disk;
mod exporter;
mod metrics;
mod receiver;
mod shim;
mod stack;
mod tools;
mod wait;

pub use answered::{close, tell_state};
pub use attributes::{attribute_names, names_in_names};
pub use cii_test_cluster::free_port;
pub use database::{Lock, alter, make_older, read_into};
pub use delivery::{Body, SECRET, sample_payload};
pub use disk::Disk;
pub use exporter::{Ended, Exporter, Setup};
pub use metrics::Metrics;
pub use receiver::{Protocol, Receiver, attribute, names};
pub use stack::Stack;
pub use tools::tool;
pub use wait::{in_less_than, until};
