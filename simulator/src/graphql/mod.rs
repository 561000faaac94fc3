//! The GraphQL API, as its published schema says.

mod connections;
mod input;
mod mutation;
mod page;
mod query;
mod types;
mod user_types;

use std::sync::Arc;

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

/// The errors that faults on demand give to the root fields of a request.
pub(crate) struct RootErrors(Vec<String>);

impl RootErrors {
    pub(crate) fn new(struck: &[Kind]) -> Self {
        let types = struck.iter().filter_map(|kind| match kind {
            Kind::RootError(error_type) => Some(error_type.clone()),
            _ => None,
        });
        Self(types.collect())
    }
}

/// The service, unless a fault strikes.
fn service<'a>(context: &Context<'a>) -> Result<&'a Arc<Service>, Error> {
    if let Some(error_type) = context.data_opt::<RootErrors>().and_then(|errors| errors.0.first()) {
        return Err(failure(error_type, "a fault on demand"));
    }
    context.data::<Arc<Service>>()
}

#[cfg(test)]
mod tests;
