//! One request about several users or addresses, by aliases. Whoever fails,
//! fails alone.

use std::{collections::BTreeMap, fmt::Write};

use reqwest::StatusCode;
use serde_json::{Map, Value};

use super::{
    ApiError, Client, GraphqlError, HttpError, PathSegment, graphql::Answer, meters::Operation,
};

/// A root field that is asked about one subject, or several at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    /// The root field.
    pub(super) operation: Operation,
    /// The argument that names the subject, a `String!`.
    pub(super) argument: &'static str,
    /// Another argument with its type, the same for all subjects.
    pub(super) shared: Option<(&'static str, &'static str)>,
    /// The type of the field.
    pub(super) type_name: &'static str,
    /// What is asked of it.
    pub(super) selection: &'static str,
}

impl Root {
    const fn field(&self) -> &'static str {
        self.operation.as_str()
    }

    /// The query about so many subjects.
    pub(super) fn query(&self, subjects: usize) -> String {
        let Self { argument, type_name, selection, .. } = self;
        let (declared, passed) = self.shared.map_or_else(Default::default, |(name, kind)| {
            (format!(", ${name}: {kind}"), format!(", {name}: ${name}"))
        });
        let variables: Vec<_> = (0..subjects)
            .map(|position| format!("${}: String!", self.variable(position, subjects)))
            .collect();
        let mut query = format!("query ({}{declared}) {{", variables.join(", "));
        for position in 0..subjects {
            let alias = if subjects == 1 { String::new() } else { format!("u{position}: ") };
            let variable = self.variable(position, subjects);
            // Writing to a String cannot fail.
            let _ = write!(
                query,
                "\n  {alias}{}({argument}: ${variable}{passed}) {{ ...asked }}",
                self.field()
            );
        }
        let _ = write!(query, "\n}}\nfragment asked on {type_name} {{\n{selection}\n}}");
        query
    }

    fn variable(&self, position: usize, subjects: usize) -> String {
        if subjects == 1 {
            self.argument.to_owned()
        } else {
            format!("{}{position}", self.argument)
        }
    }

    /// The name under which a subject's part of the answer comes.
    fn key(&self, position: usize, subjects: usize) -> String {
        if subjects == 1 { self.field().to_owned() } else { format!("u{position}") }
    }

    fn variables(&self, subjects: &[&str], shared: Option<&Value>) -> Value {
        let mut variables: Map<String, Value> = subjects
            .iter()
            .enumerate()
            .map(|(position, subject)| (self.variable(position, subjects.len()), (*subject).into()))
            .collect();
        if let (Some((name, _)), Some(value)) = (self.shared, shared) {
            variables.insert(name.to_owned(), value.clone());
        }
        variables.into()
    }

    /// A subject's part of a common answer, as if it alone had been asked about.
    fn part(&self, answer: &mut Answer, key: &str) -> Answer {
        let errors =
            answer.errors.iter().filter(|error| names(error).is_none_or(|name| name == key));
        let errors = errors.map(|error| self.renamed(error)).collect();
        let data = answer.data.remove(key).map(|value| (self.field().to_owned(), value));
        Answer { data: data.into_iter().collect(), errors }
    }

    /// The error with the root field's name in place of its alias.
    fn renamed(&self, error: &GraphqlError) -> GraphqlError {
        let mut error = error.clone();
        if let Some(PathSegment::Field(name)) = error.path.first_mut() {
            self.field().clone_into(name);
        }
        error
    }
}

/// The root field that an error is about, when it says so.
fn names(error: &GraphqlError) -> Option<&str> {
    match error.path.first() {
        Some(PathSegment::Field(name)) => Some(name),
        _ => None,
    }
}

impl Client {
    /// Asks a root field about every subject, as many a request as allowed, and
    /// has each part understood as if it had been asked for alone. The answers
    /// are in the order of the subjects.
    pub(super) async fn ask_each<T>(
        &self,
        root: &Root,
        subjects: &[&str],
        shared: Option<Value>,
        understand: impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Vec<Result<T, ApiError>> {
        let mut answers = BTreeMap::new();
        let positions: Vec<usize> = (0..subjects.len()).collect();
        let mut waiting: Vec<Vec<usize>> =
            positions.chunks(self.batch_size().max(1)).rev().map(<[usize]>::to_vec).collect();
        while let Some(group) = waiting.pop() {
            let asked: Vec<_> = group.iter().map(|position| subjects[*position]).collect();
            let variables = root.variables(&asked, shared.as_ref());
            let query = root.query(asked.len());
            let ended = self.execute(root.operation, &query, variables, Ok).await;
            let Sorted { parts, again } = sort(root, &group, ended);
            answers.extend(
                parts.into_iter().map(|(position, part)| (position, part.and_then(&understand))),
            );
            waiting.extend(again);
        }
        answers.into_values().collect()
    }
}

/// What came of a request about several subjects.
struct Sorted {
    /// Parts of the answer, by the subjects' positions.
    parts: Vec<(usize, Result<Answer, ApiError>)>,
    /// Groups to ask about again, because one failed for all.
    again: Vec<Vec<usize>>,
}

fn sort(root: &Root, group: &[usize], ended: Result<Answer, ApiError>) -> Sorted {
    let count = group.len();
    let error = match ended {
        Ok(mut answer) => {
            let parts = group.iter().enumerate().map(|(place, position)| {
                (*position, Ok(root.part(&mut answer, &root.key(place, count))))
            });
            return Sorted { parts: parts.collect(), again: Vec::new() };
        }
        Err(error) => error,
    };
    let alone = |error: ApiError| group.iter().map(|p| (*p, Err(error.clone()))).collect();
    match error {
        // Every root field is non-null, so one that fails takes the others with
        // it: those are asked for again without it.
        ApiError::Graphql(errors) => {
            let mut answer = Answer { data: Map::new(), errors: errors.to_vec() };
            let (mut parts, mut others) = (Vec::new(), Vec::new());
            for (place, position) in group.iter().enumerate() {
                let key = root.key(place, count);
                if answer.errors.iter().any(|error| names(error) == Some(&key)) {
                    let part = root.part(&mut answer, &key);
                    parts.push((*position, Err(ApiError::Graphql(part.errors.into()))));
                } else {
                    others.push(*position);
                }
            }
            match (parts.is_empty(), count) {
                (true, 1) => Sorted {
                    parts: alone(ApiError::Graphql(answer.errors.into())),
                    again: Vec::new(),
                },
                // No alias is named: halves find out whose error it is.
                (true, _) => Sorted { parts, again: halves(&others) },
                _ if others.is_empty() => Sorted { parts, again: Vec::new() },
                _ => Sorted { parts, again: vec![others] },
            }
        }
        // Perhaps the request is more than the service takes at once.
        error if count > 1 && is_too_much(&error) => {
            Sorted { parts: Vec::new(), again: halves(group) }
        }
        error => Sorted { parts: alone(error), again: Vec::new() },
    }
}

fn halves(group: &[usize]) -> Vec<Vec<usize>> {
    let (left, right) = group.split_at(group.len() / 2);
    vec![right.to_vec(), left.to_vec()]
}

fn is_too_much(error: &ApiError) -> bool {
    let too_much = [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE];
    match error {
        ApiError::Http(HttpError::TooLarge) => true,
        ApiError::Http(HttpError::Client { status }) => {
            too_much.iter().any(|known| known.as_u16() == *status)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
