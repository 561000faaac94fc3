//! Holds every query against the published schema.

use apollo_compiler::{ExecutableDocument, Schema};

use super::{card, end_users, failing_checks, ip_users, ping, service, user_state, webhook_target};
use crate::cii::batch::Root;

const SCHEMA: &str = include_str!("../schema.graphql");
const ROOTS: [Root; 3] = [failing_checks::QUESTION, ip_users::FIRST_PAGE, user_state::QUESTION];

#[test]
fn the_published_schema_accepts_every_query() {
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    let batches = ROOTS.iter().flat_map(|root| [1, 2, 10].map(|subjects| root.query(subjects)));
    let queries = [
        card::USER,
        end_users::QUERY,
        ip_users::NEXT_PAGE,
        ping::QUERY,
        service::INTEGRATIONS,
        service::ADMINS,
        service::DAILY_FAILURES,
        webhook_target::REGISTER,
        webhook_target::UNREGISTER,
    ]
    .map(str::to_owned);
    for query in batches.chain(queries) {
        if let Err(refusal) = ExecutableDocument::parse_and_validate(&schema, &query, "query") {
            panic!("{}", refusal.errors);
        }
    }
}

#[test]
fn no_query_asks_for_a_deprecated_field() {
    for query in [user_state::QUESTION.selection, card::USER] {
        assert!(!query.contains("lastSignInLocation"));
    }
}
