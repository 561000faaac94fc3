//! The users of an address, as a JSON object by login; form 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Unreadable, from_json, to_json};
use crate::domain::{IpUser, IpUsers, Login, Timestamp, sensible};

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    id: String,
    display_name: String,
    reference_url: Option<String>,
    /// In microseconds since 1970.
    #[serde(default)]
    since: Option<i64>,
}

/// The number of the form, which is stored beside it. A row with another form cannot be decoded.
pub(in crate::store) const FORM: i64 = 1;

/// Encodes the users of an address.
pub(in crate::store) fn encode(users: &IpUsers) -> String {
    let row = |user: &IpUser| Row {
        id: user.id.clone(),
        display_name: user.display_name.clone(),
        reference_url: user.reference_url.clone(),
        since: user.since.map(|since| since.timestamp_micros()),
    };
    let rows: BTreeMap<_, _> =
        users.iter().map(|(login, user)| (login.spelling(), row(user))).collect();
    to_json(&rows)
}

/// Decodes the users of an address.
pub(in crate::store) fn decode(form: i64, json: &str) -> Result<IpUsers, Unreadable> {
    if form != FORM {
        return Err(Unreadable::Form(form));
    }
    from_json::<BTreeMap<String, Row>>(json)?
        .into_iter()
        .map(|(login, row)| {
            let login = Login::new(&login)?;
            let Row { id, display_name, reference_url, since } = row;
            let since = since.and_then(Timestamp::from_timestamp_micros).map(sensible);
            Ok((login, IpUser { id, display_name, reference_url, since }))
        })
        .collect()
}
