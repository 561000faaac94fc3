//! Webhook deliveries to send.

use serde_json::{Value, json};

/// The secret that the daemons of the tests expect.
pub const SECRET: &str = "a-secret-of-the-tests";

/// The payload of a real delivery, as published.
pub fn sample_payload() -> &'static str {
    include_str!("../../payloads/failed-check-no-mfa.json")
}

/// A delivery of our own.
#[derive(Debug, Clone)]
pub struct Body {
    pub id: String,
    pub check_id: String,
    pub users: Vec<String>,
}

impl Body {
    pub fn new(id: &str, check_id: &str, users: &[&str]) -> Self {
        let users = users.iter().map(|&user| user.to_owned()).collect();
        Self { id: id.to_owned(), check_id: check_id.to_owned(), users }
    }

    /// Published now.
    pub fn json(&self) -> Value {
        let now = cii_exporter::clock::now();
        self.json_of(&now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    }

    /// Published at this moment.
    pub fn json_of(&self, published: &str) -> Value {
        json!({
            "version": "0",
            "id": self.id,
            "detail-type": "FAILED_CHECK",
            "source": "tests",
            "account": "123456789012",
            "time": "2026-01-02T03:04:05Z",
            "region": "eu-central-1",
            "detail": {
                "id": format!("detail-{}", self.id),
                "checkId": self.check_id,
                "title": format!("Title of {}", self.check_id),
                "severity": "high",
                "usersFailing": self.users,
                "description": ["What it looks for."],
                "recommendedActions": ["What to do."],
                "published": published,
            },
        })
    }
}
