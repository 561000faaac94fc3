//! An OTLP receiver made of OpenTelemetry's own stubs.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use cii_simulator::collector::Collector;
use cii_test_cluster::free_port;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{tool, until};

/// How events get to the receiver.
#[derive(Debug, Clone, Copy)]
pub enum Protocol {
    Grpc,
    Http,
}

impl Protocol {
    /// Where a collector takes records over this protocol.
    pub fn endpoint_of(self, collector: &Collector) -> String {
        match self {
            Self::Http => collector.http_endpoint(),
            Self::Grpc => collector.grpc_endpoint(),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http/protobuf",
        }
    }
}

/// A running receiver; dropping it kills it. What it received stays.
pub struct Receiver {
    child: Child,
    ports: Value,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        // Its own choice would be ports that a client can take while it is stopped.
        let ports = json!({ "grpc_port": free_port(), "http_port": free_port() });
        Self::on(&ports, Arc::default()).await
    }

    /// Ends the receiver; its ports answer no more.
    pub async fn stop(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Starts it again on the ports it had.
    pub async fn restart(&mut self) {
        *self = Self::on(&self.ports, self.lines.clone()).await;
    }

    async fn on(ports: &Value, lines: Arc<Mutex<Vec<Value>>>) -> Self {
        let port = |name: &str| ports[name].to_string();
        let mut child = Command::new(tool("venv/bin/python"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/receiver/receiver.py"))
            .args(["--grpc-port", &port("grpc_port"), "--http-port", &port("http_port")])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the receiver starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = output.next_line().await.expect("readable").expect("its addresses");
        let ports = serde_json::from_str(&first).expect("JSON");
        let sink = lines.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                let record = serde_json::from_str(&line).expect("JSON");
                sink.lock().expect("no panic").push(record);
            }
        });
        Self { child, ports, lines }
    }

    pub fn endpoint(&self, protocol: Protocol) -> String {
        let port = match protocol {
            Protocol::Grpc => &self.ports["grpc_port"],
            Protocol::Http => &self.ports["http_port"],
        };
        format!("http://127.0.0.1:{port}")
    }

    /// Everything received, in order.
    pub fn received(&self) -> Vec<Value> {
        self.lines.lock().expect("no panic").clone()
    }

    /// Waits until at least so many records came.
    pub async fn until_received(&self, count: usize) -> Vec<Value> {
        until(&format!("{count} records at the receiver"), || async {
            let received = self.received();
            (received.len() >= count).then_some(received)
        })
        .await
    }
}

/// The value of a record's attribute: a text, a number, or a list of texts.
pub fn attribute(received: &Value, key: &str) -> Option<Value> {
    let attributes = received["record"]["attributes"].as_array()?;
    let value = &attributes.iter().find(|attribute| attribute["key"] == key)?["value"];
    if let Some(values) = value.get("arrayValue") {
        let texts = values["values"].as_array().cloned().unwrap_or_default();
        return Some(texts.iter().map(|text| text["stringValue"].clone()).collect());
    }
    value.as_object()?.values().next().cloned()
}

/// The names of events, in order.
pub fn names(received: &[Value]) -> Vec<&str> {
    received.iter().filter_map(|line| line["record"]["eventName"].as_str()).collect()
}
