//! A root field that is requested for one subject or for several.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::{Map, Value};

use crate::cii::{
    GraphqlError, PathSegment, graphql::Answer, graphql_error::Subject, lenient::is_void,
    meters::Operation,
};

/// A field of a selection.
#[derive(Debug, Clone, Copy)]
pub(in crate::cii) struct Field {
    /// Its name.
    pub(in crate::cii) name: &'static str,
    /// Its own fields in braces; empty for a leaf.
    pub(in crate::cii) below: &'static str,
}

impl Field {
    pub(in crate::cii) const fn leaf(name: &'static str) -> Self {
        Self { name, below: "" }
    }

    pub(in crate::cii) const fn nested(name: &'static str, below: &'static str) -> Self {
        Self { name, below }
    }
}

/// The selection, one line per field, without the fields to leave out.
pub(in crate::cii) fn selection(fields: &[Field], without: &BTreeSet<&str>) -> String {
    let kept = fields.iter().filter(|field| !without.contains(field.name));
    let lines: Vec<_> = kept
        .map(|Field { name, below }| format!("    {name} {below}").trim_end().to_owned())
        .collect();
    // GraphQL forbids an empty selection.
    if lines.is_empty() { "    __typename".to_owned() } else { lines.join("\n") }
}

/// A root field that is requested for one subject or for several.
#[derive(Debug, Clone, Copy)]
pub(in crate::cii) struct Root {
    /// The root field.
    pub(in crate::cii) operation: Operation,
    /// The argument of the subject, a `String!`.
    pub(in crate::cii) argument: &'static str,
    /// Another argument with its type, the same for all subjects.
    pub(in crate::cii) shared: Option<(&'static str, &'static str)>,
    /// The type of the field.
    pub(in crate::cii) type_name: &'static str,
    /// The text before and after the fields.
    pub(in crate::cii) around: (&'static str, &'static str),
    /// The depth of the fields in a path; the root field is at 0.
    pub(in crate::cii) depth: usize,
    /// The requested fields.
    pub(in crate::cii) fields: &'static [Field],
    /// Fields without which the answer is useless.
    pub(in crate::cii) needed: &'static [&'static str],
}

impl Root {
    pub(in crate::cii) const fn field(&self) -> &'static str {
        self.operation.into_str()
    }

    /// The subject of a request.
    pub(super) fn subject<'a>(&self, text: &'a str) -> Subject<'a> {
        if self.operation == Operation::GetEndUsersByIp {
            Subject::Address(text)
        } else {
            Subject::User(text)
        }
    }

    /// The query for this many subjects, without some fields.
    pub(in crate::cii) fn query(&self, subjects: usize, without: &BTreeSet<&str>) -> String {
        let Self { argument, type_name, around: (before, after), .. } = self;
        let (declared, passed) = self.shared.map_or_else(Default::default, |(name, kind)| {
            (format!(", ${name}: {kind}"), format!(", {name}: ${name}"))
        });
        let variables: Vec<_> = (0..subjects)
            .map(|position| format!("${}: String!", self.variable_name(position, subjects)))
            .collect();
        let mut query = format!("query ({}{declared}) {{", variables.join(", "));
        for position in 0..subjects {
            let alias = if subjects == 1 { String::new() } else { format!("u{position}: ") };
            let variable = self.variable_name(position, subjects);
            // Writing to a String cannot fail.
            let _ = write!(
                query,
                "\n  {alias}{}({argument}: ${variable}{passed}) {{ ...asked }}",
                self.field()
            );
        }
        let fields = selection(self.fields, without);
        let _ =
            write!(query, "\n}}\nfragment asked on {type_name} {{{before}\n{fields}\n{after}}}");
        query
    }

    fn variable_name(&self, position: usize, subjects: usize) -> String {
        if subjects == 1 {
            self.argument.to_owned()
        } else {
            format!("{}{position}", self.argument)
        }
    }

    /// The alias of a subject's part of the answer.
    pub(super) fn alias(&self, position: usize, subjects: usize) -> String {
        if subjects == 1 { self.field().to_owned() } else { format!("u{position}") }
    }

    pub(super) fn variables(&self, subjects: &[&str], shared: Option<&Value>) -> Value {
        let mut variables: Map<String, Value> = subjects
            .iter()
            .enumerate()
            .map(|(position, subject)| {
                (self.variable_name(position, subjects.len()), (*subject).into())
            })
            .collect();
        if let (Some((name, _)), Some(value)) = (self.shared, shared) {
            variables.insert(name.to_owned(), value.clone());
        }
        variables.into()
    }

    /// Extracts a subject's part of a common answer with its own errors, in the form of an answer
    /// for it alone.
    pub(super) fn take_part(
        &self,
        answer: &mut Answer,
        key: &str,
        errors: Vec<GraphqlError>,
    ) -> Answer {
        let data = answer.data.remove(key).map(|value| (self.field().to_owned(), value));
        Answer { data: data.into_iter().collect(), errors, max_items: answer.max_items }
    }

    /// Whether a subject's part of an answer lacks the object that contains the fields.
    pub(super) fn is_void(&self, part: &Value) -> bool {
        // The text around the fields begins with the object's name.
        let around = self.around.0.split_whitespace().next();
        part.is_null() || around.is_some_and(|name| part.get(name).is_none_or(Value::is_null))
    }

    /// Whether the only requested field is empty in this part.
    pub(super) fn is_field_missing(&self, part: &Value) -> bool {
        let [field] = self.fields else { return false };
        let around = self.around.0.split_whitespace().next();
        let object = around.map_or(part, |name| &part[name]);
        object.get(field.name).is_some_and(is_void)
    }

    /// Replaces the alias in an error's path by the name of the root field.
    pub(super) fn with_root_name(&self, mut error: GraphqlError) -> GraphqlError {
        if let Some(PathSegment::Field(name)) = error.path.first_mut() {
            self.field().clone_into(name);
        }
        error
    }

    /// The field of an error, when it can be left out.
    pub(super) fn removable_field(&self, error: &GraphqlError) -> Option<&'static str> {
        let name = error.field(self.depth)?;
        let field = self.fields.iter().find(|field| field.name == name)?;
        (!self.needed.contains(&field.name)).then_some(field.name)
    }
}
