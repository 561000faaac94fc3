//! Extracts fields from the path and the query of a request.

use std::collections::BTreeMap;

use axum::{
    extract::{FromRequestParts, Path},
    http::{Uri, request::Parts},
};

use serde::de::DeserializeOwned;

use super::{link, problem::Problem};

/// The fields of a query. A handler takes each known field by name; [`Fields::finish`] rejects
/// those that are left, so that a misspelt field is no silent no-op.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Parses the query of a URI.
    ///
    /// # Errors
    /// When a field occurs twice.
    pub(super) fn parse(uri: &Uri) -> Result<Self, Problem> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if fields.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(Problem::bad_request(format!("{name:?} is given twice; give it once")));
            }
        }
        Ok(Self(fields))
    }

    /// Takes a field's text.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes the subject of a page from the query, for a subject that cannot be in the path (`.`,
    /// `..`).
    ///
    /// # Errors
    /// When the field is missing or empty.
    pub(super) fn take_subject(&mut self, kind: &str) -> Result<String, Problem> {
        let field = link::subject_field(kind);
        self.take(field).filter(|text| !text.is_empty()).ok_or_else(|| {
            Problem::not_found(format!(
                "/{kind} is no page by itself: write /{kind}/ and the {field}, or \
                 /{kind}?{field}= and the {field}; the search field finds users, checks and addresses"
            ))
        })
    }

    /// Takes a field's whole number, between `least` and `most`.
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

    /// Takes `limit`, the most items of a page.
    pub(super) fn take_limit(&mut self) -> Result<Option<usize>, Problem> {
        let limit = self.take_number("limit", 1, 1000)?;
        Ok(limit.and_then(|limit| usize::try_from(limit).ok()))
    }

    /// Drops empty fields: a browser sends every field of a form.
    pub(super) fn without_empty(mut self) -> Self {
        self.0.retain(|_, value| !value.trim().is_empty());
        self
    }

    /// Checks that every field was taken.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Problem::bad_request(format!(
                "{name:?} is no field of this query; /api/v1/openapi.json lists the fields"
            ))),
        }
    }
}

/// The variable part of the path, unescaped; several parts as a tuple.
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
