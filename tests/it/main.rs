//! What a user relies on, seen from outside: HTTP, command line, /metrics, OTLP.
//!
//! One binary, a module a promise; every test starts what it needs on free
//! loopback ports and waits for conditions.

mod architecture;
mod collector;
mod config;
mod demo;
mod harness;
mod lifecycle;
mod poll;
mod scrape;
mod survival;
mod webhook;
