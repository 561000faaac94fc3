//! What a user relies on, seen from outside: HTTP, command line, /metrics, OTLP.
//!
//! One binary, a module a promise; every test starts what it needs on free
//! loopback ports and waits for conditions.

#![expect(unreachable_pub, reason = "the harness is public to the tests and to nobody else")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says where by its panic"
)]
#![expect(clippy::float_cmp, reason = "the counts that are compared are whole numbers")]

mod alerts;
mod api;
mod architecture;
mod beside;
mod bounds;
mod caps;
mod cards;
mod cases;
mod collector;
mod config;
mod connections;
mod dashboards;
mod database;
mod day_one;
mod deliveries;
#[cfg(feature = "demo")]
mod demo;
mod deploy;
mod deploy_replicas;
mod disk;
mod doctor;
mod door;
mod doors;
mod families;
mod faults;
mod fields;
mod first_day;
mod guard;
mod harness;
mod history;
mod init;
mod lifecycle;
mod loki;
mod mistakes;
mod moved;
mod moving;
mod named_tests;
mod no_database;
mod nulls;
mod oracle;
mod otlp;
mod outage;
mod overview;
mod page;
mod pages;
mod poll;
mod prompt;
mod purge;
mod reading;
mod ready;
mod reference;
mod registration;
mod replicas;
mod report;
mod resolution;
mod rights;
mod runs;
mod scrape;
mod scraped_twice;
mod secrets;
mod server;
mod service;
mod severity;
mod stack;
mod start_waits;
mod stories;
mod survival;
mod tenant;
mod tenant_id;
mod tls;
mod upgrade;
mod waiting;
mod watch;
mod webhook;
