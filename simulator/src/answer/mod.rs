//! A right answer, and what the faults in force make of it: one file a kind of unfriendliness.

mod error;
mod field;
mod huge;
mod page;
mod place;
mod root;
mod row;
mod text;
mod unknown_login;

use serde_json::{Value, json};

use crate::faults::{Fault, Faults, Kind};

pub(crate) use page::is_of_circle;
pub(crate) use root::{Root, roots};
pub(crate) use text::render;

use place::{Path, at};

/// An answer before it is written down.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The root fields that were asked for.
    pub(crate) roots: Vec<Root>,
    /// `data`, with the values of all root fields that have one.
    pub(crate) data: Value,
    /// `errors`.
    pub(crate) errors: Vec<Value>,
    /// Whether `data` becomes null in the end.
    pub(crate) is_lost: bool,
}

impl Answer {
    /// Edits the answer as the faults in force want it.
    pub(crate) fn edit(&mut self, faults: &Faults) {
        faults.edit(|fault| self.apply(fault));
    }

    /// Edits the answer as one fault wants it; whether that changed anything.
    pub(crate) fn apply(&mut self, fault: &Fault) -> bool {
        let places = self.places(fault);
        match &fault.kind {
            Kind::Error(wanted) => error::put(self, &places, wanted),
            Kind::UnknownLogin(error_type, message) => {
                unknown_login::reword(self, &places, error_type, message)
            }
            Kind::ManyErrors(count) => huge::errors(self, &places, *count),
            Kind::ManyAddresses(count) => huge::addresses(self, &places, *count),
            Kind::Null(name) => field::set(self, &places, name, &Value::Null),
            Kind::NullForEmpty => field::empty_to_null(self, &places),
            Kind::Set(name, value) => field::set(self, &places, name, value),
            Kind::LoneSurrogate(name) => field::cut_emoji(self, &places, name),
            Kind::InvalidNumber(name) => {
                field::set(self, &places, name, &Value::from(text::INVALID_NUMBER))
            }
            Kind::OddRow(index, oddity) => row::spoil(self, &places, *index, oddity),
            Kind::ExtraRow(index, oddity) => row::insert(self, &places, *index, oddity),
            Kind::PageCircle(pages) => page::circle(self, &places, *pages),
            Kind::ExpiredPage => page::expire(self, &places),
            _ => false,
        }
    }

    /// Where a fault applies: root fields, or rows of their lists.
    fn places(&self, fault: &Fault) -> Vec<Path> {
        let operation = fault.operation.as_deref();
        let mut places = Vec::new();
        for root in self.roots.iter().filter(|root| root.is_of(operation)) {
            let path = vec![json!(root.key)];
            match &fault.subject {
                Some(subject) if !root.is_about(subject) => {
                    places.extend(self.rows_of(&path, subject));
                }
                _ => places.push(path),
            }
        }
        places
    }

    /// The rows of a root field's list that have this login.
    fn rows_of(&self, root: &[Value], login: &str) -> Vec<Path> {
        let Some(list) = row::list_of(&self.data, root) else { return Vec::new() };
        let rows = at(&self.data, &list).and_then(Value::as_array).into_iter().flatten();
        rows.enumerate()
            .filter(|(_, row)| row["login"] == login)
            .map(|(index, _)| list.iter().cloned().chain([json!(index)]).collect())
            .collect()
    }

    /// The answer as JSON; texts and numbers that JSON values cannot hold are still marks.
    pub(crate) fn into_json(self) -> Value {
        let data = if self.is_lost { Value::Null } else { self.data };
        if self.errors.is_empty() {
            json!({ "data": data })
        } else {
            json!({ "data": data, "errors": self.errors })
        }
    }
}
