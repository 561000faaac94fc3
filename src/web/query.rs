//! What stands in a request's path and query.

use std::collections::BTreeMap;

use axum::{
    extract::{FromRequestParts, Path},
    http::{Uri, request::Parts},
};

use serde::de::DeserializeOwned;

use super::{link, problem::Problem};

/// The fields of a query. Each is taken out by name; what is left over at the
/// end was not understood.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Takes the query apart.
    ///
    /// # Errors
    /// When a field stands there twice.
    pub(super) fn parse(uri: &Uri) -> Result<Self, Problem> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if fields.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(Problem::bad_request(format!("{name:?} is given twice; give it once")));
            }
        }
        Ok(Self(fields))
    }

    /// A field's text.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// What a page is about that is no part of its path: browsers take `.` and `..` out of one.
    ///
    /// # Errors
    /// When it is not named.
    pub(super) fn take_subject(&mut self, kind: &str) -> Result<String, Problem> {
        let field = link::subject_field(kind);
        self.take(field).filter(|text| !text.is_empty()).ok_or_else(|| {
            Problem::not_found(format!(
                "/{kind} is no page by itself: write /{kind}/ and the {field}, or \
                 /{kind}?{field}= and the {field}; the search field finds users, checks and addresses"
            ))
        })
    }

    /// A field's whole number, between `least` and `most`.
    pub(super) fn take_number(
        &mut self,
        name: &str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, Problem> {
        let Some(text) = self.take(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Problem::bad_request(format!(
                "{name}={text} is no whole number from {least} to {most}"
            ))),
        }
    }

    /// How many things a page of an answer may hold.
    pub(super) fn take_limit(&mut self) -> Result<Option<usize>, Problem> {
        let limit = self.take_number("limit", 1, 1000)?;
        Ok(limit.and_then(|limit| usize::try_from(limit).ok()))
    }

    /// Drops fields that a form sent empty.
    pub(super) fn without_empty(mut self) -> Self {
        self.0.retain(|_, value| !value.trim().is_empty());
        self
    }

    /// Holds that every field was understood.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::bad_request(format!(
                "{name:?} is no field of this query; /api/v1/openapi.json lists the fields"
            ))),
        }
    }
}

/// The part of the path that varies, with escapes undone; several as a tuple.
#[derive(Debug)]
pub(super) struct Segment<T = String>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segment = Path::<T>::from_request_parts(parts, state).await;
        segment.map(|Path(text)| Self(text)).map_err(|_| {
            Problem::bad_request("the path is not UTF-8; escape each byte of the name as %XX")
        })
    }
}
