//! Brings what Cisco Identity Intelligence knows to Prometheus and OTLP.

pub mod domain;
