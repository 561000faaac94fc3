//! The schema that is served is the schema that was published.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::parser::{
    parse_schema,
    types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition},
};

use super::schema;
use crate::{options::Options, service::Service};

const PUBLISHED: &str = include_str!("../../schema.graphql");

/// A type's members: its fields with their arguments and types, or its values.
fn members(sdl: &str) -> BTreeMap<String, Vec<String>> {
    let document = parse_schema(sdl).unwrap();
    let mut types = BTreeMap::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let definition = definition.node;
        let mut members: Vec<String> = match &definition.kind {
            TypeKind::Object(object) => object.fields.iter().map(|f| field(&f.node)).collect(),
            TypeKind::InputObject(input) => input.fields.iter().map(|f| value(&f.node)).collect(),
            TypeKind::Enum(values) => {
                values.values.iter().map(|v| v.node.value.node.to_string()).collect()
            }
            _ => Vec::new(),
        };
        members.sort();
        types.insert(definition.name.node.to_string(), members);
    }
    types
}

fn field(field: &FieldDefinition) -> String {
    let arguments: Vec<_> = field.arguments.iter().map(|a| value(&a.node)).collect();
    format!("{}({}): {}", field.name.node, arguments.join(", "), field.ty.node)
}

fn value(value: &InputValueDefinition) -> String {
    format!("{}: {}", value.name.node, value.ty.node)
}

#[test]
fn every_type_field_argument_and_value_is_as_published() {
    let served = members(&schema(Arc::new(Service::new(Options::default()))).sdl());
    let published = members(PUBLISHED);
    for (name, members) in &published {
        assert_eq!(served.get(name), Some(members), "{name}");
    }
    for name in served.keys() {
        assert!(published.contains_key(name), "{name} is served and was not published");
    }
}
