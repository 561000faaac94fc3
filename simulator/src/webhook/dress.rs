//! What faults make of a delivery: one envelope becomes what is sent.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::{
    faults::Kind,
    ids,
    tenant::{Check, Tenant},
};

/// A delivery as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    /// The envelope's id, or an empty text.
    pub(super) id: String,
    pub(super) body: Vec<u8>,
    /// Whether the body is compressed.
    pub(super) is_gzip: bool,
}

impl Parcel {
    /// An envelope as it is.
    pub(super) fn plain(envelope: &Value) -> Self {
        let id = envelope["id"].as_str().unwrap_or_default().to_owned();
        Self { id, body: envelope.to_string().into_bytes(), is_gzip: false }
    }
}

/// What is sent for an envelope about a check.
pub(super) fn parcels(
    envelope: Value,
    struck: &[Kind],
    tenant: &Tenant,
    check: &Check,
) -> Vec<Parcel> {
    let mut envelopes = vec![envelope];
    if struck.contains(&Kind::DirectMessages) {
        envelopes = envelopes.iter().flat_map(|one| direct_messages(one, tenant)).collect();
    }
    envelopes.into_iter().map(|one| parcel(one, struck, check)).collect()
}

fn parcel(mut envelope: Value, struck: &[Kind], check: &Check) -> Parcel {
    for kind in struck {
        edit(&mut envelope, kind, check);
    }
    let mut parcel = Parcel::plain(&envelope);
    if struck.contains(&Kind::ByteOrderMark) {
        parcel.body.splice(0..0, "\u{feff}".bytes());
    }
    if struck.contains(&Kind::Gzip) {
        parcel.body = gzip(&parcel.body);
        parcel.is_gzip = true;
    }
    parcel
}

/// A message for each user, with the fields of one user, as Exabeam's parser reads them.
fn direct_messages(envelope: &Value, tenant: &Tenant) -> Vec<Value> {
    let logins = envelope["detail"]["usersFailing"].as_array().cloned().unwrap_or_default();
    let message = |login: Value| {
        let title = login.as_str().and_then(|login| tenant.user(login)?.title.clone());
        let mut message = envelope.clone();
        message["id"] = json!(ids::uuid());
        let detail = &mut message["detail"];
        if let Some(fields) = detail.as_object_mut() {
            fields.remove("usersFailing");
            fields.remove("loginDetails");
        }
        detail["login"] = login;
        detail["explainabilityDetails"] =
            json!([{ "key": "userTitle", "value": title.unwrap_or_default() }]);
        detail["frameworks"] = json!(["MITRE ATT&CK"]);
        message
    };
    logins.into_iter().map(message).collect()
}

fn edit(envelope: &mut Value, kind: &Kind, check: &Check) {
    match kind {
        Kind::OddSideFields => odd_side_fields(envelope, check),
        Kind::UsersAsText => {
            let users = &mut envelope["detail"]["usersFailing"];
            // One text is one login: a list of several stays.
            if let Some([only]) = users.as_array().map(Vec::as_slice) {
                *users = only.clone();
            }
        }
        Kind::AlsoNames(name) => {
            if let Some(users) = envelope["detail"]["usersFailing"].as_array_mut() {
                users.push(name.clone());
            }
        }
        Kind::NoEnvelopeId => {
            if let Some(fields) = envelope.as_object_mut() {
                fields.remove("id");
            }
        }
        _ => {}
    }
}

fn odd_side_fields(envelope: &mut Value, check: &Check) {
    let seconds = envelope["detail"]["published"]
        .as_str()
        .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok())
        .map(|moment| moment.timestamp());
    envelope["account"] =
        json!(envelope["account"].as_str().and_then(|text| text.parse::<u64>().ok()));
    envelope["region"] = json!([envelope["region"]]);
    let detail = &mut envelope["detail"];
    detail["severity"] = json!(3);
    detail["published"] = json!(seconds);
    detail["title"] = json!({ "en": check.title });
    detail["description"] = json!(check.description.join(" "));
    detail["recommendedActions"] = json!(7);
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to memory does not fail; were it to, the receiver would see a broken body.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}
