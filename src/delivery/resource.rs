//! Who the events are from: the resource that goes with every batch.

use std::collections::BTreeMap;

use crate::build_info;

const SERVICE: &str = "cii-exporter";

const NAME: &str = "service.name";

/// The attributes of the resource, and what of `OTEL_RESOURCE_ATTRIBUTES` cannot be
/// used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ResourceAttributes {
    pub(super) attributes: BTreeMap<String, String>,
    /// The entries' positions, from 1 on: their text may be a secret in the wrong
    /// place.
    pub(super) malformed: Vec<usize>,
}

/// Our own attributes, then `OTEL_RESOURCE_ATTRIBUTES`, then `OTEL_SERVICE_NAME`:
/// each wins over those before it, as the specification of OpenTelemetry's SDK
/// says. The SDK's own reading is not used: it does not decode percent signs, says
/// nothing of malformed entries, and what a program sets wins over it.
pub(super) fn attributes(
    instance_id: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> ResourceAttributes {
    let own = [
        (NAME, SERVICE),
        ("service.version", build_info::VERSION),
        ("service.instance.id", instance_id),
    ];
    let mut attributes: BTreeMap<String, String> =
        own.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let mut malformed = Vec::new();
    let given = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    for (position, entry) in (1..).zip(given.split(',')) {
        match parse(entry) {
            Some((key, value)) => {
                attributes.insert(key, value);
            }
            // A comma at the end is common and means nothing.
            None if entry.trim().is_empty() => {}
            None => malformed.push(position),
        }
    }
    let name = variable("OTEL_SERVICE_NAME").map(|name| name.trim().to_owned());
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        attributes.insert(NAME.to_owned(), name);
    }
    ResourceAttributes { attributes, malformed }
}

/// `key=value`, with what is special in either percent-encoded.
fn parse(entry: &str) -> Option<(String, String)> {
    let decode = |text: &str| {
        let text = text.trim();
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    let (key, value) = entry.split_once('=')?;
    let (key, value) = (decode(key)?, decode(value)?);
    // An empty name is as good as none; other attributes may be empty.
    let is_unusable = key.is_empty() || (key == NAME && value.is_empty());
    (!is_unusable).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> ResourceAttributes {
        attributes("store-1", |name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn each_source_wins_over_those_before_it() {
        let given = "service.name=attr,service.instance.id=mine,deployment.environment.name=prod";
        let (given, name) = (("OTEL_RESOURCE_ATTRIBUTES", given), ("OTEL_SERVICE_NAME", "prod-eu"));
        for (variables, expected, instance) in [
            (vec![], SERVICE, "store-1"),
            (vec![given], "attr", "mine"),
            (vec![name], "prod-eu", "store-1"),
            (vec![given, name], "prod-eu", "mine"),
            (vec![given, ("OTEL_SERVICE_NAME", " ")], "attr", "mine"),
        ] {
            let attributes = with(&variables).attributes;
            assert_eq!(attributes[NAME], expected, "{variables:?}");
            assert_eq!(attributes["service.instance.id"], instance);
            assert_eq!(attributes["service.version"], build_info::VERSION);
        }
        assert_eq!(with(&[given]).attributes["deployment.environment.name"], "prod");
    }

    #[test]
    fn malformed_entries_cost_only_themselves() {
        let given =
            ("OTEL_RESOURCE_ATTRIBUTES", "a=1%2C2, b = x=y ,secret,=z,c=,bad=%ff,,service.name=,");
        let ResourceAttributes { attributes, malformed } = with(&[given]);
        assert_eq!(malformed, [3, 4, 6, 8]);
        let of = |key: &str| attributes.get(key).map(String::as_str);
        assert_eq!((of("a"), of("b"), of("c")), (Some("1,2"), Some("x=y"), Some("")));
        assert_eq!((of("bad"), of(NAME)), (None, Some(SERVICE)));
    }
}
