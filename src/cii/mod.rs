//! The interface to the service: its API (token, GraphQL client, queries) and the body of its
//! webhook.
//!
//! `schema.graphql` beside this file is the published schema; a test validates every query against
//! it.

mod answered;
mod batch;
mod budget;
mod circuit;
mod client;
mod error;
mod exchange;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod graphql;
mod graphql_error;
mod hide;
pub(crate) mod json;
mod lenient;
mod listed;
mod loners;
mod meters;
mod page_tokens;
mod queries;
mod retry;
mod rights;
mod rows;
mod token;
pub mod webhook;

#[cfg(test)]
mod fake;

pub use answered::Answered;
pub use client::{Client, HttpSetupError};
pub use error::{ApiError, HttpError, TokenError};
pub use graphql_error::{ErrorKind, GraphqlError, GraphqlErrors, PathSegment};
pub use listed::Listed;
pub use meters::{Meters, Outcome};
pub use page_tokens::PageTokens;
pub use queries::{Card, EndUser, EndUsersPage, NewTarget, Question, Trial};
