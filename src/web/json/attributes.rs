//! JSON form of an event's attributes.

use serde::{Serialize, Serializer};

use crate::domain::{self, AttributeValue};

/// Attributes by name, each a boolean, an integer, a string or a list of strings.
#[derive(Debug)]
pub struct Attributes(domain::Attributes);

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Flag(bool),
    Integer(i64),
    Text(&'a str),
    List(&'a [String]),
}

impl From<domain::Attributes> for Attributes {
    fn from(attributes: domain::Attributes) -> Self {
        Self(attributes)
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Value::from(value))))
    }
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
