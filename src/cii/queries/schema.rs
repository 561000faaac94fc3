//! Holds every query against the published schema.

use apollo_compiler::{ExecutableDocument, Schema};

use super::{failing_checks, ip_users, user_state};

const SCHEMA: &str = include_str!("../schema.graphql");

#[test]
fn the_published_schema_accepts_every_query() {
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    for query in [failing_checks::QUERY, ip_users::QUERY, user_state::QUERY] {
        if let Err(refusal) = ExecutableDocument::parse_and_validate(&schema, query, "query") {
            panic!("{}", refusal.errors);
        }
    }
}

#[test]
fn no_query_asks_for_a_deprecated_field() {
    assert!(!user_state::QUERY.contains("lastSignInLocation"));
}
