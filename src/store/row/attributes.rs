//! Attributes of events, as a JSON object.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor},
};

use super::{Unreadable, explanation, from_json, to_json};
use crate::domain::{AttributeValue, Attributes, event::key};

/// Encodes attributes.
pub(in crate::store) fn encode(attributes: &Attributes) -> String {
    to_json(&Written(attributes))
}

/// Decodes attributes.
pub(in crate::store) fn decode(json: &str) -> Result<Attributes, Unreadable> {
    from_json::<Read>(json).map(|Read(attributes)| attributes)
}

struct Written<'a>(&'a Attributes);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Value::from(value))))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Flag(bool),
    Integer(i64),
    Text(&'a str),
    List(&'a [String]),
}

impl<'a> From<&'a AttributeValue> for Value<'a> {
    fn from(value: &'a AttributeValue) -> Self {
        match value {
            AttributeValue::Flag(flag) => Self::Flag(*flag),
            AttributeValue::Integer(number) => Self::Integer(*number),
            AttributeValue::Text(text) => Self::Text(text),
            AttributeValue::List(texts) => Self::List(texts),
        }
    }
}

struct Read(Attributes);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(ByName).map(Self)
    }
}

/// Names that older versions stored, and their current names. Stored events are not rewritten: a
/// log is long, and few of its events have one of these.
const RENAMED: [(&str, &str); 5] = [
    ("error.message", key::ERROR_MESSAGE),
    ("cii.user.status.previous", key::STATUS_PREVIOUS),
    ("cii.integration.status.previous", key::INTEGRATION_STATUS_PREVIOUS),
    ("cii.poll.outcome.previous", key::POLL_OUTCOME_PREVIOUS),
    ("cii.sync.outcome.previous", key::SYNC_OUTCOME_PREVIOUS),
];

/// The current name of a stored name.
fn current_name(name: String) -> String {
    let renamed = RENAMED.iter().find(|(stored, _)| *stored == name);
    renamed.map_or(name, |(_, today)| (*today).to_owned())
}

struct ByName;

impl<'de> Visitor<'de> for ByName {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attributes by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut attributes = Attributes::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = match map.next_value_seed(ByType)? {
                AttributeValue::Text(json) if name == key::CHECK_EXPLANATION => {
                    AttributeValue::List(explanation::entries(&json))
                }
                other => other,
            };
            attributes.insert(current_name(name), value);
        }
        Ok(attributes)
    }
}

struct ByType;

/// Reads a value by its JSON type. A derived `untagged` implementation buffers each value and tries
/// one variant after the other: it took three times as long, which was half of the cost of sending
/// an event.
impl<'de> DeserializeSeed<'de> for ByType {
    type Value = AttributeValue;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<AttributeValue, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ByType {
    type Value = AttributeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flag, a whole number, a text, or a list of texts")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Flag(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<AttributeValue, E> {
        let too_large = |_| E::invalid_value(Unexpected::Unsigned(number), &self);
        i64::try_from(number).map(AttributeValue::Integer).map_err(too_large)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AttributeValue, E> {
        Ok(AttributeValue::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<AttributeValue, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(AttributeValue::List(texts))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_type_of_json_is_one_kind_of_value() {
        for (json, value) in [
            ("true", AttributeValue::Flag(true)),
            ("-3", AttributeValue::Integer(-3)),
            ("9223372036854775807", AttributeValue::Integer(i64::MAX)),
            (r#""""#, AttributeValue::from("")),
            (r#""a \"b\" \u00e9""#, AttributeValue::from("a \"b\" é")),
            ("[]", AttributeValue::List(vec![])),
            (r#"["a","b"]"#, AttributeValue::List(vec!["a".to_owned(), "b".to_owned()])),
        ] {
            let json = format!(r#"{{"name":{json}}}"#);
            let attributes = Attributes::from([("name".to_owned(), value)]);
            assert_eq!(decode(&json).unwrap(), attributes, "{json}");
        }
    }

    #[test]
    fn names_that_older_versions_stored_are_read_as_those_of_today() {
        let read =
            decode(r#"{"cii.poll.outcome":"refused","cii.poll.outcome.previous":"answered"}"#);
        let of_today = [("cii.poll.outcome", "refused"), ("cii.poll.previous_outcome", "answered")];
        let of_today = of_today.map(|(name, value)| (name.to_owned(), value.into()));
        assert_eq!(read.unwrap(), Attributes::from(of_today));
        let read = decode(r#"{"error.message":"no","cii.check.explanation":"[\"a\",\"b\"]"}"#);
        let reasons = AttributeValue::List(vec!["a".to_owned(), "b".to_owned()]);
        let of_today = [("cii.error.message", "no".into()), ("cii.check.explanation", reasons)];
        let of_today = of_today.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(read.unwrap(), Attributes::from(of_today));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for json in ["null", "1.5", "9223372036854775808", "{}", "[1]", r#"[["a"]]"#, "[null]"] {
            assert!(decode(&format!(r#"{{"name":{json}}}"#)).is_err(), "{json}");
        }
    }

    fn values() -> impl Strategy<Value = AttributeValue> {
        prop_oneof![
            any::<bool>().prop_map(AttributeValue::Flag),
            any::<i64>().prop_map(AttributeValue::Integer),
            any::<String>().prop_map(AttributeValue::Text),
            proptest::collection::vec(any::<String>(), 0..4).prop_map(AttributeValue::List),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            attributes in proptest::collection::btree_map(any::<String>(), values(), 0..4),
        ) {
            let attributes: Attributes = attributes.into_iter().collect();
            prop_assert_eq!(decode(&encode(&attributes)).unwrap(), attributes);
        }
    }
}
