//! The root fields of a request: what it asks for, under which name, about whom.

use async_graphql::{
    Value as Literal,
    parser::types::{DocumentOperations, Field, Selection},
};
use serde_json::Value;

/// A root field of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Root {
    /// Its name in the answer: the alias, if it has one.
    pub(crate) key: String,
    /// Its name in the schema.
    pub(crate) operation: String,
    /// Its arguments, by name.
    pub(crate) arguments: Vec<(String, Value)>,
}

impl Root {
    pub(super) fn is_of(&self, operation: Option<&str>) -> bool {
        operation.is_none_or(|wanted| wanted == self.operation)
    }

    pub(super) fn is_about(&self, subject: &str) -> bool {
        self.arguments.iter().any(|(_, value)| value == subject)
    }

    pub(super) fn argument(&self, name: &str) -> Option<&Value> {
        self.arguments.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }
}

/// The root fields that a query asks for; none when it cannot be parsed.
pub(crate) fn roots(query: &str, variables: &Value) -> Vec<Root> {
    let Ok(document) = async_graphql::parser::parse_query(query) else { return Vec::new() };
    let definitions: Vec<_> = match &document.operations {
        DocumentOperations::Single(single) => vec![single],
        DocumentOperations::Multiple(many) => many.values().collect(),
    };
    definitions
        .into_iter()
        .flat_map(|definition| &definition.node.selection_set.node.items)
        .filter_map(|item| match &item.node {
            Selection::Field(field) => Some(root(&field.node, variables)),
            _ => None,
        })
        .collect()
}

fn root(field: &Field, variables: &Value) -> Root {
    let arguments = field.arguments.iter().map(|(name, value)| {
        let value = value.node.clone().into_const_with(|variable| {
            let given = variables.get(variable.as_str()).cloned().unwrap_or_default();
            Literal::from_json(given)
        });
        let value = value.ok().and_then(|value| value.into_json().ok());
        (name.node.to_string(), value.unwrap_or_default())
    });
    Root {
        key: field.response_key().node.to_string(),
        operation: field.name.node.to_string(),
        arguments: arguments.collect(),
    }
}
