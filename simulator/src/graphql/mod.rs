//! The GraphQL API, as its published schema says.

mod connections;
mod input;
mod mutation;
mod page;
mod query;
mod types;
mod user_types;

use std::{sync::Arc, time::Duration};

use async_graphql::{Context, EmptySubscription, Error, ErrorExtensions, ServerError, Value};

use crate::{faults::Kind, service::Service};

pub(crate) type Schema = async_graphql::Schema<query::Query, mutation::Mutation, EmptySubscription>;

/// The schema, answering from `service`.
pub(crate) fn schema(service: Arc<Service>) -> Schema {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription).data(service).finish()
}

/// The extension in which an error's type waits to be put where `AppSync` has it.
const ERROR_TYPE: &str = "errorType";

/// An error with a type of its own.
fn failure(error_type: &str, message: &str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set(ERROR_TYPE, error_type))
}

/// The type of an error; one without a type of its own is about the query.
pub(crate) fn error_type(error: &ServerError) -> String {
    let found = error.extensions.as_ref().and_then(|extensions| extensions.get(ERROR_TYPE));
    match found {
        Some(Value::String(text)) => text.clone(),
        _ => "ValidationError".to_owned(),
    }
}

/// What the faults in force change in how a request is carried out.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    /// The type of the error that every root field fails with.
    error_type: Option<String>,
    /// Whether `failingChecks` has titles.
    by_title: bool,
    /// How long after its beginning a failure is first told.
    lag: Duration,
}

impl Conditions {
    pub(crate) fn new(struck: &[Kind]) -> Self {
        let mut conditions = Self::default();
        for kind in struck {
            match kind {
                Kind::RootError(error_type) => {
                    conditions.error_type.get_or_insert_with(|| error_type.clone());
                }
                Kind::ChecksByTitle => conditions.by_title = true,
                Kind::LagMillis(millis) => conditions.lag = Duration::from_millis(*millis),
                _ => {}
            }
        }
        conditions
    }
}

/// The service, unless a fault strikes.
fn service<'a>(context: &Context<'a>) -> Result<&'a Arc<Service>, Error> {
    if let Some(error_type) = conditions(context).and_then(|given| given.error_type.as_ref()) {
        return Err(failure(error_type, "a fault on demand"));
    }
    context.data::<Arc<Service>>()
}

fn conditions<'a>(context: &Context<'a>) -> Option<&'a Conditions> {
    context.data_opt::<Conditions>()
}

#[cfg(test)]
mod tests;
