//! Who the events are from: the resource that goes with every batch.

use std::collections::BTreeMap;

use crate::build_info;

/// Our own attributes; what the operator gives wins over them.
pub(super) fn attributes(
    instance_id: &str,
    given: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let own = [
        ("service.name", "cii-exporter"),
        ("service.version", build_info::VERSION),
        ("service.instance.id", instance_id),
    ];
    let mut attributes: BTreeMap<_, _> =
        own.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    attributes.extend(given.clone());
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_wins_over_our_own() {
        let given = [("service.name", "prod-eu"), ("team", "iam")];
        let given = given.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let attributes = attributes("store-1", &given);
        assert_eq!(attributes["service.name"], "prod-eu");
        assert_eq!(attributes["team"], "iam");
        assert_eq!(attributes["service.instance.id"], "store-1");
        assert_eq!(attributes["service.version"], build_info::VERSION);
    }
}
