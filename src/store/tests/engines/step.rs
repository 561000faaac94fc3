//! Random changes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

/// A change to commit.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Delivery {
        id: u8,
        title: u8,
        severity: u8,
        users: BTreeSet<u8>,
        admitted: bool,
    },
    Answer {
        user: u8,
        ips: BTreeSet<u8>,
        fails: Option<BTreeSet<u8>>,
        found: bool,
    },
    Nulls {
        user: u8,
    },
    Address {
        ip: u8,
        users: BTreeSet<u8>,
        is_partial: bool,
    },
    Page {
        failing: BTreeSet<u8>,
    },
    Verdicts,
    Filter {
        admitted: BTreeSet<u8>,
    },
    Renames,
    Settle {
        limit: u8,
    },
    MoveEnded {
        limit: u8,
    },
    Add {
        user: u8,
        expires: Option<u8>,
    },
    Remove {
        user: u8,
    },
    Expire,
    Progress {
        cursor: u8,
        parked: bool,
    },
    Otlp {
        is_on: bool,
    },
    Retry {
        after: u8,
        limit: u8,
    },
    Backfill {
        ago: u8,
        after: u8,
        is_begun: bool,
        limit: u8,
    },
    Configure {
        checks: BTreeMap<u8, u8>,
    },
    Forget {
        check: u8,
        limit: u8,
    },
    Refuse {
        has_body: bool,
        is_packed: bool,
    },
    Run {
        job: u8,
        outcome: u8,
        failed: u8,
    },
    Service {
        integrations: Option<BTreeMap<u8, u8>>,
        admins: Option<BTreeSet<u8>>,
        is_partial: bool,
    },
    Daily {
        failures: Option<u8>,
    },
    KeepTarget {
        target: u8,
        checks: BTreeSet<u8>,
    },
    ForgetTarget {
        target: u8,
    },
    Watch {
        users: BTreeSet<u8>,
        ips: BTreeSet<u8>,
    },
    ForgetUser {
        user: u8,
    },
    DropListing,
    ForgetJob {
        is_tenant: bool,
    },
    Rules {
        text: u8,
    },
    Trust,
    Probe,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let few = || proptest::collection::btree_set(0..4_u8, 0..4);
    prop_oneof![
        4 => (0..6_u8, 1..4_u8, 0..3_u8, few(), any::<bool>()).prop_map(
            |(id, title, severity, users, admitted)| Step::Delivery {
                id, title, severity, users, admitted
            }
        ),
        4 => (0..4_u8, few(), proptest::option::of(few()), any::<bool>())
            .prop_map(|(user, ips, fails, found)| Step::Answer { user, ips, fails, found }),
        1 => (0..4_u8).prop_map(|user| Step::Nulls { user }),
        1 => (0..2_u8, few(), any::<bool>())
            .prop_map(|(ip, users, is_partial)| Step::Address { ip, users, is_partial }),
        1 => few().prop_map(|failing| Step::Page { failing }),
        2 => Just(Step::Verdicts),
        1 => proptest::collection::btree_set(0..3_u8, 0..3)
            .prop_map(|admitted| Step::Filter { admitted }),
        1 => Just(Step::Renames),
        1 => (1..4_u8).prop_map(|limit| Step::Settle { limit }),
        1 => (1..4_u8).prop_map(|limit| Step::MoveEnded { limit }),
        1 => (0..4_u8, proptest::option::of(0..9_u8))
            .prop_map(|(user, expires)| Step::Add { user, expires }),
        1 => (0..4_u8).prop_map(|user| Step::Remove { user }),
        1 => Just(Step::Expire),
        1 => (0..20_u8, any::<bool>()).prop_map(|(cursor, parked)| Step::Progress { cursor, parked }),
        1 => any::<bool>().prop_map(|is_on| Step::Otlp { is_on }),
        1 => (0..3_u8, 1..4_u8).prop_map(|(after, limit)| Step::Retry { after, limit }),
        1 => (0..40_u8, 0..20_u8, any::<bool>(), 1..9_u8).prop_map(
            |(ago, after, is_begun, limit)| Step::Backfill { ago, after, is_begun, limit }
        ),
        1 => proptest::collection::btree_map(0..4_u8, 0..3_u8, 0..3)
            .prop_map(|checks| Step::Configure { checks }),
        1 => (0..4_u8, 1..4_u8).prop_map(|(check, limit)| Step::Forget { check, limit }),
        1 => (any::<bool>(), any::<bool>())
            .prop_map(|(has_body, is_packed)| Step::Refuse { has_body, is_packed }),
        1 => (0..4_u8, 0..3_u8, 0..3_u8)
            .prop_map(|(job, outcome, failed)| Step::Run { job, outcome, failed }),
        2 => (
            proptest::option::of(proptest::collection::btree_map(0..3_u8, 0..4_u8, 0..3)),
            proptest::option::of(few()),
            any::<bool>(),
        )
            .prop_map(|(integrations, admins, is_partial)| Step::Service {
                integrations, admins, is_partial
            }),
        1 => proptest::option::of(0..3_u8).prop_map(|failures| Step::Daily { failures }),
        1 => (0..3_u8, few()).prop_map(|(target, checks)| Step::KeepTarget { target, checks }),
        1 => (0..3_u8).prop_map(|target| Step::ForgetTarget { target }),
        1 => (few(), proptest::collection::btree_set(0..2_u8, 0..3))
            .prop_map(|(users, ips)| Step::Watch { users, ips }),
        1 => (0..4_u8).prop_map(|user| Step::ForgetUser { user }),
        1 => Just(Step::DropListing),
        1 => any::<bool>().prop_map(|is_tenant| Step::ForgetJob { is_tenant }),
        1 => (0..3_u8).prop_map(|text| Step::Rules { text }),
        1 => Just(Step::Trust),
        1 => Just(Step::Probe),
    ]
}
