//! The resource of events, from the standard variables of OpenTelemetry.

use std::collections::BTreeMap;

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

/// The attribute that `OTEL_SERVICE_NAME` sets.
const NAME: &str = "service.name";

/// Reads `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`, which takes precedence by the
/// specification. The parser of OpenTelemetry's SDK is not used: it does not decode
/// percent-encoding, ignores malformed entries silently, and attributes set by the program override
/// it.
///
/// Malformed entries are added to `warnings` by position, from 1: their text may be a misplaced
/// secret.
pub(super) fn read_attributes(
    variable: impl Fn(&str) -> Option<String>,
    warnings: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let given = variable(ATTRIBUTES).unwrap_or_default();
    let mut malformed = Vec::new();
    for (position, entry) in (1..).zip(given.split(',')) {
        match parse_entry(entry) {
            Some((key, value)) => {
                attributes.insert(key, value);
            }
            // A trailing comma is common and harmless.
            None if entry.trim().is_empty() => {}
            None => malformed.push(position),
        }
    }
    if !malformed.is_empty() {
        let malformed: Vec<_> = malformed.iter().map(i32::to_string).collect();
        let positions = malformed.join(", ");
        warnings
            .push(format!("{ATTRIBUTES}: entries that are not key=value are ignored: {positions}"));
    }
    let name = variable(SERVICE_NAME).map(|name| name.trim().to_owned());
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        attributes.insert(NAME.to_owned(), name);
    }
    attributes
}

/// Parses `key=value` with percent-encoding.
fn parse_entry(entry: &str) -> Option<(String, String)> {
    let decode = |text: &str| {
        let text = text.trim();
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    let (key, value) = entry.split_once('=')?;
    let (key, value) = (decode(key)?, decode(value)?);
    // An empty service name counts as not set; other attributes may be empty.
    let is_unusable = key.is_empty() || (key == NAME && value.is_empty());
    (!is_unusable).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> (BTreeMap<String, String>, Vec<String>) {
        let variable = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        };
        let mut warnings = Vec::new();
        let attributes = read_attributes(variable, &mut warnings);
        (attributes, warnings)
    }

    #[test]
    fn the_name_wins_over_the_attributes() {
        let given = (ATTRIBUTES, "service.name=attr,deployment.environment.name=prod");
        let name = (SERVICE_NAME, "prod-eu");
        for (variables, expected) in [
            (vec![], None),
            (vec![given], Some("attr")),
            (vec![name], Some("prod-eu")),
            (vec![given, name], Some("prod-eu")),
            (vec![given, (SERVICE_NAME, " ")], Some("attr")),
        ] {
            let (attributes, warnings) = with(&variables);
            assert_eq!(attributes.get(NAME).map(String::as_str), expected, "{variables:?}");
            assert!(warnings.is_empty(), "{warnings:?}");
        }
        assert_eq!(with(&[given]).0["deployment.environment.name"], "prod");
    }

    #[test]
    fn malformed_entries_cost_only_themselves() {
        let given = (ATTRIBUTES, "a=1%2C2, b = x=y ,secret,=z,c=,bad=%ff,,service.name=,");
        let (attributes, warnings) = with(&[given]);
        assert!(warnings[0].ends_with("ignored: 3, 4, 6, 8"), "{warnings:?}");
        assert!(!warnings[0].contains("secret"), "{warnings:?}");
        let expected = [("a", "1,2"), ("b", "x=y"), ("c", "")];
        assert_eq!(attributes, expected.map(|(key, value)| (key.into(), value.into())).into());
    }
}
