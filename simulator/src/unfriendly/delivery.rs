//! Deliveries as odd senders make them.

use rand::{RngExt, rngs::SmallRng};
use serde_json::json;

use crate::faults::{Fault, Kind};

pub(super) fn draw(rng: &mut SmallRng) -> Vec<Fault> {
    let kinds = [
        Kind::DirectMessages,
        Kind::OddSideFields,
        Kind::UsersAsText,
        Kind::AlsoNames(json!("")),
        Kind::AlsoNames(json!(null)),
        Kind::Gzip,
        Kind::ByteOrderMark,
        Kind::NoEnvelopeId,
    ];
    kinds.into_iter().filter(|_| rng.random_bool(0.2)).map(Fault::webhook).collect()
}
