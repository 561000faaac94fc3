//! What a commit touched, as JSON that other replicas read within seconds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Unreadable, from_json, to_json};
use crate::{
    domain::{CheckId, Login},
    ledger::{CheckSet, Subject, Touched},
};

/// Maximum number of subjects that are listed; with more, everything must be read again.
const MOST: usize = 20_000;

/// The stored form. A field that is missing is empty.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<String>,
    /// Subjects without a key, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    people: Vec<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    check_sets: BTreeSet<CheckSet>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    anew: bool,
}

/// Encodes what a commit touched.
pub(in crate::store) fn encode(touched: &Touched) -> String {
    if touched.len() > MOST {
        return to_json(&Stored { anew: true, ..Stored::default() });
    }
    let mut stored = Stored {
        people: touched.people.iter().map(ToString::to_string).collect(),
        check_sets: touched.check_sets.clone(),
        anew: touched.is_anew,
        ..Stored::default()
    };
    for subject in &touched.subjects {
        match subject {
            Subject::Check(id) => stored.checks.push(id.as_str().to_owned()),
            Subject::User(login) => stored.users.push(login.as_str().to_owned()),
            Subject::Ip(ip) => stored.ips.push(ip.to_string()),
            Subject::Watched => stored.others.push("watched".to_owned()),
            Subject::Webhook => stored.others.push("webhook".to_owned()),
            Subject::Tenant => stored.others.push("tenant".to_owned()),
            Subject::Service => stored.others.push("service".to_owned()),
        }
    }
    to_json(&stored)
}

/// Decodes what a commit touched.
///
/// # Errors
/// When it cannot be decoded, for example because a newer exporter wrote it: everything must be
/// read again then.
pub(in crate::store) fn decode(json: &str) -> Result<Touched, Unreadable> {
    let stored: Stored = from_json(json)?;
    let mut subjects = BTreeSet::new();
    for id in &stored.checks {
        let id = CheckId::new(id).ok_or(Unreadable::Unknown("check"))?;
        subjects.insert(Subject::Check(id));
    }
    for login in &stored.users {
        subjects.insert(Subject::User(Login::new(login)?));
    }
    for ip in &stored.ips {
        subjects.insert(Subject::Ip(ip.parse().map_err(|_| Unreadable::Unknown("address"))?));
    }
    for other in &stored.others {
        subjects.insert(match other.as_str() {
            "watched" => Subject::Watched,
            "webhook" => Subject::Webhook,
            "tenant" => Subject::Tenant,
            "service" => Subject::Service,
            _ => return Err(Unreadable::Unknown("subject")),
        });
    }
    let people: Result<_, _> = stored.people.iter().map(|login| Login::new(login)).collect();
    Ok(Touched { subjects, people: people?, check_sets: stored.check_sets, is_anew: stored.anew })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_touched_comes_back() {
        let login = |text: &str| Login::new(text).unwrap();
        let touched = Touched {
            subjects: [
                Subject::Check(CheckId::new("check-1").unwrap()),
                Subject::User(login("ada@example.com")),
                Subject::Ip("192.0.2.1".parse().unwrap()),
                Subject::Watched,
                Subject::Webhook,
                Subject::Tenant,
                Subject::Service,
            ]
            .into(),
            people: vec![login("bob@example.com")],
            check_sets: [vec![1, 2], vec![3]].into(),
            is_anew: false,
        };
        assert_eq!(decode(&encode(&touched)).unwrap(), touched);
        assert_eq!(decode("{}").unwrap(), Touched::default());
        assert!(decode(r#"{"others":["newer"]}"#).is_err());
    }

    #[test]
    fn who_touched_very_much_has_everything_read_anew() {
        let people = (0..=MOST).map(|n| Login::new(&format!("u{n}@x")).unwrap()).collect();
        let told = decode(&encode(&Touched { people, ..Touched::default() })).unwrap();
        assert_eq!(told, Touched::everything());
    }
}
