//! A stand-in for Cisco Identity Intelligence: its GraphQL API, its token
//! endpoint, its webhooks, and a tenant that changes over time.
//!
//! It is strict where the service is, and it fails on demand in the ways that
//! services fail. Beside it stands a collector for OTLP logs.

mod answer;
mod clock;
pub mod collector;
pub mod faults;
mod graphql;
mod http;
mod ids;
mod options;
mod requests;
mod service;
mod simulator;
mod target;
pub mod tenant;
mod time;
mod tokens;
mod unfriendly;
pub mod vocabulary;
pub mod webhook;

pub use faults::{AppsyncError, Endpoint, Fault, Faults, Kind, Leaves, Oddity};
pub use options::Options;
pub use requests::{Request, Requests};
pub use simulator::{Simulator, StartError};
pub use target::DeliveryPolicy;
