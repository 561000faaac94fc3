//! The rows that the exporter writes of small deliveries about new users, into its own tables with
//! their indexes, by a program that decides nothing: how fast these rows can be at all.

mod file;
mod server;

pub(super) use file::SameRows as OnFile;
pub(super) use server::SameRows as OnServer;

use super::Job;

/// About as long as each part of what the events of a delivery share.
const SHARED: &str = "the-first-fifty-bytes-of-what-a-delivery-says-of-it";

/// As many bytes as the packed body of a delivery of 2 KB has.
const PACKED: usize = 490;
