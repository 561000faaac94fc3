//! Validates all queries against the published schema.

use apollo_compiler::{ExecutableDocument, Schema};

use super::{card, end_users, failing_checks, ip_users, ping, service, user_state, webhook_target};
use std::collections::BTreeSet;

use crate::cii::{batch::Root, rows::Rows};

const SCHEMA: &str = include_str!("../schema.graphql");
const LISTS: [Rows; 5] = [
    end_users::ROWS,
    ip_users::NEXT_PAGE,
    service::ADMINS,
    service::DAILY_FAILURES,
    service::INTEGRATIONS,
];
const ROOTS: [Root; 3] = [failing_checks::QUESTION, ip_users::FIRST_PAGE, user_state::QUESTION];

#[test]
fn the_published_schema_accepts_every_query() {
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    let batches = ROOTS.iter().flat_map(|root| {
        let fields = root.fields.iter().map(|field| BTreeSet::from([field.name]));
        let all = root.fields.iter().map(|field| field.name).collect();
        let without: Vec<BTreeSet<_>> = fields.chain([BTreeSet::new(), all]).collect();
        [1, 2, 10].into_iter().flat_map(move |subjects| {
            without.clone().into_iter().map(move |without| root.query(subjects, &without))
        })
    });
    let lists = LISTS.iter().flat_map(|rows| {
        let fields = rows.fields.iter().map(|field| BTreeSet::from([field.name]));
        let all = rows.fields.iter().map(|field| field.name).collect();
        let without: Vec<BTreeSet<_>> = fields.chain([BTreeSet::new(), all]).collect();
        without.into_iter().map(|without| rows.query(&without))
    });
    let queries = [card::USER, ping::QUERY, webhook_target::REGISTER, webhook_target::UNREGISTER]
        .map(str::to_owned);
    for query in batches.chain(lists).chain(queries) {
        if let Err(refusal) = ExecutableDocument::parse_and_validate(&schema, &query, "query") {
            panic!("{}", refusal.errors);
        }
    }
}

#[test]
fn no_query_asks_for_a_deprecated_field() {
    for query in [user_state::QUESTION.query(1, &BTreeSet::new()), card::USER.to_owned()] {
        assert!(!query.contains("lastSignInLocation"));
    }
}
