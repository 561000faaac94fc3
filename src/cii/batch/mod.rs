//! Requests for several users or addresses at once, by GraphQL aliases. A subject that fails does
//! not fail the others.

#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod root;
mod sort;

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::{Value, json};

pub(super) use root::{Field, Root, selection};

use self::sort::{Sorted, sort_answer};
use super::{ApiError, Client, ErrorKind, GraphqlError, GraphqlErrors, HttpError, graphql::Answer};

/// The subjects of one request, by their positions among all.
#[derive(Debug, Clone, Default)]
struct Group {
    positions: Vec<usize>,
    /// How often the request failed temporarily.
    attempt: u32,
    /// Fields that are left out, because they made the answer fail.
    without: BTreeSet<&'static str>,
}

/// A query for all subjects, with its progress.
struct Question<'a> {
    root: &'a Root,
    subjects: &'a [&'a str],
    shared: Option<&'a Value>,
    /// Errors of fields that were then left out; they explain why these are missing.
    left_out: BTreeMap<usize, Vec<GraphqlError>>,
}

/// The result of a group: answers by position, and groups to request again.
#[derive(Default)]
struct Asked {
    answers: Vec<(usize, Result<Answer, ApiError>)>,
    again: Vec<Group>,
}

impl Client {
    /// Requests a root field for all subjects, in batches of the configured size. Each subject's
    /// part is parsed as an answer of its own. The results are in the order of the subjects.
    pub(super) async fn query_each<T>(
        &self,
        root: &Root,
        subjects: &[&str],
        shared: Option<Value>,
        understand: impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Vec<Result<T, ApiError>> {
        let mut question =
            Question { root, subjects, shared: shared.as_ref(), left_out: BTreeMap::new() };
        let mut understood = BTreeMap::new();
        let mut waiting = self.initial_groups(&question);
        while let Some(group) = waiting.pop() {
            let Asked { answers, again } = self.query_group(&mut question, group).await;
            for (position, answer) in answers {
                let answer = answer.map(|mut answer| {
                    let earlier = question.left_out.remove(&position).unwrap_or_default();
                    answer.errors.extend(earlier);
                    answer
                });
                understood.insert(position, answer.and_then(&understand));
            }
            waiting.extend(again);
        }
        understood.into_values().collect()
    }

    /// The first groups, as a stack. Subjects whose answers could not be parsed before have a group
    /// each.
    fn initial_groups(&self, question: &Question<'_>) -> Vec<Group> {
        let group = |positions| Group { positions, ..Group::default() };
        let (alone, together): (Vec<_>, Vec<_>) = (0..question.subjects.len()).partition(|at| {
            self.loners().contains(question.root.operation, question.subjects[*at])
        });
        let batches = together.chunks(self.batch_size().max(1)).map(<[usize]>::to_vec);
        batches.chain(alone.into_iter().map(|at| vec![at])).rev().map(group).collect()
    }

    async fn query_group(&self, question: &mut Question<'_>, group: Group) -> Asked {
        let (root, operation) = (question.root, question.root.operation);
        let all = |error: ApiError| Asked {
            answers: group.positions.iter().map(|at| (*at, Err(error.clone()))).collect(),
            again: Vec::new(),
        };
        if let Err(error) = self.rights().check_right(operation) {
            return all(error);
        }
        let subjects: Vec<_> = group.positions.iter().map(|at| question.subjects[*at]).collect();
        let query = root.query(subjects.len(), &group.without);
        let variables = root.variables(&subjects, question.shared);
        let body = json!({ "query": query, "variables": variables });
        let is_alone = subjects.len() == 1;
        match self.send_when_allowed(operation, &body, &Ok).await {
            Ok(answer) => {
                if is_alone {
                    self.loners().remove(operation, subjects[0]);
                }
                let sorted = sort_answer(root, &subjects, &group.without, answer);
                self.settle_subjects(question, &group, sorted).await
            }
            Err(error) if !is_alone && (error.is_bad_value() || is_too_much(&error)) => {
                Asked { answers: Vec::new(), again: group.halves() }
            }
            Err(error) => {
                if error.is_bad_value() {
                    self.loners().add(operation, subjects[0]);
                }
                if self.pause_before_retry(operation, &error, group.attempt).await {
                    let again = vec![Group { attempt: group.attempt + 1, ..group }];
                    return Asked { answers: Vec::new(), again };
                }
                all(error)
            }
        }
    }

    /// Handles each subject of an answer: keeps its result, or puts it in a group to request again.
    async fn settle_subjects(
        &self,
        question: &mut Question<'_>,
        group: &Group,
        sorted: Sorted,
    ) -> Asked {
        let at = |place: usize| group.positions[place];
        let root = question.root;
        let mut asked = Asked::default();
        let shows_right = |part: &Result<Answer, ApiError>| match part {
            Ok(answer) => !answer.is_empty(),
            Err(error) => error.is_not_found(),
        };
        if sorted.parts.iter().any(|(_, part)| shows_right(part)) {
            self.rights().record_grant(root.operation);
        }
        // A missing right affects all subjects.
        let (count, refused) = (group.positions.len(), sorted.refused.len());
        let is_missing =
            refused == count && self.rights().record_refusal(root.operation, count == 1);
        for (place, errors) in sorted.refused {
            let error = if is_missing {
                ApiError::NoRight { field: root.field() }
            } else {
                ApiError::Graphql(errors)
            };
            asked.answers.push((at(place), Err(error)));
        }
        asked.answers.extend(sorted.parts.into_iter().map(|(place, part)| (at(place), part)));
        let mut without = sorted.without;
        if let Some(error) = slowest_error(&sorted.passing) {
            if self.pause_before_retry(root.operation, &error, group.attempt).await {
                let positions = sorted.passing.iter().map(|(place, ..)| at(*place)).collect();
                let attempt = group.attempt + 1;
                asked.again.push(Group { positions, attempt, ..group.clone() });
            } else {
                for (place, errors, leaves) in sorted.passing {
                    if leaves.is_empty() {
                        asked.answers.push((at(place), Err(ApiError::Graphql(errors))));
                    } else {
                        without.entry(leaves).or_default().push((place, errors));
                    }
                }
            }
        }
        for (leaves, subjects) in without {
            let mut next = Group { attempt: 0, positions: Vec::new(), ..group.clone() };
            next.without.extend(leaves);
            for (place, errors) in subjects {
                next.positions.push(at(place));
                question.left_out.entry(at(place)).or_default().extend(errors.iter().cloned());
            }
            asked.again.push(next);
        }
        if !sorted.others.is_empty() {
            let positions = sorted.others.into_iter().map(at).collect();
            let others = Group { positions, ..group.clone() };
            asked.again.extend(if sorted.is_unnamed { others.halves() } else { vec![others] });
        }
        asked
    }
}

impl Group {
    fn halves(&self) -> Vec<Self> {
        let (left, right) = self.positions.split_at(self.positions.len() / 2);
        let half = |positions: &[usize]| Self { positions: positions.to_vec(), ..self.clone() };
        vec![half(right), half(left)]
    }
}

/// The error with the longest pause: throttling, else any.
fn slowest_error(passing: &[(usize, GraphqlErrors, BTreeSet<&'static str>)]) -> Option<ApiError> {
    let errors = passing.iter().map(|(_, errors, _)| errors);
    let throttled = errors.clone().find(|errors| errors.kind() == ErrorKind::Throttled);
    throttled.or_else(|| errors.clone().next()).cloned().map(ApiError::Graphql)
}

/// Whether the request may be too large for the service.
fn is_too_much(error: &ApiError) -> bool {
    let too_much = [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE];
    match error {
        ApiError::Http(HttpError::TooLarge { .. }) => true,
        ApiError::Http(HttpError::Client { status }) => {
            too_much.iter().any(|known| known.as_u16() == *status)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
